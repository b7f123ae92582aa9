//! The two forms of a table in a container: text cells for BatchLib and PlateViewer, typed columns for speed.

use super::chunk;
use super::ffi::dataset::{self, Element, Layout};
use super::ffi::types::{Shared, fixed_text};
use super::ffi::{Failure, Handle, attribute, link};
use super::{Attribute, TABLES, TYPED};
use crate::PixelType;
use crate::table::{CELL_BYTES, Table, Values, cell, parse_column};

/// Bytes of a chunk of cells or of a typed column.
const CHUNK_BYTES: usize = 1 << 20;
/// Typed columns up to this size go into the object header.
const COMPACT_BYTES: usize = 8 << 10;

/// The element type of a table's `visible` flags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VisibleType {
    /// BatchLib's usual choice, and the only one that PlateViewer reads.
    #[default]
    U8,
    /// What BatchLib's `MergeAnalysisTables` writes.
    F64,
}

/// Writes `/tables/<name>`.
pub(super) fn write_cells(
    file: &Handle,
    name: &str,
    table: &Table,
    visible: VisibleType,
    shared: &Shared,
) -> Result<u64, Failure> {
    let group = link::create_group(file, &format!("{TABLES}/{name}"), shared)?;
    let (rows, columns) = (table.rows(), table.columns.len());
    let text = fixed_text(CELL_BYTES, false)?;
    let as_float = table.is_float_array();
    let mut cells = vec![0u8; rows * columns * CELL_BYTES];
    for (c, column) in table.columns.iter().enumerate() {
        for row in 0..rows {
            let value = cell(&column.values, row, as_float);
            cells[(row * columns + c) * CELL_BYTES..][..value.len()]
                .copy_from_slice(value.as_bytes());
        }
    }
    let mut names = vec![0u8; columns * CELL_BYTES];
    for (cell, column) in names.chunks_exact_mut(CELL_BYTES).zip(&table.columns) {
        let mut end = column.name.len().min(CELL_BYTES);
        while !column.name.is_char_boundary(end) {
            end -= 1;
        }
        cell[..end].copy_from_slice(&column.name.as_bytes()[..end]);
    }
    let stored = write_chunked(
        &group,
        "cells",
        Element::Text(&text),
        &[rows, columns],
        CELL_BYTES,
        false,
        &cells,
        shared,
    )?;
    write_chunked(
        &group,
        "columns",
        Element::Text(&text),
        &[columns],
        CELL_BYTES,
        false,
        &names,
        shared,
    )?;
    let flags = table.columns.iter().map(|c| c.visible);
    match visible {
        VisibleType::U8 => {
            let flags: Vec<u8> = flags.map(u8::from).collect();
            write_chunked(
                &group,
                "visible",
                Element::Number(PixelType::U8),
                &[columns],
                1,
                false,
                &flags,
                shared,
            )?;
        }
        VisibleType::F64 => {
            let flags: Vec<u8> = flags
                .flat_map(|v| f64::from(u8::from(v)).to_le_bytes())
                .collect();
            write_chunked(
                &group,
                "visible",
                Element::Number(PixelType::F64),
                &[columns],
                8,
                false,
                &flags,
                shared,
            )?;
        }
    }
    Ok(stored)
}

/// Writes `/typed/<name>`. `cells` are the stored bytes of the text form: if another program changes that, the typed form is
/// recognised as stale.
pub(super) fn write_typed(
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
                let width = values.iter().map(String::len).max().unwrap_or(0).max(1);
                let mut bytes = vec![0u8; width * rows];
                for (cell, value) in bytes.chunks_exact_mut(width).zip(values) {
                    cell[..value.len()].copy_from_slice(value.as_bytes());
                }
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

/// The dataset of a column: its name where that is unique and can be a link's name, else with its position.
fn typed_key(index: usize, names: &[&str]) -> String {
    let name = names[index];
    if !name.is_empty()
        && name != "."
        && !name.contains(['/', '\0'])
        && !names[..index].contains(&name)
    {
        return name.to_owned();
    }
    format!("{index} {}", name.replace(['/', '\0'], "_"))
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
    let data = dataset::create(
        group,
        key,
        element,
        &[rows as u64],
        &dataset::creation(Layout::Compact)?,
        shared,
    )?;
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
            chunk::encode_bytes(part, size, shuffle)
        })
        .collect::<Result<_, _>>()
        .map_err(|e| Failure(e.to_string()))?;
    let mut stored = 0;
    for (i, chunk) in encoded.iter().enumerate() {
        let mut offset = vec![0u64; extents.len()];
        offset[0] = (i * rows) as u64;
        dataset::write_chunk(&data, &offset, chunk)?;
        stored += chunk.len() as u64;
    }
    Ok(stored)
}

