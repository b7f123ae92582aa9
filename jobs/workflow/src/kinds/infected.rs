//! Which cells are infected.

use image_io::table::{Column, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cells::{at_level, channel_of, known, labels, numbers, single};
use crate::context::JobIo;
use crate::error::Failure;
use crate::graph::Scope;
use crate::kind::{ImageOperation, KindInfo, image_kind, schema_of};
use crate::port::{Holds, Port};

/// Parameters of `classify.infected`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Infected {
    /// A cell is infected if its statistic is so far above the background: in MADs of the background, or in units of the image.
    threshold: f64,
    /// Column of the feature table that is compared.
    split_statistic: String,
    /// Whether the threshold counts MADs of the background.
    scale_with_mad: bool,
}

impl Default for Infected {
    fn default() -> Self {
        Self {
            threshold: 6.2,
            split_statistic: "top50".to_owned(),
            scale_with_mad: true,
        }
    }
}

pub(super) static INFECTED: KindInfo = KindInfo {
    name: "classify.infected",
    version: 1,
    scope: Scope::ImageSet,
    about: "Splits cells into infected and control cells by a statistic of the marker channel (BatchLib FindInfectedCells)",
    inputs: &[
        Port::one(
            "table",
            Holds::Table,
            "features of the cells in the marker channel",
        ),
        Port::one(
            "background",
            Holds::PlateTables,
            "plate table with the marker's background",
        ),
    ],
    outputs: &[Port::many(
        "tables",
        Holds::Table,
        "label_id, is_infected, is_control (0 or 1); a second name is another name of the same table",
    )
    .unpaired()],
    schema: schema_of::<Infected>,
    compile: image_kind::<Infected>,
};

impl ImageOperation for Infected {
    fn run(&self, io: &mut JobIo<'_>) -> Result<(), Failure> {
        let name = io.names("table").remove(0);
        let background = at_level("plate", &io.names("background").remove(0));
        let channel = channel_of(&name).to_owned();
        let plate = io.plate_table(&background)?;
        let value =
            |column: String| known(single(&plate, &background, &column)?, &background, &column);
        let middle = value(format!("{channel}_median"))?;
        let unit = if self.scale_with_mad {
            value(format!("{channel}_mad"))?
        } else {
            1.0
        };
        let table = io.table("table")?;
        let labels = labels(&table, &name)?;
        let statistic = numbers(&table, &name, &self.split_statistic)?;
        let limit = self.threshold * unit + middle;
        let is = |wanted: bool| -> Vec<f64> {
            let cells = labels.iter().zip(&statistic);
            cells
                .map(|(label, value)| {
                    f64::from(u8::from(*label != 0 && (*value > limit) == wanted))
                })
                .collect()
        };
        #[allow(clippy::cast_precision_loss)]
        let classified = Table {
            columns: vec![
                Column::float("label_id", labels.iter().map(|&l| l as f64).collect()),
                Column::float("is_infected", is(true)),
                Column::float("is_control", is(false)),
            ],
        };
        for index in 0..io.output_names("tables").len() {
            io.put_nth_table("tables", index, classified.clone());
        }
        Ok(())
    }

    fn batchlib(&self) -> Option<&'static str> {
        Some("FindInfectedCells")
    }
}
