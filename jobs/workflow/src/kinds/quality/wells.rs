//! Wells with too few cells or no signal.

use std::collections::BTreeMap;

use analysis::cell_scores::median;
use image_io::table::{Column, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::Failure;
use crate::graph::{Bindings, Scope};
use crate::kind::{KindInfo, PlateOperation, plate_kind, schema_of};
use crate::kinds::cells::{at_level, channel_of, single};
use crate::kinds::cells_of_image::CellsOfImage;
use crate::plate_context::PlateIo;
use crate::port::{Holds, Port};

/// Parameters of `qc.wells`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Wells {
    /// Wells with fewer control cells (not infected, no outliers) are outliers.
    min_control_cells: Option<u64>,
    /// Wells with fewer infected cells are outliers.
    min_infected_cells: Option<u64>,
    /// Wells whose infected cells have a median intensity above the background of less than this are outliers. Not set:
    /// `min_infected_mads` decides.
    min_infected_intensity: Option<f64>,
    /// The same, in MADs of the background; 0 turns it off.
    min_infected_mads: f64,
    /// Wells whose infected or control cells are dimmer than the background, so that a ratio of the two is negative, are outliers. BatchLib
    /// means to do this but compares with a wrong name, so its check never holds; `false` reproduces that.
    check_ratios: bool,
}

impl Default for Wells {
    fn default() -> Self {
        Self {
            min_control_cells: Some(100),
            min_infected_cells: None,
            min_infected_intensity: None,
            min_infected_mads: 3.0,
            check_ratios: true,
        }
    }
}

pub(in super::super) static WELLS: KindInfo = KindInfo {
    name: "qc.wells",
    version: 1,
    scope: Scope::Plate,
    about: "Marks wells with too few control or infected cells, or too dim infected cells (BatchLib WellLevelQC)",
    inputs: &[
        Port::one(
            "serum",
            Holds::Table,
            "features of the cells in the serum channel",
        ),
        Port::one(
            "classification",
            Holds::Table,
            "which cells are infected (classify.infected)",
        ),
        Port::one(
            "background",
            Holds::PlateTables,
            "plate table with the background of the serum channel",
        ),
        Port::one("cell_outliers", Holds::Table, "outlier cells (qc.cells)").optional(),
    ],
    outputs: &[Port::one(
        "table",
        Holds::PlateTables,
        "wells/<name>: well_name, is_outlier, outlier_type (`none`, or reasons joined by `;`)",
    )],
    schema: schema_of::<Wells>,
    compile: plate_kind::<Wells>,
};

/// The cells of a well; outlier images count too, outlier cells do not.
#[derive(Default)]
struct Pool {
    control: Vec<f64>,
    infected: Vec<f64>,
}

impl PlateOperation for Wells {
    fn run(&self, io: &mut PlateIo<'_>) -> Result<(), Failure> {
        let names = |port: &str| io.names(port).into_iter().next();
        let serum = names("serum").unwrap_or_default();
        let classification = names("classification").unwrap_or_default();
        let cell_outliers = names("cell_outliers");
        let background = at_level("plate", &names("background").unwrap_or_default());
        let table = io.plate_table(&background)?;
        let channel = channel_of(&serum);
        let middle = single(&table, &background, &format!("{channel}_median"))?;
        let least = match self.min_infected_intensity {
            Some(value) => Some(value),
            None if self.min_infected_mads > 0.0 => {
                let mad = single(&table, &background, &format!("{channel}_mad"))?;
                Some(self.min_infected_mads * mad)
            }
            None => None,
        };
        let mut wells: BTreeMap<plate::WellName, Pool> = BTreeMap::new();
        for member in io.members() {
            let pool = wells.entry(member.well).or_default();
            if io.failed(member).is_some() {
                continue;
            }
            let cells = CellsOfImage::read(io, member, &classification, cell_outliers.as_deref())?;
            let features = cells.features(io, member, &serum, middle)?;
            for cell in features.into_iter().filter(|c| !c.outlier) {
                if cell.infected {
                    pool.infected.push(cell.mean);
                } else if cell.control {
                    pool.control.push(cell.mean);
                }
            }
        }
        let mut columns = (vec![], vec![], vec![]);
        for (well, pool) in wells {
            let reasons = self.judge(pool, least);
            columns.0.push(well.to_string());
            columns.1.push(i64::from(!reasons.is_empty()));
            columns.2.push(if reasons.is_empty() {
                "none".to_owned()
            } else {
                reasons.join(";")
            });
        }
        let output = at_level("wells", io.output("table").unwrap_or("outliers"));
        io.put_table(
            &output,
            Table {
                columns: vec![
                    Column::text("well_name", columns.0),
                    Column::int("is_outlier", columns.1),
                    Column::text("outlier_type", columns.2),
                ],
            },
        );
        Ok(())
    }

    fn check(&self, _inputs: &Bindings, _outputs: &Bindings) -> Vec<String> {
        if self.min_infected_mads >= 0.0 {
            Vec::new()
        } else {
            vec![format!(
                "min_infected_mads is {}; it must be at least 0",
                self.min_infected_mads
            )]
        }
    }

    fn batchlib(&self) -> Option<&'static str> {
        Some("WellLevelQC")
    }
}

impl Wells {
    fn judge(&self, pool: Pool, least: Option<f64>) -> Vec<&'static str> {
        let fewer = |cells: usize, min: Option<u64>| min.is_some_and(|min| (cells as u64) < min);
        let mut reasons = Vec::new();
        if fewer(pool.control.len(), self.min_control_cells) {
            reasons.push("too few control cells");
        }
        if fewer(pool.infected.len(), self.min_infected_cells) {
            reasons.push("too few infected cells");
        }
        let (infected, control) = (median(pool.infected), median(pool.control));
        // Without infected cells the median is NaN, and nothing is too dim.
        if least.is_some_and(|least| infected < least) {
            reasons.push("too low infected cell intensity");
        }
        if self.check_ratios && infected / control < 0.0 {
            reasons.push("negative ratio");
        }
        reasons
    }
}
