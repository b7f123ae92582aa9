//! Two analyses of one plate in one table.

use image_io::table::{Column, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cells::{at_level, texts};
use super::merge::sorted;
use crate::error::Failure;
use crate::graph::Scope;
use crate::kind::{KindInfo, PlateOperation, plate_kind, schema_of};
use crate::plate_context::PlateIo;
use crate::port::{Holds, Port};

/// Parameters of `tables.combine`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Combine {
    /// Columns with this in their name are taken from the second tables, all others from the first.
    take: String,
}

impl Default for Combine {
    fn default() -> Self {
        Self {
            take: "sum".to_owned(),
        }
    }
}

pub(super) static COMBINE: KindInfo = KindInfo {
    name: "tables.combine",
    version: 1,
    scope: Scope::Plate,
    about: "Image and well tables of two analyses in one: some columns are taken from the second (BatchLib MergeMeanAndSumTables)",
    inputs: &[
        Port::one(
            "first",
            Holds::PlateTables,
            "name of the first analysis' tables",
        ),
        Port::one(
            "second",
            Holds::PlateTables,
            "name of the second analysis' tables",
        ),
    ],
    outputs: &[Port::one(
        "tables",
        Holds::PlateTables,
        "images/<name> and wells/<name>",
    )],
    schema: schema_of::<Combine>,
    compile: plate_kind::<Combine>,
};

impl PlateOperation for Combine {
    fn run(&self, io: &mut PlateIo<'_>) -> Result<(), Failure> {
        let output = io.output("tables").unwrap_or("default").to_owned();
        for (level, key) in [("images", "site_name"), ("wells", "well_name")] {
            let names = ["first", "second"].map(|port| at_level(level, &io.names(port)[0]));
            let [first, second] = [io.plate_table(&names[0])?, io.plate_table(&names[1])?];
            let order = texts(&first, &names[0], key)?;
            let rows = texts(&second, &names[1], key)?;
            let take = |column: &Column| match second.column(&column.name) {
                Some(other) if column.name.contains(&self.take) => Column {
                    // BatchLib hides sums in each of the two; here they are what the second analysis is for.
                    visible: true,
                    ..sorted(other, &rows, &order)
                },
                _ => column.clone(),
            };
            let columns = first.columns.iter().map(take).collect();
            io.put_table(&at_level(level, &output), Table { columns });
        }
        Ok(())
    }
}
