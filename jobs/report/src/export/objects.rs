//! Object tables of a whole plate as one file, one image set in memory at a time.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use image_io::table::{Column, Table};

use super::frame::{Cells, Kind, Part, Schema};
use super::{Options, writer};
use crate::columns::number;
use crate::{Error, ErrorClass, Result};

/// Columns that come before the table's own.
const FIRST: [(&str, Kind); 5] = [
    ("plate_name", Kind::Text),
    ("well_name", Kind::Text),
    ("site_name", Kind::Text),
    ("anchor_x", Kind::Float),
    ("anchor_y", Kind::Float),
];

/// An image set whose object tables are exported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectSite {
    /// The well, for example `A01`; empty where it is not known.
    pub well: String,
    /// The site, for example `A01-0001`.
    pub site: String,
}

/// Where object tables are read from.
pub trait ObjectTables {
    /// The image sets, in the order of the rows.
    fn sites(&self) -> &[ObjectSite];

    /// A table of one of them; `None` where it has no such table.
    ///
    /// # Errors
    /// The container cannot be read. Permanent failures leave the image set out, others end the export.
    fn read(&self, site: usize, table: &str) -> Result<Option<Table>>;
}

/// What an export of object tables came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// The published files.
    pub files: Vec<PathBuf>,
    /// Rows in each of them.
    pub rows: usize,
    /// Image sets that are not in it, and why.
    pub left_out: Vec<(String, String)>,
}

/// Writes one object table of all image sets as `<stem>.<extension>`.
///
/// `plate_name`, `well_name`, `site_name` and the objects' `anchor_x` and `anchor_y` stand before the table's own columns, as
/// in BatchLib (`export_cell_tables`). The table is read twice: first for its columns, types and rows, then for its values.
///
/// # Errors
/// [`Error::NoTable`] where no image set has the table; [`Error::File`]; [`Error::Changed`]; too many rows for XLSX, with the
/// other formats written.
pub fn write_objects(
    folder: &Path,
    stem: &str,
    plate: &str,
    table: &str,
    source: &dyn ObjectTables,
    options: &Options,
) -> Result<Written> {
    let mut written = Written::default();
    let mut own = Schema::default();
    let mut present = Vec::new();
    for (index, site) in source.sites().iter().enumerate() {
        match source.read(index, table) {
            Ok(Some(found)) => {
                own.extend(&found);
                written.rows += found.rows();
                present.push(index);
            }
            Ok(None) => written
                .left_out
                .push((site.site.clone(), format!("has no table `{table}`"))),
            Err(error) if error.class() == ErrorClass::Permanent => {
                written
                    .left_out
                    .push((site.site.clone(), error.to_string()));
            }
            Err(error) => return Err(error),
        }
    }
    if present.is_empty() {
        return Err(Error::NoTable {
            plate: plate.to_owned(),
            table: table.to_owned(),
        });
    }
    let mut schema = Schema {
        columns: FIRST.map(|(name, kind)| (name.to_owned(), kind)).to_vec(),
    };
    schema.columns.extend(own.columns.iter().cloned());
    let mut writers = writer::open_all(folder, stem, &schema, written.rows, &options.formats)?;
    for index in present {
        let site = &source.sites()[index];
        let changed = || Error::Changed {
            image: site.site.clone(),
            table: table.to_owned(),
        };
        let found = source.read(index, table)?.ok_or_else(changed)?;
        let (x, y) = anchors(source, index, table, &found)?;
        let mut columns = vec![
            Cells::Same(plate),
            Cells::Same(&site.well),
            Cells::Same(&site.site),
            x,
            y,
        ];
        columns.extend(arranged(&found, &own).ok_or_else(changed)?);
        writers.write(&Part {
            rows: found.rows(),
            columns,
        })?;
    }
    written.files = writers.finish()?;
    Ok(written)
}

/// The columns of a part in the order of the schema; `None` where it has others, or of another type.
fn arranged<'a>(table: &'a Table, schema: &Schema) -> Option<Vec<Cells<'a>>> {
    let known = |c: &Column| schema.columns.iter().any(|(name, _)| *name == c.name);
    if !table.columns.iter().all(known) {
        return None;
    }
    schema
        .columns
        .iter()
        .map(|(name, kind)| match table.column(name) {
            None => Some(Cells::Absent),
            Some(c) if c.values.is_empty() || Kind::of(&c.values).fits(*kind) => {
                Some(Cells::Table(&c.values))
            }
            Some(_) => None,
        })
        .collect()
}

/// Where the objects are: from the table's own columns, else from the properties of the segmentation that it belongs to.
fn anchors<'a>(
    source: &dyn ObjectTables,
    index: usize,
    name: &str,
    table: &Table,
) -> Result<(Cells<'a>, Cells<'a>)> {
    if let Some(found) = places(table, table) {
        return Ok(found);
    }
    for candidate in properties_of(name) {
        match source.read(index, &candidate) {
            Ok(Some(properties)) => {
                return Ok(places(&properties, table).unwrap_or((Cells::Absent, Cells::Absent)));
            }
            Ok(None) => {}
            // The anchors are not worth the row.
            Err(error) if error.class() == ErrorClass::Permanent => {}
            Err(error) => return Err(error),
        }
    }
    Ok((Cells::Absent, Cells::Absent))
}

/// x and y of the objects of `table`, as `properties` has them, found by `label_id`.
fn places<'a>(properties: &Table, table: &Table) -> Option<(Cells<'a>, Cells<'a>)> {
    let either = |a: &str, b: &str| properties.column(a).or_else(|| properties.column(b));
    let x = either("anchor_x", "centroid_x")?;
    let y = either("anchor_y", "centroid_y")?;
    let labels = |table: &Table| -> Option<Vec<u64>> {
        let column = table.column("label_id")?;
        (0..table.rows())
            .map(|row| number(&column.values, row).map(f64::to_bits))
            .collect()
    };
    let known: HashMap<u64, usize> = labels(properties)?.into_iter().zip(0..).collect();
    let of = |column: &Column| {
        let place = |label: &u64| {
            let row = known.get(label)?;
            number(&column.values, *row)
        };
        Some(Cells::Made(
            labels(table)?
                .iter()
                .map(|label| place(label).unwrap_or(f64::NAN))
                .collect(),
        ))
    };
    Some((of(x)?, of(y)?))
}

/// Tables that may hold the places of another table's objects: `cell_segmentation_nonuc/serum` belongs to `cell_segmentation`.
fn properties_of(name: &str) -> Vec<String> {
    let name = name.strip_prefix("cell_classification/").unwrap_or(name);
    let mut segmentation = name.split('/').next().unwrap_or_default();
    let mut candidates = vec![format!("{segmentation}/properties")];
    while let Some((shorter, _)) = segmentation.rsplit_once('_') {
        segmentation = shorter;
        candidates.push(format!("{segmentation}/properties"));
    }
    candidates
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_segmentation_a_table_belongs_to() {
        assert_eq!(
            properties_of("cell_classification/cell_segmentation_eroded/marker"),
            [
                "cell_segmentation_eroded/properties",
                "cell_segmentation/properties",
                "cell/properties"
            ]
        );
        assert_eq!(properties_of("cells"), ["cells/properties"]);
    }
}
