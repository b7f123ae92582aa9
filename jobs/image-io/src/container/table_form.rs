//! The two forms of a table in a container: text cells for BatchLib and PlateViewer, typed columns for speed.

mod read;
mod write;

pub(super) use read::{read_cells, read_typed};
pub(super) use write::{write_cells, write_typed};

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
