//! One-row tables of image sets, gathered into tables of the plate.

use std::collections::BTreeMap;

use image_io::publish::write_bytes_atomically;
use image_io::table::{Column, Table, Values};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::cells::{at_level, channel_of, mean_of_known};
use crate::error::Failure;
use crate::graph::Scope;
use crate::kind::{KindInfo, PlateOperation, plate_kind, schema_of};
use crate::plate_context::{PlateIo, PlateMember};
use crate::port::{Holds, Port};

/// Parameters of `tables.gather`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Gather {
    /// Write each row as `<table>/<image>.json` in the plate's folder, too: the files of BatchLib's pixel-level analysis.
    json: bool,
}

pub(super) static GATHER: KindInfo = KindInfo {
    name: "tables.gather",
    version: 1,
    scope: Scope::Plate,
    about: "Tables with one row an image set become an image table, and their means a well table",
    inputs: &[Port::one(
        "table",
        Holds::Table,
        "a table with one row, for example of analyse.pixel_level",
    )],
    outputs: &[Port::one(
        "tables",
        Holds::PlateTables,
        "images/<name>, and wells/<name> with the means over the images of a well",
    )],
    schema: schema_of::<Gather>,
    compile: plate_kind::<Gather>,
};

/// A number of the row; text is left out.
type Row = Vec<(String, f64)>;

impl PlateOperation for Gather {
    fn run(&self, io: &mut PlateIo<'_>) -> Result<(), Failure> {
        let name = io.names("table").remove(0);
        let mut names: Vec<String> = Vec::new();
        let mut rows: Vec<Option<Row>> = Vec::new();
        for member in io.members() {
            let row = match io.failed(member) {
                None => Some(row_of(&io.object_table(member, &name)?)),
                Some(_) => None,
            };
            for (column, _) in row.iter().flatten() {
                if !names.contains(column) {
                    names.push(column.clone());
                }
            }
            if let (true, Some(row)) = (self.json, &row) {
                publish(io, &name, member, row)?;
            }
            rows.push(row);
        }
        let value = |row: &Option<Row>, column: &str| {
            let found = row.iter().flatten().find(|(n, _)| n == column);
            found.map_or(f64::NAN, |(_, v)| *v)
        };
        let members = io.members();
        let failed: Vec<i64> = rows.iter().map(|r| i64::from(r.is_none())).collect();
        let mut images = vec![
            Column::text(
                "image_name",
                members.iter().map(PlateMember::image_name).collect(),
            )
            .hidden(),
            Column::text(
                "site_name",
                members.iter().map(|m| m.name.clone()).collect(),
            ),
            Column::int("is_outlier", failed),
        ];
        let mut wells: BTreeMap<plate::WellName, Vec<usize>> = BTreeMap::new();
        for (at, member) in members.iter().enumerate() {
            wells.entry(member.well).or_default().push(at);
        }
        let mut of_wells = vec![Column::text(
            "well_name",
            wells.keys().map(ToString::to_string).collect(),
        )];
        for column in &names {
            let values: Vec<f64> = rows.iter().map(|row| value(row, column)).collect();
            let means = wells
                .values()
                .map(|sites| mean_of_known(sites.iter().map(|&at| values[at])));
            of_wells.push(Column::float(column.clone(), means.collect()));
            images.push(Column::float(column.clone(), values));
        }
        let output = io.output("tables").unwrap_or("default").to_owned();
        io.put_table(&at_level("images", &output), Table { columns: images });
        io.put_table(&at_level("wells", &output), Table { columns: of_wells });
        Ok(())
    }
}

fn row_of(table: &Table) -> Row {
    let first = |column: &Column| {
        #[allow(clippy::cast_precision_loss)]
        let value = match &column.values {
            Values::Int(v) => *v.first()? as f64,
            Values::Float(v) => *v.first()?,
            Values::Text(_) => return None,
        };
        Some((column.name.clone(), value))
    };
    table.columns.iter().filter_map(first).collect()
}

fn publish(io: &PlateIo<'_>, table: &str, member: &PlateMember, row: &Row) -> Result<(), Failure> {
    let folder = io.plate_dir().join(channel_of(table));
    std::fs::create_dir_all(&folder).map_err(|source| image_io::Error::Io {
        path: folder.clone(),
        action: "create",
        source,
    })?;
    // NaN has no place in JSON: it becomes null.
    let object: Map<String, Value> = row
        .iter()
        .map(|(name, value)| (name.clone(), (*value).into()))
        .collect();
    let file = folder.join(format!("{}.json", member.image_name()));
    write_bytes_atomically(&file, Value::Object(object).to_string().as_bytes())?;
    Ok(())
}
