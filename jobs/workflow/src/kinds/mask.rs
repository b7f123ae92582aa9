//! Operations on masks.

use std::sync::Arc;

use analysis::components::Connectivity;
use analysis::morphology::{self, Outside, SizeLimit};
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
            Item::Mask(Arc::new(morphology::fill_holes(mask.view()))),
        );
        Ok(())
    }
}

/// Parameters of `mask.open` and `mask.close`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Element {
    /// Radius of the disk in pixels.
    radius: usize,
    /// Instead of the disk: a pixel and its four neighbours, so many times, and beyond the border is background, as in
    /// `scipy.ndimage`. What is not set is not part of the task key.
    #[serde(skip_serializing_if = "Option::is_none")]
    cross: Option<usize>,
}

impl Default for Element {
    fn default() -> Self {
        Self {
            radius: 1,
            cross: None,
        }
    }
}

impl Element {
    fn shape(&self) -> (morphology::Element, Outside) {
        match self.cross {
            Some(iterations) => (
                morphology::Element::Cross { iterations },
                Outside::Background,
            ),
            None => (morphology::Element::Disk(self.radius), Outside::Ignored),
        }
    }
}

/// `mask.open`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
struct Open(Element);

pub(super) static OPEN: KindInfo = KindInfo {
    name: "mask.open",
    version: 1,
    scope: Scope::ImageSet,
    about: "Opening: removes what is narrower than the disk or cross (skimage.morphology.binary_opening, scipy.ndimage.binary_opening)",
    inputs: IN,
    outputs: OUT,
    schema: schema_of::<Open>,
    compile: image_kind::<Open>,
};

impl ImageOperation for Open {
    fn run(&self, io: &mut JobIo<'_>) -> Result<(), Failure> {
        let mask = io.mask("mask")?;
        let (element, outside) = self.0.shape();
        let opened = morphology::binary_opening(mask.view(), element, outside)?;
        io.put("mask", Item::Mask(Arc::new(opened)));
        Ok(())
    }
}

/// `mask.close`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
struct Close(Element);

pub(super) static CLOSE: KindInfo = KindInfo {
    name: "mask.close",
    version: 1,
    scope: Scope::ImageSet,
    about: "Closing: fills what is narrower than the disk or cross (skimage.morphology.binary_closing, scipy.ndimage.binary_closing)",
    inputs: IN,
    outputs: OUT,
    schema: schema_of::<Close>,
    compile: image_kind::<Close>,
};

impl ImageOperation for Close {
    fn run(&self, io: &mut JobIo<'_>) -> Result<(), Failure> {
        let mask = io.mask("mask")?;
        let (element, outside) = self.0.shape();
        let closed = morphology::binary_closing(mask.view(), element, outside)?;
        io.put("mask", Item::Mask(Arc::new(closed)));
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
            Item::Mask(Arc::new(morphology::remove_small_objects(
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
        let distances = io.distances(mask.view())?;
        io.put("image", Item::Image(Arc::new(Pixels::F64(distances))));
        Ok(())
    }
}
