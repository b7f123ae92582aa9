//! Several sources on top of each other, and who said what.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::DaemonConfig;
use super::loaded::Origin;
use crate::problem::{Location, Place, Problem};
use crate::schema;

/// The sources so far. Scalars and lists are replaced, `[[root]]` and `[[notify]]` blocks are added.
#[derive(Debug, Default)]
pub(super) struct Merged {
    pub(super) table: toml::Table,
    /// Where each key was written, sections and elements of lists included.
    places: BTreeMap<String, Place>,
}

/// Lists of blocks.
const BLOCKS: [&str; 2] = ["root", "notify"];

impl Merged {
    /// Lays a file on top.
    pub(super) fn add_file(
        &mut self,
        path: &Path,
        table: toml::Table,
        spots: &BTreeMap<String, Location>,
    ) {
        let before = BLOCKS.map(|list| (list, self.count(list)));
        for (key, location) in spots {
            // The numbers of the blocks go on where the files before have stopped.
            let key = before
                .iter()
                .find_map(|(list, count)| renumbered(key, list, *count))
                .unwrap_or_else(|| key.clone());
            self.places.insert(
                key,
                Place::File(Location {
                    file: Some(path.to_owned()),
                    ..location.clone()
                }),
            );
        }
        lay_over(&mut self.table, table);
    }

    /// Lays a single option on top.
    pub(super) fn add_setting(&mut self, table: toml::Table, place: &Place) {
        for (key, value) in &table {
            match value {
                toml::Value::Table(section) => section.keys().for_each(|name| {
                    drop(self.places.insert(format!("{key}.{name}"), place.clone()));
                }),
                _ => drop(self.places.insert(key.clone(), place.clone())),
            }
        }
        lay_over(&mut self.table, table);
    }

    fn count(&self, list: &str) -> usize {
        self.table
            .get(list)
            .and_then(toml::Value::as_array)
            .map_or(0, Vec::len)
    }

    /// The folder against which a relative path in `key` is meant: that of its file, else the current one.
    pub(super) fn folder_of(&self, key: &str) -> PathBuf {
        match self.places.get(key) {
            Some(Place::File(Location {
                file: Some(file), ..
            })) => file.parent().unwrap_or(Path::new("")).to_owned(),
            _ => PathBuf::new(),
        }
    }

    /// Says where the value that a problem is about was written: the key itself, or the nearest section around it.
    pub(super) fn placed(&self, problem: Problem) -> Problem {
        let mut key = problem.key.as_str();
        loop {
            if let Some(place) = self.places.get(key) {
                let place = place.clone();
                return problem.at(place);
            }
            match key.rfind(['.', '[']) {
                Some(end) => key = &key[..end],
                None => return problem,
            }
        }
    }

    /// The origin of every option of `config`, defaults included.
    pub(super) fn into_origins(self, config: &DaemonConfig) -> BTreeMap<String, Origin> {
        let mut keys = Vec::new();
        for option in schema::options(schema::daemon()) {
            match option.key.strip_prefix("root[].") {
                Some(name) => {
                    let shown =
                        config.roots.iter().enumerate().filter(|(_, root)| {
                            root.layout.is_some() || !name.starts_with("layout.")
                        });
                    keys.extend(shown.map(|(i, _)| format!("root[{i}].{name}")));
                }
                None if option.key.starts_with("notify[].") => {
                    let name = &option.key["notify[].".len()..];
                    let shown = config
                        .recipients
                        .iter()
                        .enumerate()
                        .filter(|(_, who)| who.email.is_some() || !name.starts_with("email."));
                    keys.extend(shown.map(|(i, _)| format!("notify[{i}].{name}")));
                }
                None => keys.push(option.key),
            }
        }
        keys.into_iter()
            .map(|key| {
                let origin = match self.places.get(&key) {
                    Some(Place::File(location)) => Origin::File {
                        path: location.file.clone().unwrap_or_default(),
                        line: location.line,
                    },
                    Some(Place::Environment(variable)) => Origin::Env(variable.clone()),
                    Some(Place::Flag) => Origin::Flag,
                    Some(Place::Whole) | None => Origin::Default,
                };
                (key, origin)
            })
            .collect()
    }
}

fn renumbered(key: &str, list: &str, offset: usize) -> Option<String> {
    let (index, rest) = key.strip_prefix(list)?.strip_prefix('[')?.split_once(']')?;
    Some(format!(
        "{list}[{}]{rest}",
        index.parse::<usize>().ok()? + offset
    ))
}

fn lay_over(below: &mut toml::Table, above: toml::Table) {
    for (key, value) in above {
        match (below.get_mut(&key), value) {
            (Some(toml::Value::Table(old)), toml::Value::Table(new)) => lay_over(old, new),
            (Some(toml::Value::Array(old)), toml::Value::Array(new))
                if BLOCKS.contains(&key.as_str()) =>
            {
                old.extend(new);
            }
            (_, value) => drop(below.insert(key, value)),
        }
    }
}
