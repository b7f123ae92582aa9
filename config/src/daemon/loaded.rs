//! A loaded configuration, with the origin of every value.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use super::DaemonConfig;
use crate::problem::Problem;

/// Who set an option.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A file.
    File {
        /// Which.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// An environment variable of this name.
    Env(String),
    /// The command line.
    Flag,
    /// Nobody.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Env(variable) => write!(f, "environment {variable}"),
            Self::Flag => f.write_str("command line"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A configuration that was loaded and is valid.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration, with absolute or current-folder-relative paths.
    pub config: DaemonConfig,
    /// Who set each option; the key is dotted, `root[0].path`.
    pub origins: BTreeMap<String, Origin>,
    /// What can be used but is probably not meant.
    pub warnings: Vec<Problem>,
    /// The files that were read, in their order.
    pub files: Vec<PathBuf>,
}

/// One line of `wellspring config show`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// Dotted key.
    pub key: String,
    /// The value as it would be written in TOML; `unset` where the option is not set and has no default.
    pub value: String,
    /// Who set it.
    pub origin: Origin,
}

impl Loaded {
    /// Every option with its value and its origin, sorted by key.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        let table = toml::Value::try_from(&self.config).ok();
        let entry = |(key, origin): (&String, &Origin)| {
            let value = table
                .as_ref()
                .and_then(|table| lookup(table, key))
                .map_or_else(|| "unset".to_owned(), ToString::to_string);
            Entry {
                key: key.clone(),
                value,
                origin: origin.clone(),
            }
        };
        self.origins.iter().map(entry).collect()
    }
}

fn lookup<'t>(table: &'t toml::Value, key: &str) -> Option<&'t toml::Value> {
    key.split('.')
        .try_fold(table, |value, part| match part.split_once('[') {
            Some((list, index)) => value
                .get(list)?
                .get(index.strip_suffix(']')?.parse::<usize>().ok()?),
            None => value.get(part),
        })
}
