//! Rows of tables.

use std::borrow::Cow;
use std::cmp::Ordering;

use image_io::table::{Column, Table, Values};
use report::export::{Format, Options, write_table};
use serde_json::{Value, json};
use viewer::{Answer, Refusal, TableFormat};

use crate::error::{later, missing};

/// Some rows of a table in a form.
pub fn rows(
    table: &Table,
    name: &str,
    columns: &[String],
    order: Option<(&str, bool)>,
    (from, limit): (usize, usize),
    format: TableFormat,
) -> Result<Answer, Refusal> {
    let total = table.rows();
    let column = |wanted: &str| {
        table.column(wanted).ok_or_else(|| {
            missing(
                format!("the table `{name}` has no column `{wanted}`"),
                "see its columns: ask for the table without `columns` and `sort`",
            )
        })
    };
    let chosen: Vec<&Column> = if columns.is_empty() {
        table.columns.iter().collect()
    } else {
        columns
            .iter()
            .map(|wanted| column(wanted))
            .collect::<Result<_, _>>()?
    };
    let end = total.min(from.saturating_add(limit));
    let from = from.min(end);
    let picked: Vec<usize> = match order {
        None => (from..end).collect(),
        Some((by, descending)) => sorted(&column(by)?.values, descending)[from..end].to_vec(),
    };
    let meta = json!({ "total": total, "next": (end < total).then_some(end) });
    let bytes = match format {
        TableFormat::Json => json_rows(&chosen, &picked, total, from, &meta["next"])
            .to_string()
            .into_bytes(),
        TableFormat::Csv => file(&chosen, &picked, Format::Csv)?,
        TableFormat::Tsv => file(&chosen, &picked, Format::Tsv)?,
        TableFormat::Xlsx => file(&chosen, &picked, Format::Xlsx)?,
        TableFormat::Parquet => file(&chosen, &picked, Format::Parquet)?,
    };
    Ok(Answer {
        kind: format.media_type().to_owned(),
        bytes,
        meta,
    })
}

/// Row numbers in the order of a column; equal ones, and those that are not a number at the end, as they stand.
fn sorted(values: &Values, descending: bool) -> Vec<usize> {
    let turned = |order: Ordering| if descending { order.reverse() } else { order };
    let mut rows: Vec<usize> = (0..values.len()).collect();
    match values {
        Values::Int(v) => rows.sort_by(|a, b| turned(v[*a].cmp(&v[*b]))),
        Values::Text(v) => rows.sort_by(|a, b| turned(v[*a].cmp(&v[*b]))),
        Values::Float(v) => rows.sort_by(|a, b| {
            let (a, b) = (v[*a], v[*b]);
            a.is_nan()
                .cmp(&b.is_nan())
                .then_with(|| turned(a.partial_cmp(&b).unwrap_or(Ordering::Equal)))
        }),
    }
    rows
}

fn json_rows(
    columns: &[&Column],
    rows: &[usize],
    total: usize,
    from: usize,
    next: &Value,
) -> Value {
    let described: Vec<Value> = columns
        .iter()
        .map(|column| {
            let kind = match column.values {
                Values::Int(_) => "int",
                Values::Float(_) => "float",
                Values::Text(_) => "text",
            };
            json!({ "name": column.name, "type": kind, "visible": column.visible })
        })
        .collect();
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| {
            let cells = columns.iter().map(|column| match &column.values {
                Values::Int(v) => json!(v[*row]),
                // JSON has no infinities and nothing that is not a number: null.
                Values::Float(v) => json!(v[*row]),
                Values::Text(v) => json!(v[*row]),
            });
            Value::Array(cells.collect())
        })
        .collect();
    json!({ "columns": described, "rows": rows, "total": total, "from": from, "next": next })
}

