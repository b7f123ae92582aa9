//! One TOML text: read, parsed, checked against a type, with every mistake placed.

mod hidden;
mod key_path;
mod mistakes;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

pub(crate) use key_path::KeyPath;

use crate::error::ConfigError;
use crate::problem::{Location, Place, Problem};
use crate::schema;

/// A configuration larger than this is some other file.
const MAX_BYTES: u64 = 1 << 20;

/// Longest part of a line that is quoted, in characters.
const MAX_EXCERPT: usize = 200;

/// Columns are counted up to here.
const MAX_COLUMN: usize = 1000;

/// A TOML text and where it came from.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) file: Option<PathBuf>,
    text: String,
    /// Where each line begins; never empty.
    line_starts: Vec<usize>,
}

/// A text that fits its type.
#[derive(Debug)]
pub(crate) struct Checked<T> {
    /// The typed value.
    pub(crate) typed: T,
    /// What is written in the text, and nothing else.
    pub(crate) table: toml::Table,
    /// Where each key (and each element of an array of tables) is written.
    pub(crate) spots: BTreeMap<String, Location>,
}

impl Document {
    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<Self, ConfigError> {
        let failed = |source| ConfigError::Read {
            path: path.to_owned(),
            source,
        };
        let file = std::fs::File::open(path).map_err(failed)?;
        let mut bytes = Vec::new();
        file.take(MAX_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(failed)?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(failed(std::io::Error::new(
                std::io::ErrorKind::InvalidData,
                format!(
                    "it is larger than {} MiB, so it is no configuration",
                    MAX_BYTES >> 20
                ),
            )));
        }
        let text = String::from_utf8(bytes).map_err(|e| {
            let line = e.as_bytes()[..e.utf8_error().valid_up_to()]
                .iter()
                .filter(|b| **b == b'\n')
                .count()
                + 1;
            failed(std::io::Error::new(
                std::io::ErrorKind::InvalidData,
                format!("line {line} is not UTF-8 text"),
            ))
        })?;
        Ok(Self::new(Some(path.to_owned()), text))
    }

    /// Takes a text that is in no file.
    pub(crate) fn from_text(text: impl Into<String>) -> Self {
        Self::new(None, text.into())
    }

    fn new(file: Option<PathBuf>, text: String) -> Self {
        let line_starts = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(i, _)| i + 1))
            .collect();
        Self {
            file,
            text,
            line_starts,
        }
    }

    /// Line, column and the quoted line of a range of bytes. The work does not grow with the size of the text, so a
    /// text with very many keys is no trap.
    pub(crate) fn location(&self, span: &Range<usize>) -> Location {
        let start = self.char_start(span.start);
        let end = self.char_start(span.end).max(start);
        let line = self.line_starts.partition_point(|first| *first <= start);
        let line_start = self.line_starts[line - 1];
        let line_end = self
            .line_starts
            .get(line)
            .map_or(self.text.len(), |next| next - 1);
        // No more of the line than is quoted: it may be as long as the text, and every key asks for its place.
        let quoted_end = self.char_start(line_end.min(line_start + 4 * MAX_EXCERPT));
        let quoted = &self.text[line_start..quoted_end];
        let quoted = self.without_secrets(quoted, line);
        let excerpt: String = quoted
            .trim_end_matches('\r')
            .chars()
            .take(MAX_EXCERPT)
            .collect();
        let column = self.text[line_start..start]
            .chars()
            .take(MAX_COLUMN)
            .count();
        // A span can reach over the end of its line (a missing quote): mark no more than the line, and no more than is
        // quoted.
        let marked = self.text[start..end.min(line_end).max(start)]
            .chars()
            .take(MAX_EXCERPT)
            .count();
        let visible = excerpt.chars().count().saturating_sub(column);
        Location {
            file: self.file.clone(),
            line,
            column: column + 1,
            excerpt,
            width: marked.min(visible).max(1),
        }
    }

    /// A line (from 1) with an ellipsis in place of what may be a secret.
    fn without_secrets<'t>(&'t self, quoted: &'t str, line: usize) -> Cow<'t, str> {
        // The beginning of a line says what it is; the rest may be very long.
        const BEGINNING: usize = 100;
        let above = (0..line - 1).rev().map(|above| {
            let start = self.line_starts[above];
            let end = (self.line_starts[above + 1] - 1).min(start + BEGINNING);
            &self.text[start..self.char_start(end)]
        });
        match hidden::visible(quoted, above) {
            Some(end) => Cow::Owned(format!("{} …", &quoted[..end])),
            None => Cow::Borrowed(quoted),
        }
    }

    /// The start of the character at or before an offset.
    fn char_start(&self, offset: usize) -> usize {
        let mut start = offset.min(self.text.len());
        while !self.text.is_char_boundary(start) {
            start -= 1;
        }
        start
    }

    /// Checks the text against `T`, whose schema is given, and finds as many mistakes as it can.
    pub(crate) fn check<T: DeserializeOwned>(
        &self,
        schema: &Value,
    ) -> Result<Checked<T>, Vec<Problem>> {
        let (root, syntax) = DeTable::parse_recoverable(&self.text);
        if !syntax.is_empty() {
            return Err(syntax
                .iter()
                .take(mistakes::MAX_MISTAKES)
                .map(|e| self.syntax_problem(e))
                .collect());
        }
        let mut spots = BTreeMap::new();
        let mut mistakes = mistakes::Mistakes::new(self, root.clone());
        self.note_spots(root.get_ref(), &KeyPath::root(), &mut spots);
        let unknown = schema::unknown_keys(schema, root.get_ref());
        for unknown in unknown.into_iter().take(mistakes::MAX_MISTAKES) {
            mistakes.add_and_repair(unknown);
        }
        match mistakes.collect::<T>() {
            Ok(typed) => match toml::Table::deserialize(Deserializer::from(root)) {
                Ok(table) => Ok(Checked {
                    typed,
                    table,
                    spots,
                }),
                Err(e) => Err(vec![self.syntax_problem(&e)]),
            },
            Err(problems) => Err(problems),
        }
    }

    fn syntax_problem(&self, error: &toml::de::Error) -> Problem {
        let problem = Problem::error("", format!("not valid TOML: {}", error.message()));
        match error.span() {
            Some(span) => problem.at(Place::File(self.location(&span))),
            None => problem,
        }
    }

    fn note_spots(
        &self,
        table: &DeTable<'_>,
        at: &KeyPath,
        spots: &mut BTreeMap<String, Location>,
    ) {
        for (key, value) in table {
            let path = at.key(key.get_ref());
            spots.insert(path.to_string(), self.location(&key.span()));
            match value.get_ref() {
                DeValue::Table(inner) => self.note_spots(inner, &path, spots),
                DeValue::Array(items) => {
                    for (i, item) in items.iter().enumerate() {
                        let path = path.index(i);
                        spots.insert(path.to_string(), self.location(&item.span()));
                        if let DeValue::Table(inner) = item.get_ref() {
                            self.note_spots(inner, &path, spots);
                        }
                    }
                }
                _ => {}
            }
        }
    }
}

