//! Seeds for a watershed.

use std::sync::Arc;

use analysis::components::Connectivity;
use analysis::peaks::{PeakOptions, h_maxima, peak_local_max};
use analysis::watershed::place_markers;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::{Item, JobIo};
use crate::error::Failure;
use crate::graph::Scope;
use crate::kind::{ImageOperation, KindInfo, image_kind, schema_of};
use crate::port::{Holds, Port};

const OUT: &[Port] = &[Port::one(
    "seeds",
    Holds::Labels,
    "the seeds, numbered from 1",
)];

/// Parameters of `seeds.peaks`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Peaks {
    /// Least distance between two peaks in pixels.
    min_distance: usize,
}

impl Default for Peaks {
    fn default() -> Self {
        Self { min_distance: 5 }
    }
}

pub(super) static PEAKS: KindInfo = KindInfo {
    name: "seeds.peaks",
    version: 1,
    scope: Scope::ImageSet,
    about: "One seed a local maximum, at least `min_distance` apart (skimage.feature.peak_local_max within each component of the mask)",
    inputs: &[
        Port::one("image", Holds::Image, "for example distances"),
        Port::one("mask", Holds::Mask, "where peaks are looked for"),
    ],
    outputs: OUT,
    schema: schema_of::<Peaks>,
    compile: image_kind::<Peaks>,
};

impl ImageOperation for Peaks {
    fn run(&self, io: &mut JobIo<'_>) -> Result<(), Failure> {
        let (image, mask) = (io.float("image")?, io.mask("mask")?);
        let parts = io.label(mask.view(), Connectivity::Corners);
        let options = PeakOptions {
            min_distance: self.min_distance,
            ..PeakOptions::default()
        };
        let seeds = place_markers(
            &peak_local_max(image.view(), Some(parts.view()), options)?,
            image.dim(),
        );
        io.put("seeds", Item::Labels(Arc::new(seeds)));
        Ok(())
    }
}

/// Parameters of `seeds.h_maxima`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct HMaxima {
    /// Least height of a maximum above the saddle to a higher one, in the image's units.
    h: f64,
}

impl Default for HMaxima {
    fn default() -> Self {
        Self { h: 1.0 }
    }
}

pub(super) static H_MAXIMA: KindInfo = KindInfo {
    name: "seeds.h_maxima",
    version: 1,
    scope: Scope::ImageSet,
    about: "One seed a maximum that rises at least `h` above its surroundings (skimage.morphology.h_maxima, then label)",
    inputs: &[Port::one("image", Holds::Image, "for example distances")],
    outputs: OUT,
    schema: schema_of::<HMaxima>,
    compile: image_kind::<HMaxima>,
};

impl ImageOperation for HMaxima {
    fn run(&self, io: &mut JobIo<'_>) -> Result<(), Failure> {
        let image = io.float("image")?;
        let maxima = h_maxima(image.view(), self.h)?;
        let seeds = io.label(maxima.view(), Connectivity::Corners);
        io.put("seeds", Item::Labels(Arc::new(seeds)));
        Ok(())
    }
}
