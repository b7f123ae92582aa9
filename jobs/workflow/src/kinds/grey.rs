//! Filters of grey morphology.

use std::sync::Arc;

use analysis::accelerator::{GreyFilter, PlaneBuf};
use analysis::morphology::{GreyPixel, opening, white_tophat};
use image_io::Pixels;
use ndarray::{Array2, ArrayView2};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::{Item, JobIo};
use crate::error::Failure;
use crate::graph::Scope;
use crate::kind::{ImageOperation, KindInfo, image_kind, schema_of};
use crate::port::{Holds, Port};

const IN: &[Port] = &[Port::one("image", Holds::Image, "the image")];

/// Runs a filter in the image's own type where that is uint8, uint16, uint32 or float32, else in float32.
macro_rules! in_own_type {
    ($image:expr, $filter:ident, $radius:expr) => {
        match $image {
            Pixels::U8(a) => Pixels::U8(filtered(a, $filter, $radius)?),
            Pixels::U16(a) => Pixels::U16(filtered(a, $filter, $radius)?),
            Pixels::U32(a) => Pixels::U32(filtered(a, $filter, $radius)?),
            Pixels::F32(a) => Pixels::F32(filtered(a, $filter, $radius)?),
            other => Pixels::F32(filtered(&other.to_f32(), $filter, $radius)?),
        }
    };
}

fn filtered<T: GreyPixel>(
    plane: &Array2<T>,
    filter: fn(ArrayView2<'_, T>, usize) -> analysis::Result<Array2<T>>,
    radius: usize,
) -> Result<Array2<T>, Failure> {
    Ok(filter(plane.view(), radius)?)
}

/// Puts out what the accelerator makes of the image; false if it makes nothing.
fn accelerated(io: &mut JobIo<'_>, image: &Arc<Pixels>, filter: GreyFilter, radius: usize) -> bool {
    let done = io.accelerated(image, |accelerator, plane, id| {
        accelerator.grey(filter, radius, plane, Some(id))
    });
    let Some((plane, id)) = done else {
        return false;
    };
    let pixels = Arc::new(match plane {
        PlaneBuf::U8(a) => Pixels::U8(a),
        PlaneBuf::U16(a) => Pixels::U16(a),
        PlaneBuf::U32(a) => Pixels::U32(a),
        PlaneBuf::F32(a) => Pixels::F32(a),
    });
    io.keep_known(&pixels, id);
    io.put("image", Item::Image(pixels));
    true
}

/// Parameters of `filter.opening`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Opening {
    /// Radius of the disk in pixels.
    radius: usize,
}

impl Default for Opening {
    fn default() -> Self {
        Self { radius: 5 }
    }
}

pub(super) static OPENING: KindInfo = KindInfo {
    name: "filter.opening",
    version: 1,
    scope: Scope::ImageSet,
    about: "Removes bright spots smaller than a disk (skimage.morphology.opening; BatchLib's DenoiseByGrayscaleOpening)",
    inputs: IN,
    outputs: &[Port::one(
        "image",
        Holds::Image,
        "the image without bright spots, in its own type",
    )],
    schema: schema_of::<Opening>,
    compile: image_kind::<Opening>,
};

impl ImageOperation for Opening {
    fn run(&self, io: &mut JobIo<'_>) -> Result<(), Failure> {
        let image = io.image("image")?;
        if accelerated(io, &image, GreyFilter::Opening, self.radius) {
            return Ok(());
        }
        let opened = in_own_type!(&*image, opening, self.radius);
        io.put("image", Item::Image(Arc::new(opened)));
        Ok(())
    }

    fn batchlib(&self) -> Option<&'static str> {
        Some("DenoiseByGrayscaleOpening")
    }
}

/// Parameters of `filter.white_tophat`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct WhiteTophat {
    /// Radius of the disk in pixels.
    radius: usize,
}

impl Default for WhiteTophat {
    fn default() -> Self {
        Self { radius: 5 }
    }
}

pub(super) static WHITE_TOPHAT: KindInfo = KindInfo {
    name: "filter.white_tophat",
    version: 1,
    scope: Scope::ImageSet,
    about: "Keeps only bright spots smaller than a disk (skimage.morphology.white_tophat; BatchLib's DenoiseByWhiteTophat)",
    inputs: IN,
    outputs: &[Port::one(
        "image",
        Holds::Image,
        "the bright spots, in the image's own type",
    )],
    schema: schema_of::<WhiteTophat>,
    compile: image_kind::<WhiteTophat>,
};

impl ImageOperation for WhiteTophat {
    fn run(&self, io: &mut JobIo<'_>) -> Result<(), Failure> {
        let image = io.image("image")?;
        if accelerated(io, &image, GreyFilter::WhiteTophat, self.radius) {
            return Ok(());
        }
        let spots = in_own_type!(&*image, white_tophat, self.radius);
        io.put("image", Item::Image(Arc::new(spots)));
        Ok(())
    }

    fn batchlib(&self) -> Option<&'static str> {
        Some("DenoiseByWhiteTophat")
    }
}
