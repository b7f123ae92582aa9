//! Thresholds.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::{Item, JobIo};
use crate::error::Failure;
use crate::graph::Scope;
use crate::kind::{ImageOperation, KindInfo, image_kind, schema_of};
use crate::port::{Holds, Port};

/// How the threshold is found.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Method {
    /// skimage.filters.threshold_otsu.
    #[default]
    Otsu,
    /// skimage.filters.threshold_li.
    Li,
    /// skimage.filters.threshold_triangle.
    Triangle,
    /// skimage.filters.threshold_local with a Gaussian, one threshold a pixel.
    Local,
    /// The number in `value`.
    Fixed,
}

/// Parameters of `segment.threshold`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Threshold {
    /// otsu, li, triangle, local or fixed.
    method: Method,
    /// The threshold of method `fixed`.
    value: f64,
    /// Odd side of the neighbourhood of method `local`, in pixels.
    block_size: usize,
    /// Subtracted from the threshold of method `local`.
    offset: f64,
    /// The found threshold is multiplied by this.
    factor: f64,
    /// The threshold is at least this (not for `local` and `fixed`): keeps an image without objects from being cut into noise.
    minimum: Option<f64>,
    /// True where the image is below the threshold, not above: for probabilities of background.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    below: bool,
}

impl Default for Threshold {
    fn default() -> Self {
        Self {
            method: Method::Otsu,
            value: 0.0,
            block_size: 51,
            offset: 0.0,
            factor: 1.0,
            minimum: None,
            below: false,
        }
    }
}

pub(super) static THRESHOLD: KindInfo = KindInfo {
    name: "segment.threshold",
    version: 1,
    scope: Scope::ImageSet,
    about: "True where the image is above a threshold, or below it (skimage.filters.threshold_*)",
    inputs: &[Port::one("image", Holds::Image, "the image")],
    outputs: &[Port::one(
        "mask",
        Holds::Mask,
        "true above the threshold; below it with `below`",
    )],
    schema: schema_of::<Threshold>,
    compile: image_kind::<Threshold>,
};

impl ImageOperation for Threshold {
    fn run(&self, io: &mut JobIo<'_>) -> Result<(), Failure> {
        use analysis::threshold as t;
        let image = io.float("image")?;
        let view = image.view();
        let level = match self.method {
            Method::Local => {
                let levels =
                    t::local(view, self.block_size, t::LocalMethod::Gaussian, self.offset)?;
                let factor = self.factor;
                let beyond = |v: f32, l: f32| self.is_beyond(v, f64::from(l) * factor);
                let mask = ndarray::Zip::from(view)
                    .and(&levels)
                    .map_collect(|&v, &l| beyond(v, l));
                io.put("mask", Item::Mask(Arc::new(mask)));
                return Ok(());
            }
            Method::Fixed => self.value * self.factor,
            Method::Otsu => self.bounded(t::otsu(view)?),
            Method::Li => self.bounded(t::li(view)?),
            Method::Triangle => self.bounded(t::triangle(view)?),
        };
        let mask = if self.below {
            view.mapv(|v| self.is_beyond(v, level))
        } else {
            t::above(view, level)
        };
        io.put("mask", Item::Mask(Arc::new(mask)));
        Ok(())
    }
}

impl Threshold {
    /// Whether a value is on the wanted side of the threshold. What equals it, or is not a number, is on none.
    fn is_beyond(&self, value: f32, level: f64) -> bool {
        if self.below {
            f64::from(value) < level
        } else {
            f64::from(value) > level
        }
    }

    fn bounded(&self, found: f64) -> f64 {
        let level = found * self.factor;
        self.minimum.map_or(level, |least| level.max(least))
    }
}
