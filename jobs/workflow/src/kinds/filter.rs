//! Linear filters.

use std::sync::Arc;

use image_io::Pixels;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::{Item, JobIo};
use crate::error::Failure;
use crate::graph::Scope;
use crate::kind::{ImageOperation, KindInfo, image_kind, schema_of};
use crate::port::{Holds, Port};

/// Parameters of `filter.gaussian`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Gaussian {
    /// Standard deviation in pixels.
    sigma: f64,
}

impl Default for Gaussian {
    fn default() -> Self {
        Self { sigma: 1.0 }
    }
}

pub(super) static GAUSSIAN: KindInfo = KindInfo {
    name: "filter.gaussian",
    version: 1,
    scope: Scope::ImageSet,
    about: "Gaussian smoothing, float32 (skimage.filters.gaussian, preserve_range, mode nearest)",
    inputs: &[Port::one("image", Holds::Image, "the image")],
    outputs: &[Port::one(
        "image",
        Holds::Image,
        "the smoothed image, float32",
    )],
    schema: schema_of::<Gaussian>,
    compile: image_kind::<Gaussian>,
};

impl ImageOperation for Gaussian {
    fn run(&self, io: &mut JobIo<'_>) -> Result<(), Failure> {
        let image = io.float("image")?;
        let smoothed = analysis::gaussian::gaussian(image.view(), self.sigma)?;
        io.put("image", Item::Image(Arc::new(Pixels::F32(smoothed))));
        Ok(())
    }
}
