//! Writers of one table in several formats at once.

use std::io::Write;
use std::path::{Path, PathBuf};

use image_io::publish::Staged;

use super::Format;
use super::delimited::Delimited;
use super::frame::{Part, Schema};
use super::parquet::Parquet;
use super::xlsx::{self, Xlsx};
use crate::{Error, Result};

/// Writes one table in one format.
pub trait Writer {
    /// Adds rows.
    fn write(&mut self, part: &Part<'_>) -> Result<()>;
    /// Publishes the file.
    fn finish(self: Box<Self>) -> Result<()>;
}

/// One table on its way into several files.
pub struct Writers {
    writers: Vec<(PathBuf, Box<dyn Writer>)>,
    /// Why a format was left out.
    refused: Option<Error>,
}

/// Begins the files of a table of `rows` rows.
pub fn open_all(
    folder: &Path,
    stem: &str,
    schema: &Schema,
    rows: usize,
    formats: &[Format],
) -> Result<Writers> {
    let mut writers: Vec<(PathBuf, Box<dyn Writer>)> = Vec::new();
    let mut refused = None;
    let mut formats = formats.to_vec();
    formats.sort_unstable();
    formats.dedup();
    for format in formats {
        let path = folder.join(format!("{stem}.{}", format.extension()));
        let writer: Box<dyn Writer> = match format {
            Format::Csv => Box::new(Delimited::create(&path, schema, b',')?),
            Format::Tsv => Box::new(Delimited::create(&path, schema, b'\t')?),
            Format::Parquet => Box::new(Parquet::create(&path, schema)?),
            Format::Xlsx => match xlsx::check(&path, schema, rows) {
                Ok(()) => Box::new(Xlsx::create(&path, schema)?),
                Err(error) => {
                    refused = Some(error);
                    continue;
                }
            },
        };
        writers.push((path, writer));
    }
    Ok(Writers { writers, refused })
}

impl Writers {
    /// Adds rows.
    pub fn write(&mut self, part: &Part<'_>) -> Result<()> {
        self.writers
            .iter_mut()
            .try_for_each(|(_, writer)| writer.write(part))
    }

    /// Publishes all files; then says if one was refused.
    pub fn finish(self) -> Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for (path, writer) in self.writers {
            writer.finish()?;
            files.push(path);
        }
        match self.refused {
            Some(error) => Err(error),
            None => Ok(files),
        }
    }
}

/// A file that is being written, as libraries want it: errors of [`Staged`] as errors of the system.
pub struct Target {
    staged: Staged,
    path: PathBuf,
}

impl Target {
    pub fn create(path: &Path) -> Result<Self> {
        Ok(Self {
            staged: Staged::create(path)?,
            path: path.to_owned(),
        })
    }

    pub fn commit(self) -> Result<()> {
        Ok(self.staged.commit()?)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.staged.write(bytes).map_err(|error| match error {
            image_io::Error::Io { source, .. } => source,
            other => std::io::Error::other(other),
        })?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
