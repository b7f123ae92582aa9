//! `wellspring export postgres`: results of plates into a PostgreSQL database.

mod copy;
mod database;
mod source;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, anyhow, bail};
use config::{Unfit, first_line_of_private_file};
use serde::Serialize;

use crate::args::PostgresArgs;
use crate::output;
use database::{Database, Replaced, Written};
use source::{Made, Source};

/// What became of one plate.
#[derive(Serialize)]
struct Outcome {
    plate: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    workflow: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(flatten)]
    written: Written,
    /// Another folder, whose rows were replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    replaced: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Exports all plates; one that cannot be exported does not stop the others. Exit code 1 if there was one.
pub fn run(args: &PostgresArgs, json: bool) -> anyhow::Result<ExitCode> {
    let mut database = match (&args.url_file, args.dry_run) {
        // Nothing is connected to, so that it can be tried anywhere.
        (_, true) => None,
        (Some(file), false) => Some(Database::open(file, &args.schema)?),
        (None, false) => bail!(
            "it is not said which database: give --url-file FILE, with an address such as postgres://user:password@host/database on its first line"
        ),
    };
    let mut outcomes = Vec::new();
    for folder in &args.plates {
        let outcome = match one(folder, args, database.as_mut()) {
            Ok((made, Replaced { written, other })) => Outcome {
                plate: folder.display().to_string(),
                workflow: Some(made.workflow),
                version: Some(made.version),
                written,
                replaced: other,
                error: None,
            },
            Err(error) => Outcome {
                plate: folder.display().to_string(),
                workflow: None,
                version: None,
                written: Written::default(),
                replaced: None,
                error: Some(format!("{error:#}")),
            },
        };
        if !json {
            tell(&outcome, args.dry_run);
        }
        outcomes.push(outcome);
    }
    let ok = outcomes.iter().all(|outcome| outcome.error.is_none());
    if json {
        output::json(
            &serde_json::json!({ "ok": ok, "dry_run": args.dry_run, "plates": outcomes }),
        )?;
    }
    Ok(if ok {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

/// Exports one plate, or only counts its rows where there is no database.
fn one(
    folder: &Path,
    args: &PostgresArgs,
    database: Option<&mut Database>,
) -> anyhow::Result<(Made, Replaced)> {
    let source = Source::open(folder)?;
    let made = source.made(args.workflow.as_deref(), args.workflow_version.as_deref())?;
    let written = match database {
        Some(database) => database
            .write(&source, &made, args.objects)
            .with_context(|| {
                format!(
                    "the rows of `{}` were not written; those from before are still there",
                    folder.display()
                )
            })?,
        None => Replaced {
            written: source.count(args.objects)?,
            other: None,
        },
    };
    Ok((made, written))
}

fn tell(outcome: &Outcome, dry_run: bool) {
    if let Some(error) = &outcome.error {
        output::note(format!("error: {}: {error}", outcome.plate));
        return;
    }
    let Written {
        images,
        wells,
        plates,
        objects,
    } = outcome.written;
    if let Some(other) = &outcome.replaced {
        output::note(format!(
            "warning: the rows of `{other}` were replaced: it has the same workflow, version and plate; two plates need names of their own"
        ));
    }
    let verb = if dry_run { "would write" } else { "wrote" };
    output::line(format!(
        "{}: {} {}: {verb} {images} image, {wells} well, {plates} plate and {objects} object rows",
        outcome.plate,
        outcome.workflow.as_deref().unwrap_or_default(),
        outcome.version.as_deref().unwrap_or_default(),
    ));
}

/// The first line of a file that not everybody can read.
fn read_secret(file: &Path) -> anyhow::Result<String> {
    let line = match first_line_of_private_file(file) {
        Ok(line) => line,
        Err(Unfit::Unreadable(error)) => {
            return Err(error).with_context(|| format!("cannot read `{}`", file.display()));
        }
        Err(Unfit::Exposed) => bail!(
            "everybody on this machine can read the password in `{0}`; `chmod 640 {0}`, and change it",
            file.display()
        ),
    };
    if line.is_empty() {
        return Err(anyhow!(
            "the first line of `{}` is empty; write the address of the database there, as in postgres://user:password@host/database",
            file.display()
        ));
    }
    Ok(line)
}
