//! One mistake in a configuration, placed and explained.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

/// Whether a problem stops the daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Severity {
    /// The configuration cannot be used.
    Error,
    /// It can be used, but is probably not what was meant.
    Warning,
}

/// A position in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Location {
    /// The file; `None` for text that came from elsewhere (an HTTP body, a test).
    pub file: Option<PathBuf>,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The text of that line.
    pub excerpt: String,
    /// How many characters of it are meant, at least 1.
    pub width: usize,
}

/// Where a value was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Place {
    /// In a file.
    File(Location),
    /// In an environment variable of this name.
    Environment(String),
    /// On the command line.
    Flag,
    /// Nowhere: a default, or a statement about the configuration as a whole.
    Whole,
}

/// One mistake: where, what, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Whether it stops the daemon.
    pub severity: Severity,
    /// Where the value was written.
    pub place: Place,
    /// Dotted key, for example `root[0].settle_secs`; empty for the whole file.
    pub key: String,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// What to do about it.
    pub remedy: Option<String>,
}

impl Problem {
    /// An error about `key`.
    pub(crate) fn error(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            place: Place::Whole,
            key: key.into(),
            message: message.into(),
            remedy: None,
        }
    }

    /// A warning about `key`.
    pub(crate) fn warning(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(key, message)
        }
    }

    /// Adds what to do.
    pub(crate) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Says where.
    pub(crate) fn at(mut self, place: Place) -> Self {
        self.place = place;
        self
    }

    /// Whether it stops the daemon.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => write!(f, "{}:{}:{}", file.display(), self.line, self.column),
            None => write!(f, "line {}, column {}", self.line, self.column),
        }
    }
}

/// The message, the place with the line and a caret, and a `hint:` line; no newline at the end.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.place {
            Place::File(location) => {
                write!(f, "\n  --> {location}")?;
                if !self.key.is_empty() {
                    write!(f, ", `{}`", self.key)?;
                }
                let number = location.line.to_string();
                let gutter = " ".repeat(number.len());
                // Tabs are kept in the padding, so that the caret stands under its character in any terminal.
                let padding: String = location
                    .excerpt
                    .chars()
                    .take(location.column - 1)
                    .map(|c| if c == '\t' { '\t' } else { ' ' })
                    .collect();
                write!(
                    f,
                    "\n {gutter} |\n {number} | {}\n {gutter} | {padding}{}",
                    location.excerpt,
                    "^".repeat(location.width)
                )?;
            }
            Place::Environment(variable) => write!(f, "\n  --> environment variable {variable}")?,
            Place::Flag => write!(f, "\n  --> command line, `{}`", self.key)?,
            Place::Whole if self.key.is_empty() => {}
            Place::Whole => write!(f, "\n  --> `{}`", self.key)?,
        }
        match &self.remedy {
            Some(remedy) => write!(f, "\nhint: {remedy}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_under_the_key() {
        let location = Location {
            file: Some("a.toml".into()),
            line: 12,
            column: 3,
            excerpt: "\tésettle = 5".to_owned(),
            width: 6,
        };
        let problem = Problem::error("root[0].settle", "unknown key `settle`")
            .remedy("did you mean `settle_secs`?")
            .at(Place::File(location));
        let expected = "unknown key `settle`\n  --> a.toml:12:3, `root[0].settle`\n    |\n 12 | \tésettle = 5\n    | \t ^^^^^^\nhint: did you mean `settle_secs`?";
        assert_eq!(problem.to_string(), expected);
    }
}
