//! The results of a plate, as they lie in its folder.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use image_io::container::Container;
use image_io::table::Table;
use report::export::PlateFolder;
use serde_json::Value;

use super::database::Written;

/// Attributes in which the jobs that made a file are described.
const JOB: &str = "wellspring_job_";

/// A plate's folder with its tables.
pub(super) struct Source {
    pub(super) folder: PathBuf,
    pub(super) plate: String,
    tables: Container,
}

/// What made the results.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Made {
    pub(super) workflow: String,
    pub(super) version: String,
    /// Version of this program that made them.
    pub(super) wellspring: Option<String>,
}

/// Which of the database's tables a table of a plate goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Image,
    Well,
    Plate,
}

impl Source {
    /// Opens the plate's tables.
    pub(super) fn open(folder: &Path) -> anyhow::Result<Self> {
        let folder = std::fs::canonicalize(folder)
            .with_context(|| format!("cannot find the folder `{}`", folder.display()))?;
        let plate = folder
            .file_name()
            .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let file = workflow::plate_table_file(&folder);
        if !file.is_file() {
            bail!(
                "there is no `{}`; give the folder of a plate's results whose workflow has a job that makes plate tables, such as summarise.objects",
                file.display()
            );
        }
        Ok(Self {
            tables: Container::open(&file)?,
            folder,
            plate,
        })
    }

    /// What made the tables: as the jobs noted it in the file, or as a person says.
    pub(super) fn made(
        &self,
        workflow: Option<&str>,
        version: Option<&str>,
    ) -> anyhow::Result<Made> {
        let mut noted = BTreeSet::new();
        for (name, value) in self.tables.attributes("/")? {
            let Some(text) = value.as_text().filter(|_| name.starts_with(JOB)) else {
                continue;
            };
            let note: Value = serde_json::from_str(text).unwrap_or_default();
            let word = |key: &str| note[key].as_str().map(str::to_owned);
            if let (Some(workflow), Some(version)) = (word("workflow"), word("workflow_version")) {
                noted.insert(Made {
                    workflow,
                    version,
                    wellspring: word("wellspring"),
                });
            }
        }
        let wellspring = noted
            .iter()
            .filter_map(|made| made.wellspring.clone())
            .max();
        let one = |of: fn(&Made) -> &str,
                   said: Option<&str>,
                   option: &str|
         -> anyhow::Result<String> {
            if let Some(said) = said {
                return Ok(said.to_owned());
            }
            let found: BTreeSet<&str> = noted.iter().map(of).collect();
            match found.iter().copied().collect::<Vec<_>>()[..] {
                [only] => Ok(only.to_owned()),
                [] => bail!(
                    "`{}` does not say which workflow made it; say so with --workflow and --workflow-version",
                    self.folder.display()
                ),
                _ => bail!(
                    "the tables of `{}` were made by several: {}; say under which they are to be found, with {option}",
                    self.folder.display(),
                    found.into_iter().collect::<Vec<_>>().join(", ")
                ),
            }
        };
        Ok(Made {
            workflow: one(|made| &made.workflow, workflow, "--workflow")?,
            version: one(|made| &made.version, version, "--workflow-version")?,
            wellspring,
        })
    }

    /// The names of the plate's tables, with where they go.
    pub(super) fn tables(&self) -> anyhow::Result<Vec<(Level, String)>> {
        let level = |name: String| {
            let level = match name.split('/').next() {
                Some("images") => Level::Image,
                Some("wells") => Level::Well,
                _ => Level::Plate,
            };
            (level, name)
        };
        Ok(self.tables.tables()?.into_iter().map(level).collect())
    }

    /// One of them.
    pub(super) fn table(&self, name: &str) -> anyhow::Result<Table> {
        rectangular(self.tables.read_table(name)?, name)
    }

    /// The image sets' containers, by name.
    pub(super) fn containers(&self) -> anyhow::Result<Vec<PathBuf>> {
        Ok(PlateFolder::open(&self.folder)?.containers().to_vec())
    }

    /// How many rows there are, by level.
    pub(super) fn count(&self, objects: bool) -> anyhow::Result<Written> {
        let mut written = Written::default();
        for (level, name) in self.tables()? {
            written.add(level, self.table(&name)?.rows() as u64);
        }
        if objects {
            for path in self.containers()? {
                let container = Container::open(&path)?;
                for name in container.tables()? {
                    written.objects += container.read_table(&name)?.rows() as u64;
                }
            }
        }
        Ok(written)
    }
}

/// A table whose columns are equally long; a file of others might hold anything.
pub(super) fn rectangular(table: Table, name: &str) -> anyhow::Result<Table> {
    if table.is_rectangular() {
        return Ok(table);
    }
    bail!("the columns of table `{name}` are not equally long; the file is damaged");
}
