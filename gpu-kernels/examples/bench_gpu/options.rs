//! What the command line says.

use std::path::PathBuf;

use crate::Failure;

pub const USAGE: &str = "\
usage: bench_gpu [ADAPTER] [--side N]… [--volume Z,Y,X] [--rounds N] [--only TEXT] [--memory GIB]
                 [--project FOLDER] [--tile N] [--json FILE]
  ADAPTER    `auto` (default: the fastest one that is not software), or a part of its name
  --side     planes of N x N pixels; 2048 and 4096 unless told otherwise
  --volume   the volume of the features in 3-D; 64,256,256
  --rounds   repeats, of which the median counts; 7, and fewer of what takes long
  --only     kernels whose name contains this; `ilastik` is the project
  --memory   device memory that may be used; 8
  --project  a folder with project.ilp and an image; ../shared/golden/ilastik/cells_pc
  --tile     side of the plane made by repeating the project's image; 4096, 0 for none
  --json     where the figures go besides";

pub struct Options {
    pub adapter: String,
    pub sides: Vec<usize>,
    pub volume: [usize; 3],
    pub rounds: usize,
    pub only: String,
    pub memory: u64,
    pub project: PathBuf,
    pub tile: usize,
    pub json: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            adapter: "auto".to_owned(),
            sides: Vec::new(),
            volume: [64, 256, 256],
            rounds: 7,
            only: String::new(),
            memory: 8 << 30,
            project: PathBuf::from("../shared/golden/ilastik/cells_pc"),
            tile: 4096,
            json: None,
        }
    }
}

impl Options {
    /// `None` if help is asked for.
    pub fn parse(arguments: impl Iterator<Item = String>) -> Result<Option<Self>, Failure> {
        let mut options = Self::default();
        let mut arguments = arguments;
        let mut named = false;
        while let Some(argument) = arguments.next() {
            if argument == "--help" || argument == "-h" {
                return Ok(None);
            }
            if !argument.starts_with('-') {
                if named {
                    return Err(format!("one adapter only, not also `{argument}`").into());
                }
                named = true;
                options.adapter = argument;
                continue;
            }
            let value = arguments
                .next()
                .ok_or_else(|| format!("`{argument}` needs a value"))?;
            match argument.as_str() {
                "--side" => options.sides.push(number(&value)?),
                "--volume" => {
                    let sides: Result<Vec<_>, _> = value.split(',').map(number).collect();
                    options.volume = sides?.try_into().map_err(|_| "`--volume` is Z,Y,X")?;
                }
                "--rounds" => options.rounds = number(&value)?.max(1),
                "--only" => options.only = value,
                "--memory" => options.memory = (number(&value)? as u64) << 30,
                "--project" => options.project = value.into(),
                "--tile" => options.tile = number(&value)?,
                "--json" => options.json = Some(value.into()),
                _ => return Err(format!("no such option: `{argument}`").into()),
            }
        }
        if options.sides.is_empty() {
            options.sides = vec![2048, 4096];
        }
        if options.sides.contains(&0) || options.volume.contains(&0) {
            return Err("a side of 0 pixels".into());
        }
        Ok(Some(options))
    }
}

fn number(text: &str) -> Result<usize, Failure> {
    text.parse()
        .map_err(|_| format!("`{text}` is not a number").into())
}
