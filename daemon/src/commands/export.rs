//! `wellspring export`: results for other programs, without a daemon.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use report::export::{Exported, Format, Options, PlateFolder, export_folder};

use crate::args::PostgresArgs;
use crate::output;

/// What is taken out.
#[derive(Debug, Subcommand)]
pub enum ExportCommand {
    /// Write a plate's tables as CSV, TSV, XLSX or Parquet, with BatchLib's names and columns.
    ///
    /// Prints the files that were written. What cannot be written is told and left out; the exit code is then 1.
    Tables(TablesOptions),
    /// Write the tables of plates into a PostgreSQL database, in place of those of an earlier export of the same plate.
    Postgres(PostgresArgs),
}

/// Options of `export tables`.
#[derive(Args, Debug)]
pub struct TablesOptions {
    /// Folder of the plate's results: `<plate>_table.hdf5` and the containers (*.h5, *.n5) beside it.
    pub folder: PathBuf,
    /// Formats, separated by commas: csv, tsv, xlsx, parquet.
    #[arg(long, short, value_delimiter = ',', default_value = "csv")]
    pub format: Vec<Format>,
    /// Folder to write to, made if it is not there; by default the plate's.
    #[arg(long, short)]
    pub output: Option<PathBuf>,
    /// Decimals of image, well and plate tables; by default all digits. BatchLib rounds to 2.
    #[arg(long, value_parser = clap::value_parser!(u8).range(0..=15))]
    pub decimals: Option<u8>,
    /// Only tables with these full names; * stands for any text: images/default, cell_segmentation/*.
    #[arg(long, short, value_delimiter = ',', value_name = "NAME")]
    pub tables: Vec<String>,
}

/// Runs a subcommand.
pub fn run(command: &ExportCommand, json: bool) -> anyhow::Result<ExitCode> {
    match command {
        ExportCommand::Tables(options) => tables(options, json),
        ExportCommand::Postgres(options) => crate::commands::export_postgres::run(options, json),
    }
}

fn tables(options: &TablesOptions, json: bool) -> anyhow::Result<ExitCode> {
    let plate = PlateFolder::open(&options.folder)?;
    let folder = options.output.as_deref().unwrap_or(plate.folder());
    std::fs::create_dir_all(folder).map_err(|source| image_io::Error::Io {
        path: folder.to_owned(),
        action: "create",
        source,
    })?;
    let how = Options {
        formats: options.format.clone(),
        decimals: options.decimals,
    };
    let exported = export_folder(&plate, folder, &options.tables, &how)?;
    print(&exported, json)?;
    for (table, image, reason) in &exported.left_out {
        output::note(format!("left out: {image} of {table}: {reason}"));
    }
    let mut code = ExitCode::SUCCESS;
    for error in exported.refused {
        code = output::fail(&error.into());
    }
    Ok(code)
}

fn print(exported: &Exported, json: bool) -> anyhow::Result<()> {
    if json {
        let left_out = |(table, image, reason): &(String, String, String)| serde_json::json!({ "table": table, "image": image, "reason": reason });
        return output::json(&serde_json::json!({
            "files": exported.files,
            "left_out": exported.left_out.iter().map(left_out).collect::<Vec<_>>(),
            "refused": exported.refused.iter().map(ToString::to_string).collect::<Vec<_>>(),
        }));
    }
    for file in &exported.files {
        output::line(file.display().to_string());
    }
    Ok(())
}
