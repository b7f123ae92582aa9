//! The cells of one image as jobs of plate scope see them: infected, control or outlier, with their intensities.

use std::collections::{BTreeMap, BTreeSet};

use super::cells::{by_label, labels, numbers};
use crate::error::Failure;
use crate::plate_context::{PlateIo, PlateMember};

/// Which cells of an image are what. Label 0 is the background and no cell.
pub(super) struct CellsOfImage {
    infected: BTreeSet<i64>,
    control: BTreeSet<i64>,
    outliers: BTreeSet<i64>,
}

/// One cell in one channel; intensities are above the background.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    pub infected: bool,
    pub control: bool,
    pub outlier: bool,
    pub sum: f64,
    pub mean: f64,
    pub size: f64,
}

impl CellsOfImage {
    pub(super) fn read(
        io: &PlateIo<'_>,
        member: &PlateMember,
        classification: &str,
        cell_outliers: Option<&str>,
    ) -> Result<Self, Failure> {
        let set = |values: BTreeMap<i64, f64>| -> BTreeSet<i64> {
            let marked = values.into_iter().filter(|(_, v)| *v > 0.5);
            marked.map(|(label, _)| label).collect()
        };
        let table = io.object_table(member, classification)?;
        let outliers = match cell_outliers {
            Some(name) => set(by_label(
                &io.object_table(member, name)?,
                name,
                "is_outlier",
            )?),
            None => BTreeSet::new(),
        };
        Ok(Self {
            infected: set(by_label(&table, classification, "is_infected")?),
            control: set(by_label(&table, classification, "is_control")?),
            outliers,
        })
    }

    /// Number of outliers, the background included where it was judged.
    pub(super) fn outliers(&self) -> usize {
        self.outliers.len()
    }

    /// The cells of a feature table, its background value taken away.
    pub(super) fn features(
        &self,
        io: &PlateIo<'_>,
        member: &PlateMember,
        features: &str,
        background: f64,
    ) -> Result<Vec<Cell>, Failure> {
        let table = io.object_table(member, features)?;
        let (sums, means) = (
            numbers(&table, features, "sums")?,
            numbers(&table, features, "means")?,
        );
        let sizes = numbers(&table, features, "sizes")?;
        let cells = labels(&table, features)?.into_iter().enumerate();
        Ok(cells
            .filter(|(_, label)| *label != 0)
            .map(|(row, label)| Cell {
                infected: self.infected.contains(&label),
                control: self.control.contains(&label),
                outlier: self.outliers.contains(&label),
                sum: sums[row] - background * sizes[row],
                mean: means[row] - background,
                size: sizes[row],
            })
            .collect())
    }
}
