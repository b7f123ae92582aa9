//! Writes the synthetic plate of the demo.
//!
//! `synthetic-plate FOLDER [--slow MILLISECONDS] [--corrupt INDEX] [--side PIXELS] [--rows N] [--columns N] [--sites N]`
//! writes the sites one after the other, each first under its own name half-written, then whole, as a microscope does;
//! `--only INDEX` writes just that site; `--truth FILE` writes the known number of cells of each site as JSON.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use black_box::synthetic::{PlateSpec, render, sites};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("usage: synthetic-plate FOLDER [options]")?);
    let (mut spec, mut slow, mut corrupt, mut only, mut truth) = (PlateSpec::default(), 0, None, None, None);
    while let Some(option) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{option} needs a value"))?;
        match option.as_str() {
            "--slow" => slow = value.parse()?,
            "--corrupt" => corrupt = Some(value.parse::<usize>()?),
            "--only" => only = Some(value.parse::<usize>()?),
            "--side" => spec.side = value.parse()?,
            "--rows" => spec.rows = value.parse()?,
            "--columns" => spec.columns = value.parse()?,
            "--sites" => spec.sites = value.parse()?,
            "--truth" => truth = Some(value),
            other => return Err(format!("unknown option {other}").into()),
        }
    }
    std::fs::create_dir_all(&folder)?;
    if let Some(path) = truth {
        std::fs::write(path, serde_json::to_string_pretty(&sites(&spec))?)?;
    }
    for (i, site) in sites(&spec).iter().enumerate().filter(|(i, _)| only.is_none_or(|o| o == *i)) {
        let mut bytes = render(&spec, i)?;
        if corrupt == Some(i) {
            // The second page's pixels never arrive.
            bytes.truncate(bytes.len() * 6 / 10);
        }
        let mut file = OpenOptions::new().create(true).write(true).truncate(true).open(folder.join(&site.file))?;
        let half = bytes.len() / 2;
        file.write_all(&bytes[..half])?;
        file.flush()?;
        std::thread::sleep(Duration::from_millis(slow / 2));
        file.write_all(&bytes[half..])?;
        drop(file);
        std::thread::sleep(Duration::from_millis(slow / 2));
    }
    Ok(())
}
