//! Containers that are open, and the table that was read last: a page asks many questions about the same file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use image_io::container::Container;
use image_io::table::Table;
use viewer::{Identity, Refusal};

use crate::error::{later, missing, of_file};

/// Containers that are kept open.
const KEPT: usize = 8;

/// An open container.
#[derive(Debug)]
pub struct OpenFile {
    path: PathBuf,
    identity: Identity,
    pub container: Container,
    table: Option<(String, Arc<Table>)>,
}

/// The last open containers, the newest last.
#[derive(Debug, Default)]
pub struct Opened(Vec<OpenFile>);

impl Opened {
    /// The container as it is now.
    pub fn open(&mut self, path: &Path) -> Result<&mut OpenFile, Refusal> {
        let identity = Identity::of(path).map_err(|error| match error {
            viewer::Error::NoContainer { .. } => missing(error.to_string(), &error.remedy()),
            other => later(other.to_string()),
        })?;
        let known = self.0.iter().position(|file| file.path == path);
        let file = match known.map(|i| self.0.remove(i)) {
            // Another one was published under this name since.
            Some(file) if file.identity == identity => file,
            _ => OpenFile {
                path: path.to_owned(),
                identity,
                container: Container::open(path).map_err(|error| of_file(&error))?,
                table: None,
            },
        };
        if self.0.len() >= KEPT {
            self.0.remove(0);
        }
        self.0.push(file);
        self.0
            .last_mut()
            .ok_or_else(|| later("no container is open"))
    }
}

impl OpenFile {
    /// A table of the container.
    pub fn table(&mut self, name: &str) -> Result<Arc<Table>, Refusal> {
        if let Some((known, table)) = &self.table
            && known == name
        {
            return Ok(Arc::clone(table));
        }
        let table = self
            .container
            .read_table(name)
            .map_err(|error| of_file(&error))?;
        let table = Arc::new(table);
        self.table = Some((name.to_owned(), Arc::clone(&table)));
        Ok(table)
    }
}
