//! The table of objects: a part of it, sorted, with links to the other parts and to files.

use serde::Deserialize;
use serde_json::Value;
use viewer::{Ask, TableFormat};

use super::super::show::{encode, number};
use super::address::Address;
use super::contents::{Contents, TableOf};

/// Rows on one page.
pub(super) const ROWS: usize = 100;

/// A part of a table.
#[derive(Clone, Debug, Deserialize)]
struct Part {
    columns: Vec<Column>,
    rows: Vec<Vec<Value>>,
    total: usize,
    from: usize,
    next: Option<usize>,
}

#[derive(Clone, Debug, Deserialize)]
struct Column {
    name: String,
    #[serde(rename = "type")]
    kind: String,
}

/// The table of objects, as it is shown.
pub(in crate::page) struct Objects {
    pub columns: Vec<ColumnItem>,
    pub rows: Vec<Vec<String>>,
    /// Which rows of how many.
    pub count: String,
    pub first: Option<String>,
    pub previous: Option<String>,
    pub next: Option<String>,
}

/// A column's head.
pub(in crate::page) struct ColumnItem {
    pub name: String,
    pub is_number: bool,
    /// `ascending`, `descending`, or empty.
    pub order: &'static str,
    /// The same page, sorted by it; the other way if it is sorted by it.
    pub sorted: String,
}

/// A table that can be chosen.
pub(in crate::page) struct TableChoice {
    pub name: String,
    /// The label image of its objects; empty if it has none.
    pub labels: String,
    pub is_selected: bool,
}

/// The tables to choose from, those of objects first, and the chosen one.
pub(super) fn choices(
    contents: &Contents,
    address: &Address,
) -> (Vec<TableChoice>, Option<TableOf>) {
    let mut tables: Vec<&TableOf> = contents.tables.iter().collect();
    tables.sort_by_key(|table| table.labels.is_none());
    let asked = address.get("table");
    let chosen = tables
        .iter()
        .find(|table| table.name == asked)
        .or(tables.first())
        .map(|table| (*table).clone());
    let choices = tables
        .into_iter()
        .map(|table| TableChoice {
            name: table.name.clone(),
            labels: table.labels.clone().unwrap_or_default(),
            is_selected: chosen.as_ref().is_some_and(|one| one.name == table.name),
        })
        .collect();
    (choices, chosen)
}

/// What to ask for the part that the address names.
pub(super) fn ask(name: &str, address: &Address) -> Ask {
    let sort = address.get("sort");
    Ask::Table {
        name: name.to_owned(),
        columns: Vec::new(),
        descending: sort.starts_with('-'),
        sort: Some(sort.trim_start_matches('-'))
            .filter(|column| !column.is_empty())
            .map(str::to_owned),
        from: address.get("after").parse().unwrap_or(0),
        limit: ROWS,
        format: TableFormat::Json,
    }
}

/// Files of a whole table: (what the link says, where it leads).
pub(super) fn files(image_set: i64, table: &str) -> Vec<(&'static str, String)> {
    [
        ("CSV", TableFormat::Csv),
        ("XLSX", TableFormat::Xlsx),
        ("Parquet", TableFormat::Parquet),
    ]
    .into_iter()
    .map(|(word, format)| {
        let (name, format) = (encode(table), format.word());
        let address = format!("/api/v1/image-sets/{image_set}/tables/{name}?format={format}");
        (word, address)
    })
    .collect()
}

