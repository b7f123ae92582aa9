//! Plate formats: how many rows and columns a plate has.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::WellName;

/// Rows and columns of a plate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PlateFormat {
    /// Number of rows.
    pub rows: u16,
    /// Number of columns.
    pub columns: u16,
}

impl PlateFormat {
    /// The plates that are sold, smallest first: 6, 12, 24, 48, 96, 384, 1536 and 3456 wells.
    pub const STANDARD: [Self; 8] = [
        Self {
            rows: 2,
            columns: 3,
        },
        Self {
            rows: 3,
            columns: 4,
        },
        Self {
            rows: 4,
            columns: 6,
        },
        Self {
            rows: 6,
            columns: 8,
        },
        Self {
            rows: 8,
            columns: 12,
        },
        Self {
            rows: 16,
            columns: 24,
        },
        Self {
            rows: 32,
            columns: 48,
        },
        Self {
            rows: 48,
            columns: 72,
        },
    ];

    /// The smallest standard plate that has all these wells.
    ///
    /// Wells beyond the largest standard plate give a custom format that just holds them. `None` when there is no well.
    pub fn guess(wells: impl IntoIterator<Item = WellName>) -> Option<Self> {
        let need = wells.into_iter().fold(None, |need: Option<Self>, well| {
            let rows = well.row() + 1;
            let columns = well.column();
            Some(need.map_or(Self { rows, columns }, |n| Self {
                rows: n.rows.max(rows),
                columns: n.columns.max(columns),
            }))
        })?;
        let holds = |plate: &Self| plate.rows >= need.rows && plate.columns >= need.columns;
        Some(Self::STANDARD.into_iter().find(holds).unwrap_or(need))
    }

    /// How many wells the plate has.
    #[must_use]
    pub fn wells(self) -> u32 {
        u32::from(self.rows) * u32::from(self.columns)
    }

    /// Whether the plate has this well.
    #[must_use]
    pub fn contains(self, well: WellName) -> bool {
        well.row() < self.rows && well.column() <= self.columns
    }
}

impl fmt::Display for PlateFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} wells, {} × {}",
            self.wells(),
            self.rows,
            self.columns
        )
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn guess(wells: &[&str]) -> Option<PlateFormat> {
        PlateFormat::guess(wells.iter().map(|w| w.parse().unwrap()))
    }

    #[test]
    fn the_smallest_plate_that_fits() {
        assert_eq!(guess(&[]), None);
        for (wells, count) in [
            (&["A01"][..], 6),
            (&["B03"], 6),
            (&["A04"], 12),
            (&["D01"], 24),
            (&["A07"], 48),
            (&["H01"], 96),
            (&["A09"], 96),
            (&["I01"], 384),
            (&["A13"], 384),
            (&["P24"], 384),
            (&["AF48"], 1536),
            (&["A01", "Q01"], 1536),
            (&["AV72"], 3456),
        ] {
            assert_eq!(guess(wells).unwrap().wells(), count, "{wells:?}");
        }
        assert_eq!(
            guess(&["A120"]).unwrap(),
            PlateFormat {
                rows: 1,
                columns: 120
            }
        );
        assert_eq!(guess(&["H12"]).unwrap().to_string(), "96 wells, 8 × 12");
    }
}