/// The rows as a file, made as exports are.
fn file(columns: &[&Column], rows: &[usize], format: Format) -> Result<Vec<u8>, Refusal> {
    let whole = |values: &Values| {
        rows.len() == values.len() && rows.iter().enumerate().all(|(i, r)| i == *r)
    };
    let columns = columns
        .iter()
        .map(|column| {
            let values = match &column.values {
                v if whole(v) => Cow::Borrowed(v),
                Values::Int(v) => Cow::Owned(Values::Int(rows.iter().map(|r| v[*r]).collect())),
                Values::Float(v) => Cow::Owned(Values::Float(rows.iter().map(|r| v[*r]).collect())),
                Values::Text(v) => {
                    Cow::Owned(Values::Text(rows.iter().map(|r| v[*r].clone()).collect()))
                }
            };
            Column {
                name: column.name.clone(),
                values: values.into_owned(),
                visible: column.visible,
            }
        })
        .collect();
    let folder =
        tempfile::tempdir().map_err(|e| later(format!("cannot make a temporary folder: {e}")))?;
    let options = Options {
        formats: vec![format],
        decimals: None,
    };
    let written = write_table(folder.path(), "table", &Table { columns }, &options)
        .map_err(|error| later(error.to_string()))?;
    match written.first().map(std::fs::read) {
        Some(Ok(bytes)) => Ok(bytes),
        Some(Err(error)) => Err(later(error.to_string())),
        None => Err(later("no file was written")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn table() -> Table {
        Table {
            columns: vec![
                Column::int("label", vec![1, 2, 3, 4]),
                Column::float("area", vec![7.5, f64::NAN, 2.0, f64::INFINITY]),
                Column::text("name", ["a,b", "c", "d", "e"].map(str::to_owned).to_vec()),
            ],
        }
    }

    fn json_of(order: Option<(&str, bool)>, page: (usize, usize)) -> Value {
        let answer = rows(&table(), "t", &[], order, page, TableFormat::Json).unwrap();
        serde_json::from_slice(&answer.bytes).unwrap()
    }

    #[test]
    fn pages_and_orders() {
        let all = json_of(None, (0, 100));
        assert_eq!(all["total"], 4);
        assert_eq!(all["rows"][1], json!([2, null, "c"]));
        assert_eq!(
            all["columns"][1],
            json!({ "name": "area", "type": "float", "visible": true })
        );
        let labels = |value: Value| -> Vec<i64> {
            value["rows"]
                .as_array()
                .unwrap()
                .iter()
                .map(|r| r[0].as_i64().unwrap())
                .collect()
        };
        assert_eq!(labels(json_of(None, (1, 2))), [2, 3]);
        assert_eq!(labels(json_of(Some(("area", false)), (0, 9))), [3, 1, 4, 2]);
        assert_eq!(
            labels(json_of(Some(("area", true)), (0, 9))),
            [4, 1, 3, 2],
            "not a number is last in both"
        );
        assert_eq!(labels(json_of(Some(("name", true)), (3, 9))), [1]);
        assert!(labels(json_of(None, (9, 9))).is_empty());
    }

    #[test]
    fn columns_are_chosen_and_missing_ones_told() {
        let wanted = ["area".to_owned()];
        let answer = rows(&table(), "t", &wanted, None, (0, 1), TableFormat::Csv).unwrap();
        assert_eq!(
            String::from_utf8(answer.bytes).unwrap().replace('\r', ""),
            "area\n7.5\n"
        );
        assert_eq!(answer.meta, json!({ "total": 4, "next": 1 }));
        let refusal = rows(
            &table(),
            "t",
            &["x".to_owned()],
            None,
            (0, 1),
            TableFormat::Csv,
        )
        .unwrap_err();
        assert!(refusal.detail.contains("no column `x`"), "{refusal:?}");
    }

    #[test]
    fn every_form_has_its_signature() {
        for (format, start) in [
            (TableFormat::Csv, &b"label,area,name"[..]),
            (TableFormat::Tsv, b"label\tarea\tname"),
            (TableFormat::Xlsx, b"PK"),
            (TableFormat::Parquet, b"PAR1"),
        ] {
            let answer = rows(&table(), "t", &[], None, (0, 9), format).unwrap();
            assert!(answer.bytes.starts_with(start), "{format:?}");
        }
    }
}
