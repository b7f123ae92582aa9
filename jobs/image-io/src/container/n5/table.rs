//! Both forms of a table in an N5 folder: cells as uint8 (rows, columns, bytes), typed columns as in the HDF5 form.

use super::assembly::Assembly;
use super::block;
use super::dataset::Dataset;
use super::folder::is_name;
use super::reader::N5Folder;
use crate::container::table_form::{
    MOST_CELLS, cell_bytes, flag_bytes, name_bytes, of_texts, text_bytes, typed_key,
};
use crate::container::{Attribute, TABLES, TYPED, VisibleType};
use crate::table::{CELL_BYTES, Column, Table, Values};
use crate::{Error, PixelType, Result};

/// More columns than any table has.
const MOST_COLUMNS: u64 = 1 << 20;

/// Adds `/tables/<name>` and `/typed/<name>`.
pub fn add(assembly: &mut Assembly, name: &str, table: &Table, visible: VisibleType) -> Result<()> {
    let (rows, columns) = (table.rows(), table.columns.len());
    let path = format!("{TABLES}/{name}");
    let flag = match visible {
        VisibleType::U8 => PixelType::U8,
        VisibleType::F64 => PixelType::F64,
    };
    assembly.add_group(&path, Vec::new())?;
    let text = |shape: &[usize]| [shape, &[CELL_BYTES]].concat();
    let cells = add_values(
        assembly,
        &format!("{path}/cells"),
        PixelType::U8,
        &text(&[rows, columns]),
        &cell_bytes(table),
    )?;
    let (names, flags) = (name_bytes(table), flag_bytes(table, visible));
    add_values(
        assembly,
        &format!("{path}/columns"),
        PixelType::U8,
        &text(&[columns]),
        &names,
    )?;
    add_values(
        assembly,
        &format!("{path}/visible"),
        flag,
        &[columns],
        &flags,
    )?;

    let path = format!("{TYPED}/{name}");
    let names: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
    let flags = table.columns.iter().map(|c| i64::from(c.visible));
    let attributes = vec![
        (
            "columns".to_owned(),
            Attribute::Text(serde_json::json!(names).to_string()),
        ),
        ("visible".to_owned(), Attribute::Ints(flags.collect())),
        ("cells_bytes".to_owned(), Attribute::Int(cells as i64)),
    ];
    assembly.add_group(&path, attributes)?;
    for (index, column) in table.columns.iter().enumerate() {
        let path = format!("{path}/{}", key(index, &names));
        match &column.values {
            Values::Int(v) => add_values(
                assembly,
                &path,
                PixelType::I64,
                &[rows],
                bytemuck::cast_slice(v),
            )?,
            Values::Float(v) => add_values(
                assembly,
                &path,
                PixelType::F64,
                &[rows],
                bytemuck::cast_slice(v),
            )?,
            Values::Text(v) => {
                let (width, bytes) = text_bytes(v);
                add_values(assembly, &path, PixelType::U8, &[rows, width], &bytes)?
            }
        };
    }
    Ok(())
}

/// Adds values, C order; returns the bytes that they take on disk.
fn add_values(
    assembly: &mut Assembly,
    path: &str,
    pixel_type: PixelType,
    shape: &[usize],
    values: &[u8],
) -> Result<u64> {
    let size = pixel_type.size();
    let blocks = block::of_rows(shape, size);
    let encoded = block::encode_rows(shape, &blocks, size, values);
    let stored = encoded.iter().map(|b| b.bytes.len() as u64).sum();
    assembly.add_dataset(path, &Dataset::new(pixel_type, shape, &blocks), encoded)?;
    Ok(stored)
}

/// The folder of a typed column: as in the HDF5 form, but no two names may differ in case only, and none may be one that file
/// systems do not take.
fn key(index: usize, names: &[&str]) -> String {
    let key = typed_key(index, names);
    let twin = names[..index]
        .iter()
        .any(|n| n.to_lowercase() == key.to_lowercase());
    if is_name(&key) && !twin {
        return key;
    }
    let key = format!("{index} {}", key.replace('/', "_"));
    key[..key.floor_char_boundary(255)].to_owned()
}

/// Reads `/tables/<name>`: cells as text, then the types by BatchLib's rule.
pub fn read_cells(store: &N5Folder, name: &str) -> Result<Table> {
    let path = format!("{TABLES}/{name}");
    let names = texts(store, &format!("{path}/columns"), 1, MOST_COLUMNS)?;
    let (cells, shape) = texts_of(store, &format!("{path}/cells"), 2, MOST_CELLS)?;
    if shape[1] != names.len() as u64 {
        return Err(store.wrong(
            &path,
            format!(
                "cells of shape {shape:?} do not fit {} columns",
                names.len()
            ),
        ));
    }
    let visible = match store.dataset(&format!("{path}/visible"))? {
        None => Vec::new(),
        Some(_) => {
            let (bytes, _, size) = store.values(&format!("{path}/visible"), MOST_COLUMNS)?;
            let flags = bytes.chunks_exact(size);
            flags.map(|b| b.iter().any(|v| *v != 0)).collect()
        }
    };
    Ok(of_texts(names, &cells, &visible))
}

