//! Tables as files.

use std::collections::BTreeSet;

use image_io::table::Table;
use report::export::{FileNames, Format, ObjectSite, ObjectTables, Options};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cells::at_level;
use crate::error::Failure;
use crate::graph::{Bindings, Scope};
use crate::kind::{KindInfo, PlateOperation, plate_kind, schema_of};
use crate::plate_context::{PlateIo, PlateMember};
use crate::port::{Holds, Port};

/// Most decimals that a number of 64 bits has.
const MOST_DECIMALS: u8 = 15;

/// Parameters of `export.tables`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct ExportTables {
    /// `csv`, `tsv`, `xlsx`, `parquet`.
    formats: Vec<Format>,
    /// Decimals of image, well and plate tables; BatchLib rounds to 2. Not set: all digits. Object tables keep all digits.
    decimals: Option<u8>,
}

impl Default for ExportTables {
    fn default() -> Self {
        Self {
            formats: vec![Format::Csv],
            decimals: None,
        }
    }
}

pub(super) static TABLES: KindInfo = KindInfo {
    name: "export.tables",
    version: 1,
    scope: Scope::Plate,
    about: "Tables as CSV, TSV, XLSX or Parquet beside the plate table, with BatchLib's names and columns (export_tables_for_plate)",
    inputs: &[
        Port::many(
            "tables",
            Holds::PlateTables,
            "image, well and plate tables: `default` is all three, `images/outliers` that one",
        )
        .optional(),
        Port::many(
            "objects",
            Holds::Table,
            "object tables, each as one file for the whole plate",
        )
        .optional()
        .unpaired(),
    ],
    outputs: &[],
    schema: schema_of::<ExportTables>,
    compile: plate_kind::<ExportTables>,
};

impl PlateOperation for ExportTables {
    fn check(&self, inputs: &Bindings, _outputs: &Bindings) -> Vec<String> {
        let mut problems = Vec::new();
        if inputs.is_empty() {
            problems.push("needs input `tables` or `objects`".to_owned());
        }
        if self.formats.is_empty() {
            problems.push("`formats` is empty: name csv, tsv, xlsx or parquet".to_owned());
        }
        if self.decimals.is_some_and(|d| d > MOST_DECIMALS) {
            problems.push(format!("`decimals` must be 0 to {MOST_DECIMALS}"));
        }
        problems
    }

    fn run(&self, io: &mut PlateIo<'_>) -> Result<(), Failure> {
        let options = Options {
            formats: self.formats.clone(),
            decimals: self.decimals,
        };
        let plate = io.plate_name();
        let mut names = FileNames::new(&plate);
        // What was too large for one format must not keep the rest from being written.
        let mut refused = None;
        let keep = |result: Result<(), report::Error>, refused: &mut Option<Failure>| match result {
            Err(error) if error.class() == report::ErrorClass::Permanent => {
                refused.get_or_insert(error.into());
                Ok(())
            }
            other => other.map_err(Failure::from),
        };
        for name in plate_tables(io)? {
            let table = io.plate_table(&name)?;
            let stem = names.plate_table(&name);
            let written = report::export::write_table(io.plate_dir(), &stem, &table, &options);
            keep(written.map(drop), &mut refused)?;
        }
        let source = Members::of(io);
        for name in io.names("objects") {
            let stem = names.object_table(&name);
            let written = report::export::write_objects(
                io.plate_dir(),
                &stem,
                &plate,
                &name,
                &source,
                &options,
            );
            let told = written.map(|written| {
                for (image, reason) in written.left_out {
                    tracing::warn!(%plate, table = %name, image, reason, "left out of the export");
                }
            });
            keep(told, &mut refused)?;
        }
        refused.map_or(Ok(()), Err)
    }
}

/// Full names of the plate tables that are bound: for a bare name those of its three that there are.
fn plate_tables(io: &PlateIo<'_>) -> Result<BTreeSet<String>, Failure> {
    let mut found = BTreeSet::new();
    for name in io.names("tables") {
        let full = ["images", "wells", "plate"].map(|level| at_level(level, &name));
        let before = found.len();
        found.extend(full.into_iter().filter(|n| io.has_plate_table(n)));
        if found.len() == before {
            let error = report::Error::NoTable {
                plate: io.plate_name(),
                table: name,
            };
            return Err(error.into());
        }
    }
    Ok(found)
}

/// The image sets that have results.
struct Members<'a> {
    members: Vec<&'a PlateMember>,
    sites: Vec<ObjectSite>,
}

impl<'a> Members<'a> {
    fn of(io: &'a PlateIo<'_>) -> Self {
        let members: Vec<&PlateMember> = io
            .members()
            .iter()
            .filter(|m| io.failed(m).is_none())
            .collect();
        let site = |member: &&PlateMember| ObjectSite {
            well: member.well.to_string(),
            site: member.name.clone(),
        };
        Self {
            sites: members.iter().map(site).collect(),
            members,
        }
    }
}

impl ObjectTables for Members<'_> {
    fn sites(&self) -> &[ObjectSite] {
        &self.sites
    }

    fn read(&self, site: usize, table: &str) -> Result<Option<Table>, report::Error> {
        let container = self.members[site].container.as_path();
        report::export::read_table(container, table)
    }
}
