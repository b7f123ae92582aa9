//! Loading: files, then the environment, then the command line.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::loaded::Loaded;
use super::merge::Merged;
use super::{DaemonConfig, environment};
use crate::document::Document;
use crate::error::ConfigError;
use crate::problem::{Place, Problem};
use crate::schema;
use crate::suggest::did_you_mean;

/// From where the configuration is loaded. Later sources win: files in their order, the environment, the command line.
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    /// Files, each of which must exist. `conf.d/*.toml` beside the first is read after it.
    pub files: Vec<PathBuf>,
    /// Environment variables; others than Wellspring's are passed over.
    pub env: Vec<(String, String)>,
    /// Options given on the command line: dotted key and value.
    pub overrides: Vec<(String, toml::Value)>,
}

impl LoadOptions {
    /// Nothing but the defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file.
    #[must_use]
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.files.push(path.into());
        self
    }

    /// Adds environment variables.
    #[must_use]
    pub fn env(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        self.env.extend(variables);
        self
    }

    /// Adds the environment of this process. Variables that are not UTF-8 are passed over.
    #[must_use]
    pub fn process_env(self) -> Self {
        self.env(std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        }))
    }

    /// Adds an option of the command line, for example `set("server.listen", "127.0.0.1:0")`.
    #[must_use]
    pub fn set(mut self, key: impl Into<String>, value: impl Into<toml::Value>) -> Self {
        self.overrides.push((key.into(), value.into()));
        self
    }

    /// Adds an option of the command line that was written as text (`--set workers.count=4`); it is read as in the
    /// environment.
    #[must_use]
    pub fn set_text(self, key: &str, text: &str) -> Self {
        let option = schema::options(schema::daemon())
            .into_iter()
            .find(|option| option.key == key);
        // A text that does not fit is kept as it is: loading then says what is wrong with it.
        let value = option.and_then(|option| environment::value(text, option.kind()).ok());
        self.set(
            key,
            value.unwrap_or_else(|| toml::Value::String(text.to_owned())),
        )
    }
}

impl DaemonConfig {
    /// Loads, merges and validates the configuration.
    ///
    /// # Errors
    /// [`ConfigError::Read`] if a file cannot be read, else [`ConfigError::Invalid`] with every mistake of every source.
    pub fn load(options: LoadOptions) -> Result<Loaded, ConfigError> {
        let LoadOptions {
            files,
            env,
            overrides,
        } = options;
        let files = with_conf_d(&files)?;
        let mut merged = Merged::default();
        let mut problems = Vec::new();
        for path in &files {
            let document = Document::read(path)?;
            match document.check::<Self>(schema::daemon()) {
                Ok(checked) => merged.add_file(path, checked.table, &checked.spots),
                Err(found) => problems.extend(found),
            }
        }
        let environment = environment::read(&env);
        problems.extend(environment.problems);
        for setting in environment.settings {
            set(
                &mut merged,
                &mut problems,
                &setting.key,
                setting.value,
                Place::Environment(setting.variable),
            );
        }
        for (key, value) in overrides {
            set(&mut merged, &mut problems, &key, value, Place::Flag);
        }
        if !problems.is_empty() {
            return Err(ConfigError::Invalid(problems));
        }
        let mut config = Self::deserialize(toml::Value::Table(merged.table.clone()))
            .map_err(|e| ConfigError::Invalid(vec![Problem::error("", e.message().to_owned())]))?;
        config.resolve_paths(|key| merged.folder_of(key));
        let (errors, mut warnings): (Vec<Problem>, Vec<Problem>) = config
            .validate()
            .into_iter()
            .map(|problem| merged.placed(problem))
            .partition(Problem::is_error);
        if !errors.is_empty() {
            return Err(ConfigError::Invalid(errors));
        }
        warnings.extend(environment.warnings);
        let origins = merged.into_origins(&config);
        Ok(Loaded {
            config,
            origins,
            warnings,
            files,
        })
    }
}

/// The files, with `conf.d/*.toml` beside the first after it, by name.
fn with_conf_d(files: &[PathBuf]) -> Result<Vec<PathBuf>, ConfigError> {
    let Some((main, rest)) = files.split_first() else {
        return Ok(Vec::new());
    };
    let mut all = vec![main.clone()];
    let folder = main.parent().unwrap_or(Path::new("")).join("conf.d");
    let failed = |source| ConfigError::Read {
        path: folder.clone(),
        source,
    };
    match std::fs::read_dir(&folder) {
        Ok(entries) => {
            let mut parts = Vec::new();
            for entry in entries {
                let path = entry.map_err(failed)?.path();
                // Editors leave `.name.toml.swp` and `.#name.toml` behind.
                let hidden = path
                    .file_name()
                    .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
                if !hidden && path.extension().is_some_and(|e| e == "toml") {
                    parts.push(path);
                }
            }
            parts.sort();
            all.extend(parts);
        }
        Err(e)
            if matches!(
                e.kind(),
                std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
            ) => {}
        Err(e) => return Err(failed(e)),
    }
    all.extend(rest.iter().cloned());
    Ok(all)
}

/// Checks one option on its own, so that the blame falls on the right source, and adds it.
fn set(
    merged: &mut Merged,
    problems: &mut Vec<Problem>,
    key: &str,
    value: toml::Value,
    place: Place,
) {
    let options = schema::options(schema::daemon());
    if !options.iter().any(|option| option.key == key) {
        let keys = options
            .iter()
            .map(|option| option.key.as_str())
            .filter(|key| !key.contains("[]"));
        let remedy = if key == "root" || key.starts_with("root.") || key.starts_with("root[") {
            "watched folders are given in files; put a `[[root]]` block into a file in `conf.d`"
                .to_owned()
        } else {
            did_you_mean(key, keys).map_or_else(
                || "`wellspring config show` lists all options".to_owned(),
                |near| format!("did you mean `{near}`?"),
            )
        };
        problems.push(
            Problem::error(key, format!("unknown option `{key}`"))
                .remedy(remedy)
                .at(place),
        );
        return;
    }
    let mut table = toml::Table::new();
    match key.split_once('.') {
        Some((section, name)) => drop(table.insert(
            section.to_owned(),
            toml::Value::Table(toml::Table::from_iter([(name.to_owned(), value)])),
        )),
        None => drop(table.insert(key.to_owned(), value)),
    }
    match Document::from_text(table.to_string()).check::<DaemonConfig>(schema::daemon()) {
        Ok(checked) => merged.add_setting(checked.table, &place),
        Err(found) => problems.extend(found.into_iter().map(|problem| problem.at(place.clone()))),
    }
}
