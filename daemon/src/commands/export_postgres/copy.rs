//! Rows in the text form of PostgreSQL's COPY.

use image_io::table::{Table, Values};
use serde_json::{Map, Value};

/// All values of a row, by column. What is not a number is null: JSON knows neither NaN nor infinity.
pub(super) fn values(table: &Table, row: usize) -> Value {
    let cells = table.columns.iter().map(|column| {
        let value = match &column.values {
            Values::Int(v) => Value::from(v[row]),
            Values::Float(v) => Value::from(v[row]),
            Values::Text(v) => Value::from(v[row].as_str()),
        };
        (column.name.clone(), value)
    });
    Value::Object(cells.collect::<Map<_, _>>())
}

/// The cell of a row as text, if there is such a column.
pub(super) fn text(table: &Table, column: &str, row: usize) -> Option<String> {
    Some(match &table.column(column)?.values {
        Values::Int(v) => v[row].to_string(),
        Values::Float(v) => v[row].to_string(),
        Values::Text(v) => v[row].clone(),
    })
}

/// The cell of a row as a whole number, if there is such a column and it is one.
pub(super) fn integer(table: &Table, column: &str, row: usize) -> Option<i64> {
    match &table.column(column)?.values {
        Values::Int(v) => Some(v[row]),
        // Tables of BatchLib hold labels as real numbers.
        #[allow(clippy::cast_possible_truncation)]
        Values::Float(v) if v[row].fract() == 0.0 && v[row].abs() < 9e15 => Some(v[row] as i64),
        Values::Float(_) | Values::Text(_) => None,
    }
}

/// Appends a line. An absent field is null.
pub(super) fn line(fields: &[Option<&str>], out: &mut String) {
    for (i, field) in fields.iter().enumerate() {
        if i > 0 {
            out.push('\t');
        }
        match field {
            None => out.push_str("\\N"),
            Some(text) => escape(text, out),
        }
    }
    out.push('\n');
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            // No text of PostgreSQL can hold it.
            '\0' => {}
            other => out.push(other),
        }
    }
}

/// A JSON value as text that `jsonb` takes: without the character NUL, which it refuses.
pub(super) fn json(value: &Value) -> String {
    fn clean(value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(text.replace('\0', "")),
            Value::Object(map) => Value::Object(
                map.iter()
                    .map(|(key, value)| (key.replace('\0', ""), clean(value)))
                    .collect(),
            ),
            other => other.clone(),
        }
    }
    let text = value.to_string();
    if text.contains("\\u0000") {
        clean(value).to_string()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use image_io::table::Column;

    use super::*;

    #[test]
    fn fields_are_escaped_and_absent_ones_are_null() {
        let mut out = String::new();
        line(&[Some("a\tb\\N\r\n\0"), None, Some("")], &mut out);
        assert_eq!(out, "a\\tb\\\\N\\r\\n\t\\N\t\n");
    }

    #[test]
    fn values_become_json_and_what_is_no_number_null() {
        let table = Table {
            columns: vec![
                Column::text("site_name", vec!["A01\0".into()]),
                Column::float("mean", vec![f64::NAN]),
                Column::float("label_id", vec![3.0]),
                Column::int("n", vec![-5]),
            ],
        };
        let values = values(&table, 0);
        assert_eq!(
            json(&values),
            r#"{"label_id":3.0,"mean":null,"n":-5,"site_name":"A01"}"#
        );
        assert_eq!(integer(&table, "label_id", 0), Some(3));
        assert_eq!(integer(&table, "mean", 0), None);
        assert_eq!(text(&table, "n", 0).unwrap(), "-5");
        assert_eq!(text(&table, "none", 0), None);
    }
}
