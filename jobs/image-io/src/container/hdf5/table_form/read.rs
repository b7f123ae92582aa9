//! Reads either form of a table.

use crate::PixelType;
use crate::container::hdf5::ffi::{Failure, Handle, attribute, dataset, link};
use crate::container::table_form::{MOST_CELLS, of_texts, typed_key};
use crate::container::{Attribute, TABLES, TYPED};
use crate::table::{Table, Values};

/// Reads `/tables/<name>`: cells as text, then the types by BatchLib's rule.
pub fn read_cells(group: &Handle) -> Result<Table, Failure> {
    let texts = |name: &str| {
        let data = dataset::open(group, name)?;
        let described = dataset::describe_dataset(&data)?;
        check_cells(name, described.elements())?;
        dataset::plausible(&data, &described)?;
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
    Ok(of_texts(names, &cells, &visible))
}

fn check_cells(name: &str, cells: Option<u64>) -> Result<(), Failure> {
    match cells {
        Some(cells) if cells <= MOST_CELLS => Ok(()),
        _ => Err(Failure(format!("{name} has more than {MOST_CELLS} cells"))),
    }
}

fn read_flags(group: &Handle) -> Result<Vec<bool>, Failure> {
    if !link::exists(group, "visible")? {
        return Ok(Vec::new());
    }
    let data = dataset::open(group, "visible")?;
    let described = dataset::describe_dataset(&data)?;
    dataset::plausible(&data, &described)?;
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
pub fn read_typed(file: &Handle, name: &str) -> Result<Option<Table>, Failure> {
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
    check_cells(
        "cells",
        extents.iter().try_fold(1_u64, |n, e| n.checked_mul(*e)),
    )?;
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
        dataset::plausible(&data, &described)?;
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
