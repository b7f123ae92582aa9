//! Operations on masks.

use std::sync::Arc;

use analysis::components::Connectivity;
use analysis::morphology::{Element, Outside, SizeLimit};
use image_io::Pixels;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::{Item, JobIo};
use crate::error::Failure;
use crate::graph::Scope;
use crate::kind::{ImageOperation, KindInfo, image_kind, schema_of};
use crate::port::{Holds, Port};

const IN: &[Port] = &[Port::one("mask", Holds::Mask, "the mask")];
const OUT: &[Port] = &[Port::one("mask", Holds::Mask, "the new mask")];

/// `mask.fill_holes` has no parameters.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct FillHoles {}

pub(super) static FILL_HOLES: KindInfo = KindInfo {
    name: "mask.fill_holes",
    version: 1,
    scope: Scope::ImageSet,
    about: "Fills holes that do not touch the border (scipy.ndimage.binary_fill_holes)",
    inputs: IN,
    outputs: OUT,
    schema: schema_of::<FillHoles>,
    compile: image_kind::<FillHoles>,
};

impl ImageOperation for FillHoles {
    fn run(&self, io: &mut JobIo<'_>) -> Result<(), Failure> {
        let mask = io.mask("mask")?;
        io.put(
            "mask",
            Item::Mask(Arc::new(analysis::morphology::fill_holes(mask.view()))),
        );
        Ok(())
    }
}

/// Parameters of `mask.open`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Open {
    /// Radius of the disk in pixels.
    radius: usize,
}

impl Default for Open {
    fn default() -> Self {
        Self { radius: 1 }
    }
}

pub(super) static OPEN: KindInfo = KindInfo {
    name: "mask.open",
    version: 1,
    scope: Scope::ImageSet,
    about: "Opening by a disk: removes what is narrower (skimage.morphology.binary_opening, disk)",
    inputs: IN,
    outputs: OUT,
    schema: schema_of::<Open>,
    compile: image_kind::<Open>,
};

impl ImageOperation for Open {
    fn run(&self, io: &mut JobIo<'_>) -> Result<(), Failure> {
        let mask = io.mask("mask")?;
        io.put(
            "mask",
            Item::Mask(Arc::new(analysis::morphology::binary_opening(
                mask.view(),
                Element::Disk(self.radius),
                Outside::Ignored,
            )?)),
        );
        Ok(())
    }
}

/// Parameters of `mask.remove_small`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct RemoveSmall {
    /// Components of at most this many pixels are removed.
    max_size: u64,
}

impl Default for RemoveSmall {
    fn default() -> Self {
        Self { max_size: 64 }
    }
}

pub(super) static REMOVE_SMALL: KindInfo = KindInfo {
    name: "mask.remove_small",
    version: 1,
    scope: Scope::ImageSet,
    about: "Removes 4-connected components of at most `max_size` pixels (skimage.morphology.remove_small_objects)",
    inputs: IN,
    outputs: OUT,
    schema: schema_of::<RemoveSmall>,
    compile: image_kind::<RemoveSmall>,
};

impl ImageOperation for RemoveSmall {
    fn run(&self, io: &mut JobIo<'_>) -> Result<(), Failure> {
        let mask = io.mask("mask")?;
        io.put(
            "mask",
            Item::Mask(Arc::new(analysis::morphology::remove_small_objects(
                mask.view(),
                SizeLimit::AtMost(self.max_size),
                Connectivity::Edges,
            ))),
        );
        Ok(())
    }
}

/// `mask.distance` has no parameters.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Distance {}

pub(super) static DISTANCE: KindInfo = KindInfo {
    name: "mask.distance",
    version: 1,
    scope: Scope::ImageSet,
    about: "Euclidean distance of each true pixel to the nearest false one, in pixels, float64 (scipy.ndimage.distance_transform_edt)",
    inputs: IN,
    outputs: &[Port::one("image", Holds::Image, "the distances")],
    schema: schema_of::<Distance>,
    compile: image_kind::<Distance>,
};

impl ImageOperation for Distance {
    fn run(&self, io: &mut JobIo<'_>) -> Result<(), Failure> {
        let mask = io.mask("mask")?;
        io.put(
            "image",
            Item::Image(Arc::new(Pixels::F64(analysis::distance::edt(mask.view())?))),
        );
        Ok(())
    }
}
