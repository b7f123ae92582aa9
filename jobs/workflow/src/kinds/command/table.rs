//! Object tables from CSV files with a header.

use std::collections::BTreeSet;
use std::path::Path;

use image_io::table::{Column, Table, Values, parse_column};

/// Larger files are refused.
const MOST_BYTES: u64 = 256 << 20;
/// More columns than any table of measurements has.
const MOST_COLUMNS: usize = 20_000;
/// The first column of every object table.
const LABEL: &str = "label_id";

/// Reads a table. `id` names the column that holds the objects' labels: it becomes the first, `label_id`. An empty cell of a
/// column of numbers is not a number.
pub(super) fn read(path: &Path, id: Option<&str>) -> Result<Table, String> {
    let bytes = plate::foreign::read_limited(path, MOST_BYTES).map_err(|e| match e {
        Ok(size) => format!("it has {size} bytes; the limit is {MOST_BYTES}"),
        Err(error) => error.to_string(),
    })?;
    let tabs = path.extension().is_some_and(|e| e == "tsv");
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(if tabs { b'\t' } else { b',' })
        .from_reader(bytes.as_slice());
    let text = |cell: &[u8]| String::from_utf8_lossy(cell).into_owned();
    let header = reader.byte_headers().map_err(|e| e.to_string())?;
    let mut names: Vec<String> = header.iter().map(|c| text(c).trim().to_owned()).collect();
    if names.is_empty() {
        return Err("it is empty; a table begins with a line of names".to_owned());
    }
    if names.len() > MOST_COLUMNS {
        return Err(format!("it has {} columns", names.len()));
    }
    for (number, name) in names.iter_mut().enumerate() {
        // ImageJ leaves the name of the row numbers empty.
        if name.is_empty() {
            *name = format!("column_{}", number + 1);
        }
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = names.iter().find(|name| !seen.insert(name.as_str())) {
        return Err(format!("two of its columns are called `{twice}`"));
    }
    let mut cells: Vec<Vec<String>> = vec![Vec::new(); names.len()];
    for record in reader.byte_records() {
        // Says which line has another number of cells.
        let record = record.map_err(|e| e.to_string())?;
        for (column, cell) in cells.iter_mut().zip(&record) {
            column.push(text(cell));
        }
    }
    let mut columns: Vec<Column> = names
        .into_iter()
        .zip(cells)
        .map(|(name, cells)| Column {
            name,
            values: values(&cells),
            visible: true,
        })
        .collect();
    let wanted = id.unwrap_or(LABEL);
    match columns.iter().position(|c| c.name == wanted) {
        Some(at) => {
            let mut labels = columns.remove(at);
            if !labels.values.is_empty() && !matches!(labels.values, Values::Int(_)) {
                return Err(format!("its column `{wanted}` holds no whole numbers"));
            }
            if columns.iter().any(|c| c.name == LABEL) {
                return Err(format!("it has the column `{LABEL}` beside `{wanted}`"));
            }
            LABEL.clone_into(&mut labels.name);
            columns.insert(0, labels);
        }
        None if id.is_some() => {
            let names: Vec<&str> = columns.iter().map(|c| c.name.as_str()).take(20).collect();
            return Err(format!(
                "it has no column `{wanted}`; it has {}",
                names.join(", ")
            ));
        }
        None => {}
    }
    Ok(Table { columns })
}

fn values(cells: &[String]) -> Values {
    let plain: Vec<&str> = cells.iter().map(String::as_str).collect();
    let filled: Vec<&str> = plain
        .iter()
        .map(|c| if c.trim().is_empty() { "nan" } else { c })
        .collect();
    match parse_column(&filled) {
        Values::Text(_) => parse_column(&plain),
        numbers => numbers,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn of(text: &str, id: Option<&str>) -> Result<Table, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        std::fs::write(&path, text).unwrap();
        read(&path, id)
    }

    #[test]
    fn tables_of_cellprofiler_and_imagej_are_read() {
        let table = of(
            "\u{feff}ImageNumber,ObjectNumber,AreaShape_Area,Note\r\n1,1,12.5,\"a, \"\"b\"\"\"\r\n1,2,,x\r\n",
            Some("ObjectNumber"),
        )
        .unwrap();
        let names: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["label_id", "ImageNumber", "AreaShape_Area", "Note"]);
        assert_eq!(table.columns[0].values, Values::Int(vec![1, 2]));
        assert!(matches!(&table.columns[2].values, Values::Float(v) if v[1].is_nan()));
        assert_eq!(
            table.columns[3].values,
            Values::Text(vec!["a, \"b\"".into(), "x".into()])
        );
        let table = of(" ,Area\n1,5\n", None).unwrap();
        assert_eq!(table.columns[0].name, "column_1");
        // No object is a result, too.
        assert_eq!(of("label_id,area\n", None).unwrap().rows(), 0);
    }

    #[test]
    fn what_is_no_table_is_refused() {
        for (text, id, word) in [
            ("", None, "empty"),
            ("a,b\n1\n", None, "1"),
            ("a,a\n1,2\n", None, "`a`"),
            ("a\n1\n", Some("b"), "no column `b`"),
            ("a\nx\n", Some("a"), "no whole numbers"),
            ("a,label_id\n1,2\n", Some("a"), "beside"),
        ] {
            let error = of(text, id).unwrap_err();
            assert!(error.contains(word), "{text:?}: {error}");
        }
    }
}
