//! Writes the synthetic plate of the demo.
//!
//! `synthetic-plate FOLDER [--slow MILLISECONDS] [--corrupt INDEX] [--side PIXELS] [--rows N] [--columns N] [--sites N]`
//! writes the sites one after the other, each first under its own name half-written, then whole, as a microscope does;
//! `--only INDEX` writes just that site; `--truth FILE` writes the known number of cells of each site as JSON.
//!
//! `synthetic-plate --compare TRUTH.json IMAGES.json` compares the truth with the plate's image table, as printed by
//! `wellspring inspect --table images/default --json`, and fails where a count differs.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use black_box::synthetic::{PlateSpec, render, sites};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let first = arguments
        .next()
        .ok_or("usage: synthetic-plate FOLDER [options]")?;
    if first == "--compare" {
        let (truth, table) = (
            arguments.next().ok_or("--compare needs two files")?,
            arguments.next().ok_or("--compare needs two files")?,
        );
        return compare(&truth, &table);
    }
    if first.starts_with('-') {
        return Err("usage: synthetic-plate FOLDER [options]".into());
    }
    let folder = PathBuf::from(first);
    let (mut spec, mut slow, mut corrupt, mut only, mut truth) =
        (PlateSpec::default(), 0, None, None, None);
    while let Some(option) = arguments.next() {
        let value = arguments
            .next()
            .ok_or_else(|| format!("{option} needs a value"))?;
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
    for (i, site) in sites(&spec)
        .iter()
        .enumerate()
        .filter(|(i, _)| only.is_none_or(|o| o == *i))
    {
        let mut bytes = render(&spec, i)?;
        if corrupt == Some(i) {
            // The second page's pixels never arrive.
            bytes.truncate(bytes.len() * 6 / 10);
        }
        let mut file = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(true)
            .open(folder.join(&site.file))?;
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

/// Prints truth and counts side by side.
fn compare(truth: &str, table: &str) -> Result<()> {
    let truth: Vec<serde_json::Value> = serde_json::from_slice(&std::fs::read(truth)?)?;
    let table: serde_json::Value = serde_json::from_slice(&std::fs::read(table)?)?;
    let rows = table["rows"].as_array().ok_or("the table has no rows")?;
    println!(
        "{:10} {:>6} {:>7} {:>6}",
        "site", "truth", "nuclei", "cells"
    );
    let mut right = 0;
    for site in &truth {
        let row = rows.iter().find(|r| r["site_name"] == site["site"]);
        let count = |column: &str| row.and_then(|r| r[column].as_f64());
        let (nuclei, cells) = (
            count("n_nucleus_segmentation/objects"),
            count("n_cell_segmentation/objects"),
        );
        let same = nuclei == site["cells"].as_f64() && cells == nuclei;
        right += usize::from(same);
        let text = |n: Option<f64>| n.map_or_else(|| "-".to_owned(), |n| n.to_string());
        let (name, drawn) = (
            site["site"].as_str().unwrap_or_default(),
            site["cells"].to_string(),
        );
        println!(
            "{name:10} {drawn:>6} {:>7} {:>6}{}",
            text(nuclei),
            text(cells),
            if same { "" } else { "   <-- differs" }
        );
    }
    println!("{right} of {} sites as drawn", truth.len());
    if right == truth.len() {
        Ok(())
    } else {
        Err("the counts differ from the truth".into())
    }
}
