//! `wellspring names`: what naming schemes make of a folder.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use plate::survey::Duplicate;
use plate::{NamesReport, NamingScheme, guess, presets, survey};

use crate::args::NamesCommand;
use crate::output;

/// Runs a subcommand. Exit code 1 where names could not be read, or clash.
pub fn run(command: &NamesCommand, json: bool) -> anyhow::Result<ExitCode> {
    match command {
        NamesCommand::Presets => {
            if json {
                let describe = |p: &plate::PresetInfo| serde_json::json!({ "name": p.name, "description": p.description, "example": p.example });
                output::json(&presets().iter().map(describe).collect::<Vec<_>>())?;
            } else {
                for preset in presets() {
                    output::line(format!(
                        "{:18} {}\n{:18} {}",
                        preset.name, preset.description, "", preset.example
                    ));
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
                    output::line(format!(
                        "{:18} reads {} of {} images",
                        guess.preset, guess.matched, guess.total
                    ));
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
    if json {
        output::json(&report)?;
    } else {
        output::print(&text(&report));
    }
    Ok(if report.is_clean() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

/// Lines shown of each list; `--json` has all of them.
const SHOWN: usize = 20;

/// The report for people: what was read, what was not and why, clashes, and the plate map.
fn text(report: &NamesReport) -> String {
    let mut out = format!(
        "naming `{}` in `{}`\n\n",
        report.scheme,
        report.folder.display()
    );
    out.push_str(&format!(
        "{:6} {:6} {:12} {:>3} {:>3}  {}\n",
        "well", "site", "channels", "z", "t", "file"
    ));
    let number = |n: Option<u32>| n.map_or_else(|| "-".to_owned(), |n| n.to_string());
    let lines = report.parsed.iter().map(|p| {
        let n = &p.name;
        format!(
            "{:6} {:<6} {:12} {:>3} {:>3}  {}\n",
            n.well.to_string(),
            n.site,
            n.channels.join(","),
            number(n.z),
            number(n.t),
            p.path.display()
        )
    });
    list(&mut out, lines, report.parsed.len());
    let (channels, sites, wells) = (
        report.channels.join(", "),
        report.sites.len(),
        report.wells.len(),
    );
    out.push_str(&format!(
        "\n{} images read: {wells} wells, {sites} sites, channels {channels}\n",
        report.parsed.len()
    ));
    for (rule, n) in &report.ignored {
        out.push_str(&format!("{n} files ignored: {rule}\n"));
    }
    if !report.unmatched.is_empty() {
        out.push_str(&format!(
            "\n{} images whose names cannot be read:\n",
            report.unmatched.len()
        ));
        list(
            &mut out,
            report
                .unmatched
                .iter()
                .map(|r| format!("  {}: {}\n", r.path.display(), r.why)),
            report.unmatched.len(),
        );
    }
    if !report.duplicates.is_empty() {
        out.push_str(&format!(
            "\n{} planes that several files claim:\n",
            report.duplicates.len()
        ));
        let paths = |d: &Duplicate| {
            d.paths
                .iter()
                .map(|p| p.display().to_string())
                .collect::<Vec<_>>()
                .join(", ")
        };
        list(
            &mut out,
            report.duplicates.iter().map(|d| {
                format!(
                    "  {} site {} channel {}: {}\n",
                    d.well,
                    d.site,
                    d.channel,
                    paths(d)
                )
            }),
            report.duplicates.len(),
        );
    }
    for remark in &report.unreadable {
        out.push_str(&format!(
            "cannot list {}: {}\n",
            remark.path.display(),
            remark.why
        ));
    }
    out.push_str(&format!("\nsites a well:\n{}", report.plate_map()));
    out
}

/// The first few lines, and how many more there are.
fn list(out: &mut String, lines: impl Iterator<Item = String>, count: usize) {
    lines.take(SHOWN).for_each(|line| out.push_str(&line));
    if count > SHOWN {
        out.push_str(&format!(
            "  … and {} more (--json lists all)\n",
            count - SHOWN
        ));
    }
}
