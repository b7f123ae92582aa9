//! The wells of a plate as a grid.

use std::collections::BTreeMap;

use plate::{PlateFormat, WellName};
use queue::{PlateRow, WellSummary};

use super::tone::Tone;

/// Beyond this a grid is no picture any more, and one odd file name could ask for 700 000 cells.
const MOST: u32 = 3456;

/// The wells of a plate.
pub(super) struct Grid {
    pub columns: Vec<u16>,
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
}

#[derive(Clone)]
pub(super) struct Cell {
    pub well: String,
    pub class: &'static str,
    pub letter: &'static str,
    pub label: String,
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
    /// Of the format that the plate says or that its wells ask for. `selected` is a well's canonical name.
    pub(super) fn new(plate: &PlateRow, wells: Vec<WellSummary>, selected: &str) -> Self {
        let mut named = BTreeMap::new();
        let mut others = Vec::new();
        for well in wells {
            match well.well.parse::<WellName>() {
                Ok(name) => {
                    named.insert(name, well);
                }
                Err(_) => others.push(cell(&well, selected)),
            }
        }
        let format = format(plate, &named);
        let mut rows = Vec::new();
        let mut counts = [0_usize; Tone::ALL.len()];
        let mut count = |class: &str| {
            let tone = Tone::ALL.iter().position(|tone| tone.class() == class);
            if let Some(tone) = tone {
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
                    let cell = cell(&well, selected);
                    count(cell.class);
                    cells.push(cell);
                }
                rows.push(Row { letters, cells });
            }
        }
        // What no grid of a sensible size can hold.
        others.extend(named.values().map(|well| cell(well, selected)));
        for other in &others {
            count(other.class);
        }
        let columns = format.map_or(0, |format| format.columns);
        Self {
            columns: (1..=columns).collect(),
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
            others,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.others.is_empty()
    }
}

fn format(plate: &PlateRow, wells: &BTreeMap<WellName, WellSummary>) -> Option<PlateFormat> {
    let said = match (plate.rows, plate.columns) {
        (Some(rows), Some(columns)) => Some(PlateFormat {
            rows: u16::try_from(rows).ok()?,
            columns: u16::try_from(columns).ok()?,
        }),
        _ => None,
    };
    let holds = |format: &PlateFormat| wells.keys().all(|well| format.contains(*well));
    said.filter(holds)
        .or_else(|| PlateFormat::guess(wells.keys().copied()))
        .filter(|format| format.wells() <= MOST)
}

fn cell(well: &WellSummary, selected: &str) -> Cell {
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
    Cell {
        is_selected: well.well == selected,
        well: well.well.clone(),
        class: tone.class(),
        letter: tone.letter(),
        label,
        is_empty: tone == Tone::Empty,
    }
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

    fn size(grid: &Grid) -> (usize, usize) {
        (grid.rows.len(), grid.columns.len())
    }

    #[test]
    fn the_grid_has_the_size_of_the_plate() {
        assert_eq!(size(&Grid::new(&plate(Some((8, 12))), vec![], "")), (8, 12));
        let guessed = Grid::new(&plate(None), vec![well("P24")], "");
        assert_eq!(size(&guessed), (16, 24));
        assert!(Grid::new(&plate(None), vec![], "").is_empty());
    }

    #[test]
    fn rows_go_on_after_z() {
        let grid = Grid::new(&plate(Some((32, 48))), vec![well("AF48")], "AF48");
        assert_eq!(grid.rows[31].letters, "AF");
        let last = grid.rows[31].cells.last().unwrap();
        assert_eq!((last.well.as_str(), last.letter), ("AF48", "W"));
        assert!(last.is_selected && !last.is_empty);
        assert_eq!(grid.size, "dense");
    }

    #[test]
    fn a_well_outside_of_the_stated_size_is_not_lost() {
        let grid = Grid::new(&plate(Some((8, 12))), vec![well("P24")], "");
        assert_eq!(size(&grid), (16, 24));
    }

    #[test]
    fn an_odd_name_does_not_blow_up_the_page() {
        let grid = Grid::new(&plate(Some((8, 12))), vec![well("A01"), well("ZZ999")], "");
        assert_eq!(size(&grid), (0, 0));
        assert_eq!(grid.others.len(), 2);
        let none = Grid::new(&plate(None), vec![well("centre")], "");
        assert_eq!(none.others[0].well, "centre");
    }

    #[test]
    fn the_legend_counts_every_well() {
        let grid = Grid::new(&plate(Some((8, 12))), vec![well("A01")], "");
        let sum: usize = grid.legend.iter().map(|entry| entry.count).sum();
        assert_eq!(sum, 96);
    }
}