/// Reads `/tables/<name>`: cells as text, then the types by BatchLib's rule.
pub(super) fn read_cells(group: &Handle) -> Result<Table, Failure> {
    let texts = |name: &str| {
        let data = dataset::open(group, name)?;
        let described = dataset::describe_dataset(&data)?;
        let limited = described
            .elements()
            .and_then(|n| n.checked_mul(described.element_bytes as u64))
            .is_some_and(|b| b < 4 << 30);
        if !limited {
            return Err(Failure(format!("{name} is larger than 4 GiB")));
        }
        Ok((dataset::read_texts(&data, &described)?, described.extents))
    };
    let (names, _) = texts("columns")?;
    let (cells, extents) = texts("cells")?;
    let columns = names.len();
    if extents.len() != 2 || extents[1] != columns as u64 {
        return Err(Failure(format!(
            "cells of extents {extents:?} do not fit {columns} columns"
        )));
    }
    let visible = read_flags(group)?;
    let mut table = Table::default();
    for (c, name) in names.into_iter().enumerate() {
        let column: Vec<&str> = cells
            .iter()
            .skip(c)
            .step_by(columns)
            .map(String::as_str)
            .collect();
        table.columns.push(crate::table::Column {
            name,
            values: parse_column(&column),
            visible: visible.get(c).copied().unwrap_or(true),
        });
    }
    Ok(table)
}

fn read_flags(group: &Handle) -> Result<Vec<bool>, Failure> {
    if !link::exists(group, "visible")? {
        return Ok(Vec::new());
    }
    let data = dataset::open(group, "visible")?;
    let described = dataset::describe_dataset(&data)?;
    let n = described
        .elements()
        .filter(|n| *n < 1 << 20)
        .ok_or_else(|| Failure("too many flags".to_owned()))?;
    let mut bytes = vec![0u8; n as usize * 8];
    dataset::read_numbers(&data, &described, PixelType::F64, &mut bytes)?;
    Ok(bytes
        .chunks_exact(8)
        .map(|b| b.iter().any(|v| *v != 0))
        .collect())
}

/// Reads `/typed/<name>`, unless it is missing, stale or not understood.
pub(super) fn read_typed(file: &Handle, name: &str) -> Result<Option<Table>, Failure> {
    let path = format!("{TYPED}/{name}");
    if !link::exists(file, &path)? {
        return Ok(None);
    }
    let group = link::open_group(file, &path)?;
    let text = |name: &str| -> Result<Option<Attribute>, Failure> {
        if attribute::exists(&group, name)? {
            attribute::read(&group, name).map(Some)
        } else {
            Ok(None)
        }
    };
    let (Some(Attribute::Text(json)), Some(Attribute::Int(stored))) =
        (text("columns")?, text("cells_bytes")?)
    else {
        return Ok(None);
    };
    let cells = dataset::open(file, &format!("{TABLES}/{name}/cells"))?;
    let Ok(names) = serde_json::from_str::<Vec<String>>(&json) else {
        return Ok(None);
    };
    let extents = dataset::describe_dataset(&cells)?.extents;
    if dataset::stored_bytes(&cells) != stored as u64
        || extents.get(1) != Some(&(names.len() as u64))
    {
        return Ok(None);
    }
    let visible = text("visible")?;
    let visible = visible
        .as_ref()
        .and_then(Attribute::as_ints)
        .unwrap_or_default();
    let refs: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut table = Table::default();
    for (index, name) in names.iter().enumerate() {
        let data = dataset::open(&group, &typed_key(index, &refs))?;
        let described = dataset::describe_dataset(&data)?;
        if described.extents != extents[..1] {
            return Ok(None);
        }
        let rows = extents[0] as usize;
        let values = match described.element.pixel_type() {
            Some(PixelType::I64) => {
                let mut values = vec![0i64; rows];
                dataset::read_numbers(
                    &data,
                    &described,
                    PixelType::I64,
                    bytemuck::cast_slice_mut(&mut values),
                )?;
                Values::Int(values)
            }
            Some(_) => {
                let mut values = vec![0f64; rows];
                dataset::read_numbers(
                    &data,
                    &described,
                    PixelType::F64,
                    bytemuck::cast_slice_mut(&mut values),
                )?;
                Values::Float(values)
            }
            None => Values::Text(dataset::read_texts(&data, &described)?),
        };
        table.columns.push(crate::table::Column {
            name: name.clone(),
            values,
            visible: visible.get(index).is_none_or(|v| *v != 0),
        });
    }
    Ok(Some(table))
}
