//! Scores of an image without cells.

use image_io::table::{Column, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::JobIo;
use crate::error::Failure;
use crate::graph::Scope;
use crate::kind::{ImageOperation, KindInfo, image_kind, schema_of};
use crate::port::{Holds, Port};

/// Parameters of `analyse.pixel_level`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct PixelLevel {
    /// A pixel is infected, or not infected, where that probability is above this.
    threshold: f64,
}

impl Default for PixelLevel {
    fn default() -> Self {
        Self { threshold: 0.5 }
    }
}

pub(super) static PIXEL_LEVEL: KindInfo = KindInfo {
    name: "analyse.pixel_level",
    version: 1,
    scope: Scope::ImageSet,
    about: "Compares the serum of infected and not infected pixels (BatchLib's PixellevelAnalysis)",
    inputs: &[
        Port::one("serum", Holds::Image, "the serum channel"),
        Port::one("infected", Holds::Image, "probability of an infected cell"),
        Port::one(
            "not_infected",
            Holds::Image,
            "probability of a cell that is not infected",
        ),
        Port::one(
            "mask",
            Holds::Mask,
            "where cells are; the background is the mean outside",
        )
        .optional(),
    ],
    outputs: &[Port::one("table", Holds::Table, "one row")],
    schema: schema_of::<PixelLevel>,
    compile: image_kind::<PixelLevel>,
};

impl ImageOperation for PixelLevel {
    fn run(&self, io: &mut JobIo<'_>) -> Result<(), Failure> {
        let serum = io.float("serum")?;
        let [infected, not_infected] = [io.float("infected")?, io.float("not_infected")?]
            .map(|map| analysis::threshold::above(map.view(), self.threshold));
        let mask = if io.has("mask") {
            Some(io.mask("mask")?)
        } else {
            None
        };
        let found = analysis::pixel_level::pixel_level(
            serum.view(),
            infected.view(),
            not_infected.view(),
            mask.as_ref().map(|mask| mask.view()),
        )?;
        let columns = found.columns().into_iter();
        let columns = columns.map(|(name, value)| Column::float(name, vec![value]));
        io.put_table(
            "table",
            Table {
                columns: columns.collect(),
            },
        );
        Ok(())
    }

    fn batchlib(&self) -> Option<&'static str> {
        Some("PixellevelAnalysis")
    }
}