impl Objects {
    /// From the answer to [`ask`].
    pub(super) fn new(json: &[u8], address: &Address) -> serde_json::Result<Self> {
        let part: Part = serde_json::from_slice(json)?;
        let sort = address.get("sort");
        let page = |after: usize| {
            let after = if after == 0 {
                String::new()
            } else {
                after.to_string()
            };
            format!("{}#objects", address.with(&[("after", &after)]))
        };
        let columns: Vec<ColumnItem> = part
            .columns
            .into_iter()
            .map(|column| {
                let order = match sort.strip_prefix('-') {
                    Some(name) if name == column.name => "descending",
                    None if sort == column.name => "ascending",
                    _ => "",
                };
                let next = match order {
                    "ascending" => format!("-{}", column.name),
                    _ => column.name.clone(),
                };
                let sorted = address.with(&[("sort", &next), ("after", "")]);
                ColumnItem {
                    is_number: column.kind != "text",
                    order,
                    sorted: format!("{sorted}#objects"),
                    name: column.name,
                }
            })
            .collect();
        let last = part.from + part.rows.len();
        let total = number(part.total as u64);
        Ok(Self {
            columns,
            count: match part.rows.len() {
                0 => format!("no rows of {total}"),
                _ => format!(
                    "rows {} to {} of {total}",
                    number(part.from as u64 + 1),
                    number(last as u64)
                ),
            },
            rows: part
                .rows
                .iter()
                .map(|row| row.iter().map(cell).collect())
                .collect(),
            first: (part.from > ROWS).then(|| page(0)),
            previous: (part.from > 0).then(|| page(part.from.saturating_sub(ROWS))),
            next: part.next.map(page),
        })
    }
}

/// A value as people read it: six digits are enough to compare. The page's script writes them the same way.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(n) if n.is_f64() => n.as_f64().map(six_digits).unwrap_or_default(),
        other => other.to_string(),
    }
}

fn six_digits(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-4..1e9).contains(&size) {
        return format!("{value:.3e}");
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the logarithm of a number between 1e-4 and 1e9"
    )]
    let whole = if size < 1.0 {
        0
    } else {
        size.log10().floor() as i32
    };
    let decimals = usize::try_from(5 - whole).unwrap_or(0);
    let text = format!("{value:.decimals$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::contents::tests::contents;
    use super::*;
    use serde_json::json;

    fn address(pairs: &[(&str, &str)]) -> Address {
        let pairs = pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Address::new("/s".into(), pairs.collect())
    }

    #[test]
    fn numbers_have_six_digits() {
        for (value, text) in [
            (0.0, "0"),
            (231.0, "231"),
            (-0.5, "-0.5"),
            (1.0 / 3.0, "0.33333"),
            (1_234.567_89, "1234.57"),
            (1_234_567.8, "1234568"),
            (1e-7, "1.000e-7"),
            (2.5e12, "2.500e12"),
        ] {
            assert_eq!(six_digits(value), text);
        }
        assert_eq!(cell(&Value::Null), "–");
        assert_eq!(cell(&json!(17)), "17");
    }

    #[test]
    fn tables_of_objects_come_first() {
        let (all, chosen) = choices(&contents(), &address(&[]));
        assert_eq!(chosen.unwrap().name, "cells/objects");
        assert_eq!(all.len(), 2);
        let (all, chosen) = choices(&contents(), &address(&[("table", "default")]));
        assert_eq!(chosen.unwrap().name, "default");
        assert!(all[1].is_selected && !all[0].is_selected);
    }

    #[test]
    fn a_part_links_to_the_others() {
        let address = address(&[("sort", "-area"), ("after", "100")]);
        let Ask::Table {
            sort,
            descending,
            from,
            limit,
            ..
        } = ask("t", &address)
        else {
            panic!("not a table");
        };
        assert_eq!((sort.as_deref(), descending), (Some("area"), true));
        assert_eq!((from, limit), (100, 100));
        let json = json!({
            "columns": [{ "name": "label_id", "type": "int" }, { "name": "area", "type": "float" }],
            "rows": [[7, 2.5]], "total": 1000, "from": 100, "next": 101,
        });
        let objects = Objects::new(json.to_string().as_bytes(), &address).unwrap();
        assert_eq!(objects.count, "rows 101 to 101 of 1\u{2009}000");
        assert_eq!(objects.rows, [["7", "2.5"]]);
        assert_eq!(objects.columns[1].order, "descending");
        assert_eq!(objects.columns[1].sorted, "/s?sort=area#objects");
        assert_eq!(objects.columns[0].sorted, "/s?sort=label_id#objects");
        assert_eq!(objects.previous.unwrap(), "/s?sort=-area#objects");
        assert_eq!(objects.next.unwrap(), "/s?sort=-area&after=101#objects");
    }
}
