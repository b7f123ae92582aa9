//! XLSX: one sheet, rows written through to a temporary file, so that a large table does not have to be in memory.

use std::io::BufWriter;
use std::path::{Path, PathBuf};

use rust_xlsxwriter::{Format, Workbook, Worksheet, XlsxError};

use super::frame::{Cell, Kind, Part, Schema};
use super::writer::{Target, Writer};
use crate::{Error, Result};

/// Rows of a sheet, without the header.
const MOST_ROWS: usize = 1_048_575;
const MOST_COLUMNS: usize = 16_384;
/// Whole numbers beyond are not exact in a spreadsheet, and are written as text.
const MOST_EXACT: u64 = 1 << 53;

/// Whether a table fits on a sheet.
pub fn check(path: &Path, schema: &Schema, rows: usize) -> Result<()> {
    if rows > MOST_ROWS {
        return Err(Error::TooManyRows {
            path: path.to_owned(),
            rows,
            most: MOST_ROWS,
        });
    }
    if schema.columns.len() > MOST_COLUMNS {
        return Err(Error::TooManyColumns {
            path: path.to_owned(),
            columns: schema.columns.len(),
            most: MOST_COLUMNS,
        });
    }
    Ok(())
}

/// A workbook with one sheet: a bold header that stays in view, numbers as numbers.
pub struct Xlsx {
    book: Workbook,
    target: Target,
    kinds: Vec<Kind>,
    row: u32,
}

impl Xlsx {
    pub fn create(path: &Path, schema: &Schema) -> Result<Self> {
        let target = Target::create(path)?;
        let mut book = Workbook::new();
        let begin = |book: &mut Workbook| -> Result<(), XlsxError> {
            // Beside the result: there is room for it if there is room for the result. It has no name, so nothing is left of it.
            book.set_tempdir(
                path.parent()
                    .filter(|p| !p.as_os_str().is_empty())
                    .unwrap_or(Path::new(".")),
            )?;
            let sheet = book.add_worksheet_with_constant_memory()?;
            sheet.set_freeze_panes(1, 0)?;
            let bold = Format::new().set_bold();
            for (column, (name, _)) in (0..).zip(&schema.columns) {
                sheet.write_string_with_format(0, column, name, &bold)?;
            }
            Ok(())
        };
        begin(&mut book).map_err(|e| failed(path, e))?;
        Ok(Self {
            book,
            target,
            kinds: schema.columns.iter().map(|c| c.1).collect(),
            row: 1,
        })
    }

    fn rows(&mut self, part: &Part<'_>) -> Result<(), XlsxError> {
        let sheet = self.book.worksheet_from_index(0)?;
        for row in 0..part.rows {
            for ((column, cells), kind) in (0..).zip(&part.columns).zip(&self.kinds) {
                write_cell(sheet, self.row, column, cells.get(row, *kind))?;
            }
            self.row += 1;
        }
        Ok(())
    }
}

fn write_cell(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    cell: Cell<'_>,
) -> Result<(), XlsxError> {
    match cell {
        Cell::Empty => {}
        Cell::Int(v) if v.unsigned_abs() <= MOST_EXACT => {
            sheet.write_number(row, column, v as f64)?;
        }
        Cell::Int(v) => drop(sheet.write_string(row, column, v.to_string())?),
        Cell::Float(v) if v.is_finite() => drop(sheet.write_number(row, column, v)?),
        // A spreadsheet has no infinity.
        Cell::Float(v) => {
            sheet.write_string(row, column, image_io::table::float_text(v))?;
        }
        // As text, also where it looks like a formula.
        Cell::Text(text) => drop(sheet.write_string(row, column, text)?),
    }
    Ok(())
}

impl Writer for Xlsx {
    fn write(&mut self, part: &Part<'_>) -> Result<()> {
        // The number of rows was known beforehand, and may have grown since.
        let path: PathBuf = self.target.path().to_owned();
        if self.row as usize + part.rows > MOST_ROWS + 1 {
            return Err(Error::TooManyRows {
                path,
                rows: self.row as usize - 1 + part.rows,
                most: MOST_ROWS,
            });
        }
        self.rows(part).map_err(|e| failed(&path, e))
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        let path = self.target.path().to_owned();
        let mut buffer = BufWriter::with_capacity(1 << 16, self.target);
        self.book
            .save_to_writer(&mut buffer)
            .map_err(|e| failed(&path, e))?;
        let target = buffer
            .into_inner()
            .map_err(|e| Error::write(&path, e.into_error()))?;
        target.commit()
    }
}

fn failed(path: &Path, error: XlsxError) -> Error {
    let text = error.to_string();
    match error {
        XlsxError::IoError(source) => Error::write(path, source),
        XlsxError::ZipError(error) => {
            // The archive's error holds the system's one somewhere below.
            let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
            while let Some(error) = cause {
                if let Some(io) = error.downcast_ref::<std::io::Error>() {
                    return Error::write(path, std::io::Error::new(io.kind(), io.to_string()));
                }
                cause = error.source();
            }
            Error::Format {
                path: path.to_owned(),
                message: text,
            }
        }
        _ => Error::Format {
            path: path.to_owned(),
            message: text,
        },
    }
}
