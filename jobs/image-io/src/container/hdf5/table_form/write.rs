//! Writes both forms of a table.

use crate::PixelType;
use crate::container::hdf5::chunk;
use crate::container::hdf5::ffi::dataset::{self, Element, Layout};
use crate::container::hdf5::ffi::types::{Shared, fixed_text};
use crate::container::hdf5::ffi::{Failure, Handle, attribute, link};
use crate::container::table_form::{cell_bytes, flag_bytes, name_bytes, text_bytes, typed_key};
use crate::container::{Attribute, TABLES, TYPED, VisibleType};
use crate::table::{CELL_BYTES, Table, Values};

/// Bytes of a chunk of cells or of a typed column.
const CHUNK_BYTES: usize = 1 << 20;
/// Typed columns up to this size go into the object header.
const COMPACT_BYTES: usize = 8 << 10;

/// Writes `/tables/<name>`.
pub fn write_cells(
    file: &Handle,
    name: &str,
    table: &Table,
    visible: VisibleType,
    shared: &Shared,
) -> Result<u64, Failure> {
    let group = link::create_group(file, &format!("{TABLES}/{name}"), shared)?;
    let (rows, columns) = (table.rows(), table.columns.len());
    let text = fixed_text(CELL_BYTES, false)?;
    let stored = write_chunked(
        &group,
        "cells",
        Element::Text(&text),
        &[rows, columns],
        CELL_BYTES,
        false,
        &cell_bytes(table),
        shared,
    )?;
    write_chunked(
        &group,
        "columns",
        Element::Text(&text),
        &[columns],
        CELL_BYTES,
        false,
        &name_bytes(table),
        shared,
    )?;
    let flag = match visible {
        VisibleType::U8 => PixelType::U8,
        VisibleType::F64 => PixelType::F64,
    };
    write_chunked(
        &group,
        "visible",
        Element::Number(flag),
        &[columns],
        flag.size(),
        false,
        &flag_bytes(table, visible),
        shared,
    )?;
    Ok(stored)
}

/// Writes `/typed/<name>`. `cells` are the stored bytes of the text form: if another program changes that, the typed form is
/// recognised as stale.
pub fn write_typed(
    file: &Handle,
    name: &str,
    table: &Table,
    cells: u64,
    shared: &Shared,
) -> Result<(), Failure> {
    let group = link::create_group(file, &format!("{TYPED}/{name}"), shared)?;
    let names: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
    let json = serde_json::to_string(&names).map_err(|e| Failure(e.to_string()))?;
    attribute::write(&group, "columns", &Attribute::Text(json), shared)?;
    attribute::write(
        &group,
        "visible",
        &Attribute::Ints(table.columns.iter().map(|c| i64::from(c.visible)).collect()),
        shared,
    )?;
    attribute::write(&group, "cells_bytes", &Attribute::Int(cells as i64), shared)?;
    for (index, column) in table.columns.iter().enumerate() {
        let key = typed_key(index, &names);
        let rows = column.values.len();
        match &column.values {
            Values::Int(values) => write_column(
                &group,
                &key,
                Element::Number(PixelType::I64),
                rows,
                8,
                bytemuck::cast_slice(values),
                shared,
            )?,
            Values::Float(values) => write_column(
                &group,
                &key,
                Element::Number(PixelType::F64),
                rows,
                8,
                bytemuck::cast_slice(values),
                shared,
            )?,
            Values::Text(values) => {
                let (width, bytes) = text_bytes(values);
                let text = fixed_text(width, true)?;
                write_column(
                    &group,
                    &key,
                    Element::Text(&text),
                    rows,
                    width,
                    &bytes,
                    shared,
                )?;
            }
        }
    }
    Ok(())
}

fn write_column(
    group: &Handle,
    key: &str,
    element: Element<'_>,
    rows: usize,
    size: usize,
    bytes: &[u8],
    shared: &Shared,
) -> Result<(), Failure> {
    if bytes.is_empty() || bytes.len() > COMPACT_BYTES {
        return write_chunked(group, key, element, &[rows], size, size == 8, bytes, shared)
            .map(|_| ());
    }
    let data = dataset::create(group, key, element, &[rows as u64], &shared.compact, shared)?;
    dataset::write_all(&data, element, bytes)
}

/// Writes a dataset in chunks of whole rows and returns its stored bytes.
#[allow(clippy::too_many_arguments)]
fn write_chunked(
    group: &Handle,
    name: &str,
    element: Element<'_>,
    extents: &[usize],
    size: usize,
    shuffle: bool,
    bytes: &[u8],
    shared: &Shared,
) -> Result<u64, Failure> {
    use rayon::prelude::*;
    let row = size * extents[1..].iter().product::<usize>();
    let rows = (CHUNK_BYTES / row.max(1)).clamp(1, extents[0].max(1));
    let mut chunk_extents: Vec<u64> = extents.iter().map(|e| (*e as u64).max(1)).collect();
    chunk_extents[0] = rows as u64;
    let creation = dataset::creation(Layout::Chunked {
        chunk: &chunk_extents,
        shuffle: shuffle && size > 1,
    })?;
    let wide: Vec<u64> = extents.iter().map(|e| *e as u64).collect();
    let data = dataset::create(group, name, element, &wide, &creation, shared)?;
    if bytes.is_empty() {
        return Ok(0);
    }
    let encoded: Vec<Vec<u8>> = bytes
        .par_chunks(rows * row)
        .map(|part| {
            let mut whole;
            let part = if part.len() < rows * row {
                whole = part.to_vec();
                whole.resize(rows * row, 0);
                &whole
            } else {
                part
            };
            chunk::encode_elements(part, size, shuffle)
        })
        .collect();
    let mut stored = 0;
    for (i, chunk) in encoded.iter().enumerate() {
        let mut offset = vec![0u64; extents.len()];
        offset[0] = (i * rows) as u64;
        dataset::write_chunk(&data, &offset, chunk)?;
        stored += chunk.len() as u64;
    }
    Ok(stored)
}
