//! Reading rows: columns in the order of their SELECT list, JSON columns, lists of words.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};
use rusqlite::{Row, ToSql};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Takes the columns of a row one after the other. Names are not looked up: with thirty columns
/// that costs more than the row itself.
pub(crate) struct Columns<'r, 's> {
    row: &'r Row<'s>,
    next: usize,
}

impl<'r, 's> Columns<'r, 's> {
    pub(crate) fn of(row: &'r Row<'s>) -> Self {
        Self { row, next: 0 }
    }

    pub(crate) fn next<T: FromSql>(&mut self) -> rusqlite::Result<T> {
        let index = self.next;
        self.next += 1;
        self.row.get(index)
    }

    pub(crate) fn json<T: DeserializeOwned>(&mut self) -> rusqlite::Result<T> {
        self.next::<Json<T>>().map(|json| json.0)
    }

    pub(crate) fn optional_json<T: DeserializeOwned>(&mut self) -> rusqlite::Result<Option<T>> {
        Ok(self.next::<Option<Json<T>>>()?.map(|json| json.0))
    }

    pub(crate) fn time(&mut self) -> rusqlite::Result<jiff::Timestamp> {
        self.next().map(crate::clock::timestamp)
    }

    pub(crate) fn optional_time(&mut self) -> rusqlite::Result<Option<jiff::Timestamp>> {
        Ok(self.next::<Option<i64>>()?.map(crate::clock::timestamp))
    }

    pub(crate) fn path(&mut self) -> rusqlite::Result<std::path::PathBuf> {
        self.next().map(crate::paths::path)
    }

    pub(crate) fn optional_path(&mut self) -> rusqlite::Result<Option<std::path::PathBuf>> {
        Ok(self.next::<Option<Vec<u8>>>()?.map(crate::paths::path))
    }
}

/// A value that is stored as JSON text.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: Serialize> ToSql for Json<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        serde_json::to_string(&self.0)
            .map(ToSqlOutput::from)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
    }
}

impl<T: DeserializeOwned> FromSql for Json<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        serde_json::from_str(value.as_str()?)
            .map(Json)
            .map_err(FromSqlError::other)
    }
}

/// `LIKE` pattern that finds `text` anywhere, with `\` as the escape character.
pub(crate) fn like(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}
