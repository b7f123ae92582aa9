//! CSV and TSV.

use std::io::BufWriter;
use std::path::{Path, PathBuf};

use image_io::table::float_text;

use super::frame::{Cell, Kind, Part, Schema};
use super::writer::{Target, Writer};
use crate::{Error, Result};

/// Values separated by a character; text that holds it, quotes or line ends is quoted.
pub struct Delimited {
    out: csv::Writer<BufWriter<Target>>,
    kinds: Vec<Kind>,
    path: PathBuf,
}

impl Delimited {
    pub fn create(path: &Path, schema: &Schema, delimiter: u8) -> Result<Self> {
        let target = BufWriter::with_capacity(1 << 16, Target::create(path)?);
        let mut writer = Self {
            out: csv::WriterBuilder::new()
                .delimiter(delimiter)
                .from_writer(target),
            kinds: schema.columns.iter().map(|c| c.1).collect(),
            path: path.to_owned(),
        };
        let names = schema.columns.iter().map(|c| c.0.as_str());
        writer
            .out
            .write_record(names)
            .map_err(|e| failed(&writer.path, e))?;
        Ok(writer)
    }

    fn row(&mut self, part: &Part<'_>, row: usize) -> Result<(), csv::Error> {
        for (cells, kind) in part.columns.iter().zip(&self.kinds) {
            match cells.get(row, *kind) {
                Cell::Empty => self.out.write_field("")?,
                Cell::Int(v) => self.out.write_field(v.to_string())?,
                Cell::Float(v) => self.out.write_field(float_text(v))?,
                Cell::Text(text) => self.out.write_field(text)?,
            }
        }
        self.out.write_record(None::<&[u8]>)
    }
}

impl Writer for Delimited {
    fn write(&mut self, part: &Part<'_>) -> Result<()> {
        (0..part.rows)
            .try_for_each(|row| self.row(part, row))
            .map_err(|e| failed(&self.path, e))
    }

    fn finish(self: Box<Self>) -> Result<()> {
        let path = self.path;
        let buffer = self
            .out
            .into_inner()
            .map_err(|e| Error::write(&path, e.into_error()))?;
        let target = buffer
            .into_inner()
            .map_err(|e| Error::write(&path, e.into_error()))?;
        target.commit()
    }
}

fn failed(path: &Path, error: csv::Error) -> Error {
    let text = error.to_string();
    match error.into_kind() {
        csv::ErrorKind::Io(source) => Error::write(path, source),
        _ => Error::Format {
            path: path.to_owned(),
            message: text,
        },
    }
}
