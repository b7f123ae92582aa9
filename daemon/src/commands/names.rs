//! `wellspring names`: what naming schemes make of a folder.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use plate::{NamingScheme, guess, presets, survey};

use crate::args::NamesCommand;
use crate::output;

/// Runs a subcommand. Exit code 1 where names could not be read, or clash.
pub fn run(command: &NamesCommand, json: bool) -> anyhow::Result<ExitCode> {
    match command {
        NamesCommand::Presets => {
            if json {
                output::json(&presets())?;
            } else {
                for preset in presets() {
                    output::line(format!("{:18} {}\n{:18} {}", preset.name, preset.description, "", preset.example));
                }
            }
            Ok(ExitCode::SUCCESS)
        }
        NamesCommand::Guess { folder } => {
            let guesses = guess(folder)?;
            if json {
                output::json(&guesses)?;
            } else {
                for guess in &guesses {
                    output::line(format!("{:18} reads {} of {} images", guess.preset, guess.matched, guess.total));
                }
            }
            Ok(ExitCode::SUCCESS)
        }
        NamesCommand::Test { folder, naming } => test(folder, naming.as_deref(), json),
    }
}

/// The scheme that was asked for, or the preset that reads most names of the folder.
pub fn choose(folder: &Path, naming: Option<&str>) -> anyhow::Result<NamingScheme> {
    if let Some(text) = naming {
        return Ok(NamingScheme::from_config(text)?);
    }
    let best = guess(folder)?.into_iter().next().filter(|g| g.matched > 0);
    let best = best.with_context(|| format!("no preset reads the file names in `{}`; give a regular expression with --naming (`wellspring names presets` lists what is known)", folder.display()))?;
    Ok(NamingScheme::preset(best.preset)?)
}

fn test(folder: &Path, naming: Option<&str>, json: bool) -> anyhow::Result<ExitCode> {
    let scheme = choose(folder, naming)?;
    let report = survey(folder, &scheme)?;
    let clean = report.unmatched.is_empty() && report.duplicates.is_empty();
    if json {
        output::json(&report)?;
    } else {
        output::print(&report.to_string());
    }
    Ok(if clean { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
