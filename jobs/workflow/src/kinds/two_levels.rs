//! Objects from a map of probabilities.

use std::sync::Arc;

use analysis::threshold::two_levels;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::{Item, JobIo};
use crate::error::Failure;
use crate::graph::Scope;
use crate::kind::{ImageOperation, KindInfo, image_kind, schema_of};
use crate::port::{Holds, Port};

/// Parameters of `segment.two_levels`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct TwoLevels {
    /// Standard deviation of the smoothing that comes first, in pixels; below 0.1 nothing is smoothed.
    sigma: f64,
    /// Objects are where the smoothed map is at least this.
    threshold: f64,
    /// If given, objects are kept only where the smoothed map of cores is at least this somewhere in them.
    core_threshold: Option<f64>,
    /// Smallest number of pixels of an object; with cores, of a core.
    min_size: u64,
    /// Largest number of pixels of an object; with cores, of a core.
    max_size: u64,
}

impl Default for TwoLevels {
    fn default() -> Self {
        Self {
            sigma: 1.0,
            threshold: 0.5,
            core_threshold: None,
            min_size: 10,
            max_size: 1_000_000,
        }
    }
}

pub(super) static TWO_LEVELS: KindInfo = KindInfo {
    name: "segment.two_levels",
    version: 1,
    scope: Scope::ImageSet,
    about: "Smooths a map of probabilities, cuts it at a threshold and labels the parts by size or by their cores (ilastik ThresholdTwoLevels: equal masks)",
    inputs: &[
        Port::one("map", Holds::Image, "probabilities, high in objects"),
        Port::one(
            "cores",
            Holds::Image,
            "the map in which cores are looked for; by default the same",
        )
        .optional(),
    ],
    outputs: &[Port::one("labels", Holds::Labels, "the objects")],
    schema: schema_of::<TwoLevels>,
    compile: image_kind::<TwoLevels>,
};

impl ImageOperation for TwoLevels {
    fn run(&self, io: &mut JobIo<'_>) -> Result<(), Failure> {
        let map = io.float("map")?;
        let cores = if io.has("cores") {
            io.float("cores")?
        } else {
            Arc::clone(&map)
        };
        let how = two_levels_of(self);
        let labels = two_levels(map.view(), cores.view(), &how)?;
        io.put("labels", Item::Labels(Arc::new(labels)));
        Ok(())
    }
}

fn two_levels_of(parameters: &TwoLevels) -> analysis::threshold::TwoLevels {
    analysis::threshold::TwoLevels {
        sigma: [parameters.sigma; 2],
        threshold: parameters.threshold,
        sizes: parameters.min_size..=parameters.max_size,
        core_threshold: parameters.core_threshold,
    }
}