/// A mistake in a parsed text: where in the tree, where in the text, and what.
pub(crate) struct Mistake {
    pub(crate) path: KeyPath,
    pub(crate) span: Range<usize>,
    pub(crate) message: String,
    pub(crate) remedy: Option<String>,
    /// For a key that is missing: the key and some text that fits, so that the search for mistakes can go on.
    pub(crate) stand_in: Option<(String, String)>,
}

/// A parsed text.
type Tree<'i> = Spanned<DeTable<'i>>;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn problems(text: &str) -> Vec<Problem> {
        Document::from_text(text)
            .check::<crate::DaemonConfig>(schema::daemon())
            .unwrap_err()
    }

    #[test]
    fn every_mistake_of_a_file_is_reported_at_once() {
        let text = r#"
[server]
listn = "127.0.0.1:1"
max_body = 12
[workers]
count = "many"
lease_secs = -1
[log]
format = "jsn"
[[root]]
path = "/a"
output = "/b"
workflow = "w"
mode = "natve"
settle_secs = "5"
[[root]]
path = "/c"
"#;
        let said: Vec<String> = problems(text)
            .iter()
            .map(|p| format!("{}: {}", p.key, p.message))
            .collect();
        for expected in [
            "server.listn: ",
            "server.max_body: ",
            "workers.count: ",
            "workers.lease_secs: ",
            "log.format: ",
            "root[0].mode: ",
            "root[0].settle_secs: ",
            "root[1]: ",
        ] {
            assert!(
                said.iter().any(|s| s.starts_with(expected)),
                "{expected} is missing in {said:#?}"
            );
        }
        assert!(
            said.iter().any(|s| s.contains("`output`"))
                && said.iter().any(|s| s.contains("`workflow`")),
            "{said:#?}"
        );
        assert_eq!(said.len(), 9, "{said:#?}");
    }

    #[test]
    fn syntax_errors_are_placed() {
        let found = problems("[server\nlisten = 1\n");
        assert!(
            found[0].to_string().contains("line 1, column"),
            "{}",
            found[0]
        );
        assert!(!problems("a = \n b = [1,\n").is_empty());
    }

    #[test]
    fn a_span_over_the_end_of_the_text_is_harmless() {
        let document = Document::from_text("é = \"x\r\nb\n");
        for start in 0..14 {
            for end in 0..14 {
                let location = document.location(&(start..end));
                assert!(location.column >= 1 && location.width >= 1);
            }
        }
    }

    #[test]
    fn a_file_that_is_not_text_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.toml");
        std::fs::write(&path, b"a = 1\nb = \"\xff\"\n").unwrap();
        let error = Document::read(&path).unwrap_err().to_string();
        assert!(
            error.contains("a.toml") && error.contains("line 2"),
            "{error}"
        );
        assert!(Document::read(dir.path()).is_err());
    }
}