/// Reads `/typed/<name>`, unless it is missing, stale or not understood.
pub fn read_typed(store: &N5Folder, name: &str) -> Result<Option<Table>> {
    let path = format!("{TYPED}/{name}");
    let attributes = store.attributes_of(&path)?.unwrap_or_default();
    let find = |name: &str| attributes.iter().find(|(n, _)| n == name).map(|(_, v)| v);
    let (Some(Attribute::Text(json)), Some(Attribute::Int(stored))) =
        (find("columns"), find("cells_bytes"))
    else {
        return Ok(None);
    };
    let Ok(names) = serde_json::from_str::<Vec<String>>(json) else {
        return Ok(None);
    };
    let cells = store.must_have(&format!("{TABLES}/{name}/cells"))?;
    let &[rows, columns, _] = cells.dataset.shape.as_slice() else {
        return Ok(None);
    };
    let is_now = cells.stored(&cells.list()?)?;
    if i64::try_from(is_now) != Ok(*stored) || columns != names.len() as u64 {
        return Ok(None);
    }
    let visible = find("visible")
        .and_then(Attribute::as_ints)
        .unwrap_or_default();
    let refs: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut table = Table::default();
    for (index, name) in names.iter().enumerate() {
        let path = format!("{path}/{}", key(index, &refs));
        let described = store.must_have(&path)?.dataset;
        if described.shape.first() != Some(&rows) {
            return Ok(None);
        }
        let values = match (described.pixel_type, described.shape.len()) {
            (Some(PixelType::I64), 1) => {
                let (bytes, ..) = store.values(&path, MOST_CELLS)?;
                Values::Int(each(&bytes, i64::from_ne_bytes))
            }
            (Some(PixelType::F64), 1) => {
                let (bytes, ..) = store.values(&path, MOST_CELLS)?;
                Values::Float(each(&bytes, f64::from_ne_bytes))
            }
            (Some(PixelType::U8), 2) => Values::Text(texts(store, &path, 1, MOST_CELLS)?),
            _ => return Ok(None),
        };
        table.columns.push(Column {
            name: name.clone(),
            values,
            visible: visible.get(index).is_none_or(|v| *v != 0),
        });
    }
    Ok(Some(table))
}

/// The values that these bytes stand for, eight a value.
fn each<T>(bytes: &[u8], of: impl Fn([u8; 8]) -> T) -> Vec<T> {
    bytes.as_chunks::<8>().0.iter().map(|b| of(*b)).collect()
}

fn texts(store: &N5Folder, path: &str, axes: usize, most: u64) -> Result<Vec<String>> {
    Ok(texts_of(store, path, axes, most)?.0)
}

/// Texts, whose bytes are the last axis, and the lengths of the `axes` others.
fn texts_of(
    store: &N5Folder,
    path: &str,
    axes: usize,
    most: u64,
) -> Result<(Vec<String>, Vec<u64>)> {
    let described = store.must_have(path)?.dataset;
    if described.pixel_type != Some(PixelType::U8) || described.shape.len() != axes + 1 {
        return Err(store.wrong(
            path,
            "these are no texts: uint8 with one more axis for the bytes",
        ));
    }
    let width = described.shape[axes];
    let (bytes, mut shape, _) = store.values(path, most.saturating_mul(width.max(1)))?;
    shape.truncate(axes);
    if width == 0 {
        let count = shape.iter().product::<u64>().min(most);
        return Ok((vec![String::new(); count as usize], shape));
    }
    let text = |cell: &[u8]| {
        let end = cell
            .iter()
            .rposition(|b| *b != 0)
            .map_or(0, |last| last + 1);
        String::from_utf8_lossy(&cell[..end]).into_owned()
    };
    Ok((
        bytes.chunks_exact(width as usize).map(text).collect(),
        shape,
    ))
}

impl N5Folder {
    /// All values of a dataset, its shape, and the bytes of one.
    fn values(&self, path: &str, most: u64) -> Result<(Vec<u8>, Vec<u64>, usize)> {
        let blocks = self.must_have(path)?;
        let places = blocks.list()?;
        let bytes = blocks.check(&places)?;
        let size = blocks.dataset.pixel_type.map_or(1, PixelType::size);
        if bytes / size as u64 > most {
            return Err(Error::Limit {
                path: self.path().to_owned(),
                reason: format!(
                    "`{path}` has {} values, at most {most} are read",
                    bytes / size as u64
                ),
            });
        }
        let mut values = vec![0; bytes as usize];
        blocks.read_into(&places, &mut values)?;
        Ok((values, blocks.dataset.shape, size))
    }

    fn wrong(&self, path: &str, reason: impl std::fmt::Display) -> Error {
        super::damaged(self.path(), path, reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_folders_of_their_own_everywhere() {
        let long = "x".repeat(300);
        let names = [
            "Area",
            "area",
            "a/b",
            "..",
            "attributes.json",
            "",
            long.as_str(),
            "area",
        ];
        let keys: Vec<String> = (0..names.len()).map(|i| key(i, &names)).collect();
        assert_eq!(
            keys[..6],
            ["Area", "1 area", "2 a_b", "3 ..", "4 attributes.json", "5 "]
        );
        assert_eq!(keys[6].len(), 255);
        assert_eq!(keys[7], "7 area");
    }
}
