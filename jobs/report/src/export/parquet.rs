//! Parquet with typed columns, a row group at a time.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::Type;

use super::frame::{Cell, Kind, Part, Schema};
use super::writer::{Target, Writer};
use crate::{Error, Result};

/// Rows that are held in memory, and then written as one row group.
const GROUP: usize = 1 << 16;

/// Values of one column that wait for their row group, and for each row whether it has one.
enum Waiting {
    Int(Vec<i64>),
    Float(Vec<f64>),
    Text(Vec<ByteArray>),
}

/// A file whose columns are all optional: what is missing is null.
pub struct Parquet {
    out: SerializedFileWriter<Target>,
    waiting: Vec<(Kind, Waiting, Vec<i16>)>,
    rows: usize,
    path: PathBuf,
}

impl Parquet {
    pub fn create(path: &Path, schema: &Schema) -> Result<Self> {
        let target = Target::create(path)?;
        let failed = |e| failed(path, e);
        let fields: Result<Vec<_>, ParquetError> = schema
            .unique_names()
            .iter()
            .zip(&schema.columns)
            .map(|(name, (_, kind))| field(name, *kind).map(Arc::new))
            .collect();
        let root = Type::group_type_builder("schema")
            .with_fields(fields.map_err(failed)?)
            .build()
            .map_err(failed)?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(concat!("wellspring ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let out = SerializedFileWriter::new(target, Arc::new(root), Arc::new(properties))
            .map_err(failed)?;
        let waiting = schema.columns.iter().map(|(_, kind)| {
            let values = match kind {
                Kind::Int => Waiting::Int(Vec::new()),
                Kind::Float => Waiting::Float(Vec::new()),
                Kind::Text => Waiting::Text(Vec::new()),
            };
            (*kind, values, Vec::new())
        });
        Ok(Self {
            out,
            waiting: waiting.collect(),
            rows: 0,
            path: path.to_owned(),
        })
    }

    /// Writes what waits as a row group.
    fn flush(&mut self) -> Result<(), ParquetError> {
        if self.rows == 0 {
            return Ok(());
        }
        let mut group = self.out.next_row_group()?;
        for (_, values, levels) in &mut self.waiting {
            if let Some(column) = group.next_column()? {
                write_column(column, values, levels)?;
            }
            levels.clear();
        }
        group.close()?;
        self.rows = 0;
        Ok(())
    }
}

fn write_column(
    mut column: SerializedColumnWriter<'_>,
    values: &mut Waiting,
    levels: &[i16],
) -> Result<(), ParquetError> {
    match values {
        Waiting::Int(v) => {
            column
                .typed::<Int64Type>()
                .write_batch(v, Some(levels), None)?;
            v.clear();
        }
        Waiting::Float(v) => {
            column
                .typed::<DoubleType>()
                .write_batch(v, Some(levels), None)?;
            v.clear();
        }
        Waiting::Text(v) => {
            column
                .typed::<ByteArrayType>()
                .write_batch(v, Some(levels), None)?;
            v.clear();
        }
    }
    column.close()
}

fn field(name: &str, kind: Kind) -> Result<Type, ParquetError> {
    let physical = match kind {
        Kind::Int => Physical::INT64,
        Kind::Float => Physical::DOUBLE,
        Kind::Text => Physical::BYTE_ARRAY,
    };
    let logical = (kind == Kind::Text).then_some(LogicalType::String);
    Type::primitive_type_builder(name, physical)
        .with_logical_type(logical)
        .with_repetition(Repetition::OPTIONAL)
        .build()
}

impl Writer for Parquet {
    fn write(&mut self, part: &Part<'_>) -> Result<()> {
        for row in 0..part.rows {
            for (cells, (kind, values, levels)) in part.columns.iter().zip(&mut self.waiting) {
                let present = match (cells.get(row, *kind), values) {
                    (Cell::Int(v), Waiting::Int(values)) => {
                        values.push(v);
                        true
                    }
                    (Cell::Float(v), Waiting::Float(values)) => {
                        values.push(v);
                        true
                    }
                    (Cell::Text(text), Waiting::Text(values)) => {
                        values.push(ByteArray::from(text));
                        true
                    }
                    (Cell::Int(v), Waiting::Text(values)) => {
                        values.push(ByteArray::from(v.to_string().as_str()));
                        true
                    }
                    (Cell::Float(v), Waiting::Text(values)) => {
                        values.push(ByteArray::from(image_io::table::float_text(v).as_str()));
                        true
                    }
                    _ => false,
                };
                levels.push(i16::from(present));
            }
            self.rows += 1;
            if self.rows == GROUP {
                self.flush().map_err(|e| failed(&self.path, e))?;
            }
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        let path = self.path.clone();
        self.flush().map_err(|e| failed(&path, e))?;
        let target = self.out.into_inner().map_err(|e| failed(&path, e))?;
        target.commit()
    }
}

fn failed(path: &Path, error: ParquetError) -> Error {
    match error {
        ParquetError::External(cause) => match cause.downcast::<std::io::Error>() {
            Ok(source) => Error::write(path, *source),
            Err(other) => Error::Format {
                path: path.to_owned(),
                message: other.to_string(),
            },
        },
        other => Error::Format {
            path: path.to_owned(),
            message: other.to_string(),
        },
    }
}
