//! The wells of a plate as a grid.

use std::collections::BTreeMap;

use plate::WellName;
use queue::{PlateRow, WellSummary};

use super::plate::measured::{Shade, Values};
use super::tone::Tone;
use crate::selection::{Selection, format_of};

/// What the cells show.
pub(super) enum Shown<'a> {
    /// How far each well is.
    State,
    /// A value of each well.
    Values(&'a Values),
    /// A picture of each well: the address by the well's name.
    Pictures(&'a BTreeMap<String, String>),
}

/// The wells of a plate.
pub(super) struct Grid {
    pub columns: Vec<u16>,
    /// A value for each column, below it, where values are shown.
    pub feet: Vec<Option<Margin>>,
    pub rows: Vec<Row>,
    /// How large the cells are: `few`, `many` or `dense`.
    pub size: &'static str,
    pub legend: Vec<Legend>,
    /// Wells that are not in the grid, by name.
    pub others: Vec<Cell>,
}

pub(super) struct Row {
    pub letters: String,
    pub cells: Vec<Cell>,
    /// A value for the row, where values are shown.
    pub margin: Option<Margin>,
}

/// A value at the edge of the grid.
pub(super) struct Margin {
    pub class: String,
    pub text: String,
    pub label: String,
}

impl From<Shade> for Margin {
    fn from(shade: Shade) -> Self {
        let Shade { class, text, label } = shade;
        Self { class, text, label }
    }
}

#[derive(Clone)]
pub(super) struct Cell {
    pub well: String,
    pub class: String,
    pub text: String,
    pub label: String,
    /// Address of a picture.
    pub picture: Option<String>,
    /// What a person should know of the well beside its picture: class and letter of its state, unless all is done.
    pub badge: Option<(&'static str, &'static str)>,
    pub is_empty: bool,
    pub is_selected: bool,
}

pub(super) struct Legend {
    pub class: &'static str,
    pub letter: &'static str,
    pub word: &'static str,
    pub meaning: &'static str,
    pub count: usize,
}

impl Grid {
    /// Of the format that the plate says or that its wells ask for.
    pub(super) fn new(
        plate: &PlateRow,
        wells: Vec<WellSummary>,
        selected: &Selection,
        shown: &Shown<'_>,
    ) -> Self {
        let format = format_of(plate, &wells);
        let mut named = BTreeMap::new();
        let cell = |well: &WellSummary| cell(well, selected, shown);
        let mut others: Vec<WellSummary> = Vec::new();
        for well in wells {
            match well.well.parse::<WellName>() {
                Ok(name) => {
                    named.insert(name, well);
                }
                Err(_) => others.push(well),
            }
        }
        let mut rows = Vec::new();
        let mut counts = [0_usize; Tone::ALL.len()];
        let mut count = |well: &WellSummary| {
            let tone = Tone::of_well(well.image_sets, well.tasks);
            if let Some(tone) = Tone::ALL.iter().position(|known| *known == tone) {
                counts[tone] += 1;
            }
        };
        if let Some(format) = format {
            for row in 0..format.rows {
                let mut cells = Vec::with_capacity(format.columns.into());
                let mut letters = String::new();
                for column in 1..=format.columns {
                    let Ok(name) = WellName::from_row_column(row, column) else {
                        continue;
                    };
                    letters = name.row_letters();
                    let well = named.remove(&name);
                    let well = well.unwrap_or_else(|| WellSummary {
                        well: name.to_string(),
                        ..WellSummary::default()
                    });
                    count(&well);
                    cells.push(cell(&well));
                }
                let margin = shown.margin(&format!("row {letters}"), |well| well.row() == row);
                rows.push(Row {
                    letters,
                    cells,
                    margin,
                });
            }
        }
        // What no grid of a sensible size can hold.
        others.extend(named.into_values());
        others.iter().for_each(&mut count);
        let columns = format.map_or(0, |format| format.columns);
        Self {
            columns: (1..=columns).collect(),
            feet: (1..=columns)
                .map(|column| {
                    shown.margin(&format!("column {column}"), |well| well.column() == column)
                })
                .collect(),
            rows,
            size: match columns {
                0..=12 => "few",
                13..=24 => "many",
                _ => "dense",
            },
            legend: Tone::ALL
                .into_iter()
                .zip(counts)
                .filter(|(_, count)| *count > 0)
                .map(|(tone, count)| Legend {
                    class: tone.class(),
                    letter: tone.letter(),
                    word: tone.word(),
                    meaning: tone.meaning(),
                    count,
                })
                .collect(),
            others: others.iter().map(cell).collect(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.others.is_empty()
    }
}

impl Shown<'_> {
    fn margin(&self, what: &str, is_in: impl Fn(WellName) -> bool) -> Option<Margin> {
        match self {
            Self::Values(values) => values.margin(what, is_in).map(Into::into),
            Self::State | Self::Pictures(_) => None,
        }
    }
}

fn cell(well: &WellSummary, selected: &Selection, shown: &Shown<'_>) -> Cell {
    let tone = Tone::of_well(well.image_sets, well.tasks);
    let sets = well.image_sets.total();
    let mut label = format!("{}: {}", well.well, tone.word());
    if tone != Tone::Empty {
        let s = if sets == 1 { "" } else { "s" };
        let (done, all) = (well.tasks.succeeded, well.tasks.total());
        label.push_str(&format!(
            ", {sets} image set{s}, {done} of {all} tasks done"
        ));
        let failed = well.tasks.failed + well.tasks.quarantined;
        if failed > 0 {
            label.push_str(&format!(", {failed} failed"));
        }
    }
    let mut cell = Cell {
        is_selected: selected.has(&well.well),
        well: well.well.clone(),
        class: tone.class().to_owned(),
        text: tone.letter().to_owned(),
        label,
        picture: None,
        badge: None,
        is_empty: tone == Tone::Empty,
    };
    match shown {
        Shown::State => {}
        Shown::Values(values) => {
            if let Some(Shade { class, text, label }) = values.shade(&well.well) {
                (cell.class, cell.text, cell.label) = (class, text, label);
            }
        }
        Shown::Pictures(pictures) => {
            cell.picture = pictures.get(&well.well).cloned();
            cell.badge = (tone != Tone::Done).then(|| (tone.class(), tone.letter()));
        }
    }
    cell
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use queue::{PlateId, PlateState, RootId};

    use super::*;

    fn plate(size: Option<(u32, u32)>) -> PlateRow {
        PlateRow {
            id: PlateId(1),
            root: RootId(1),
            key: "p".into(),
            name: "p".into(),
            directory: "p".into(),
            output: "/r".into(),
            state: PlateState::Arriving,
            decided_by: None,
            detail: None,
            expected: None,
            rows: size.map(|size| size.0),
            columns: size.map(|size| size.1),
            created_at: jiff::Timestamp::UNIX_EPOCH,
            last_arrival: None,
            completed_at: None,
            finished_at: None,
        }
    }

    fn well(name: &str) -> WellSummary {
        WellSummary {
            well: name.into(),
            image_sets: queue::SubjectCounts {
                complete: 1,
                ..Default::default()
            },
            ..WellSummary::default()
        }
    }

    fn grid(size: Option<(u32, u32)>, wells: Vec<WellSummary>) -> Grid {
        let selected = Selection::parse("AF48", None);
        Grid::new(&plate(size), wells, &selected, &Shown::State)
    }

    fn size(grid: &Grid) -> (usize, usize) {
        (grid.rows.len(), grid.columns.len())
    }

    #[test]
    fn the_grid_has_the_size_of_the_plate() {
        assert_eq!(size(&grid(Some((8, 12)), vec![])), (8, 12));
        let guessed = grid(None, vec![well("P24")]);
        assert_eq!(size(&guessed), (16, 24));
        assert!(grid(None, vec![]).is_empty());
    }

    #[test]
    fn rows_go_on_after_z() {
        let grid = grid(Some((32, 48)), vec![well("AF48")]);
        assert_eq!(grid.rows[31].letters, "AF");
        let last = grid.rows[31].cells.last().unwrap();
        assert_eq!((last.well.as_str(), last.text.as_str()), ("AF48", "W"));
        assert!(last.is_selected && !last.is_empty);
        assert_eq!(grid.size, "dense");
    }

    #[test]
    fn a_well_outside_of_the_stated_size_is_not_lost() {
        let grid = grid(Some((8, 12)), vec![well("P24")]);
        assert_eq!(size(&grid), (16, 24));
    }

    #[test]
    fn an_odd_name_does_not_blow_up_the_page() {
        let odd = grid(Some((8, 12)), vec![well("A01"), well("ZZ999")]);
        assert_eq!(size(&odd), (0, 0));
        assert_eq!(odd.others.len(), 2);
        let none = grid(None, vec![well("centre")]);
        assert_eq!(none.others[0].well, "centre");
    }

    #[test]
    fn the_legend_counts_every_well() {
        let grid = grid(Some((8, 12)), vec![well("A01")]);
        let sum: usize = grid.legend.iter().map(|entry| entry.count).sum();
        assert_eq!(sum, 96);
    }
}
