//! The two forms of a table in a container: text cells for BatchLib and PlateViewer, typed columns for speed.

use crate::table::{CELL_BYTES, Column, Table, cell, parse_column};

/// Cells of one table. In memory each takes 8 to 50 bytes.
pub(super) const MOST_CELLS: u64 = 1 << 28;

/// The element type of a table's `visible` flags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VisibleType {
    /// BatchLib's usual choice, and the only one that PlateViewer reads.
    #[default]
    U8,
    /// What BatchLib's `MergeAnalysisTables` writes.
    F64,
}

/// The dataset of a column: its name where that is unique and can be a link's name, else with its position.
pub(super) fn typed_key(index: usize, names: &[&str]) -> String {
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

/// All cells as text of [`CELL_BYTES`] bytes each, row by row.
pub(super) fn cell_bytes(table: &Table) -> Vec<u8> {
    let (rows, columns) = (table.rows(), table.columns.len());
    let as_float = table.is_float_array();
    let mut cells = vec![0u8; rows * columns * CELL_BYTES];
    for (c, column) in table.columns.iter().enumerate() {
        for row in 0..rows {
            let value = cell(&column.values, row, as_float);
            cells[(row * columns + c) * CELL_BYTES..][..value.len()]
                .copy_from_slice(value.as_bytes());
        }
    }
    cells
}

/// The names of the columns, cut to [`CELL_BYTES`] bytes each.
pub(super) fn name_bytes(table: &Table) -> Vec<u8> {
    let mut names = vec![0u8; table.columns.len() * CELL_BYTES];
    for (cell, column) in names.chunks_exact_mut(CELL_BYTES).zip(&table.columns) {
        let end = column.name.floor_char_boundary(CELL_BYTES);
        cell[..end].copy_from_slice(&column.name.as_bytes()[..end]);
    }
    names
}

/// The flags of the columns in their element type, little-endian.
pub(super) fn flag_bytes(table: &Table, visible: VisibleType) -> Vec<u8> {
    let flags = table.columns.iter().map(|c| u8::from(c.visible));
    match visible {
        VisibleType::U8 => flags.collect(),
        VisibleType::F64 => flags.flat_map(|v| f64::from(v).to_le_bytes()).collect(),
    }
}

/// Texts as cells of equal width, that of the longest; at least 1.
pub(super) fn text_bytes(texts: &[String]) -> (usize, Vec<u8>) {
    let width = texts.iter().map(String::len).max().unwrap_or(0).max(1);
    let mut bytes = vec![0u8; width * texts.len()];
    for (cell, text) in bytes.chunks_exact_mut(width).zip(texts) {
        cell[..text.len()].copy_from_slice(text.as_bytes());
    }
    (width, bytes)
}

/// A table of text cells, row by row; the types follow BatchLib's rule.
pub(super) fn of_texts<T: AsRef<str>>(names: Vec<String>, cells: &[T], visible: &[bool]) -> Table {
    let columns = names.len();
    let column = |(c, name): (usize, String)| {
        let cells: Vec<&str> = cells
            .iter()
            .skip(c)
            .step_by(columns)
            .map(AsRef::as_ref)
            .collect();
        Column {
            name,
            values: parse_column(&cells),
            visible: visible.get(c).copied().unwrap_or(true),
        }
    };
    Table {
        columns: names.into_iter().enumerate().map(column).collect(),
    }
}
