//! Secondary objects.

use std::sync::Arc;

use image_io::PixelType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::{Item, JobIo};
use crate::error::Failure;
use crate::graph::Scope;
use crate::kind::{ImageOperation, KindInfo, image_kind, schema_of};
use crate::port::{Holds, Port};

/// Parameters of `segment.propagate`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Propagate {
    /// Weight of distance against differences of intensity; large values give Voronoi cells. As in CellProfiler it is meant for
    /// intensities from 0 to 1: whole-number images are divided by the largest value of their type.
    regularisation: f64,
}

impl Default for Propagate {
    fn default() -> Self {
        Self {
            regularisation: 0.05,
        }
    }
}

pub(super) static PROPAGATE: KindInfo = KindInfo {
    name: "segment.propagate",
    version: 1,
    scope: Scope::ImageSet,
    about: "Grows cells around nuclei along similar intensities (CellProfiler IdentifySecondaryObjects, Propagation; Jones, Carpenter and Golland 2005)",
    inputs: &[
        Port::one("image", Holds::Image, "the cells' stain"),
        Port::one(
            "seeds",
            Holds::Labels,
            "one label a cell, for example its nucleus",
        ),
        Port::one("mask", Holds::Mask, "nothing grows outside").optional(),
    ],
    outputs: &[Port::one(
        "labels",
        Holds::Labels,
        "the cells, numbered as their seeds",
    )],
    schema: schema_of::<Propagate>,
    compile: image_kind::<Propagate>,
};

impl ImageOperation for Propagate {
    fn run(&self, io: &mut JobIo<'_>) -> Result<(), Failure> {
        let scale = unit_scale(io.image("image")?.pixel_type());
        let (image, seeds) = (io.float("image")?.mapv(|v| v * scale), io.labels("seeds")?);
        let mask = if io.has("mask") {
            Some(io.mask("mask")?)
        } else {
            None
        };
        let labels = analysis::propagate::propagate(
            image.view(),
            seeds.view(),
            mask.as_ref().map(|m| m.view()),
            self.regularisation,
        )?;
        io.put("labels", Item::Labels(Arc::new(labels)));
        Ok(())
    }
}

/// What brings a type's values to 0 to 1, as CellProfiler does when it loads an image; real numbers stay as they are.
fn unit_scale(kind: PixelType) -> f32 {
    match kind {
        PixelType::U8 => 1.0 / 255.0,
        PixelType::U16 => 1.0 / 65535.0,
        PixelType::U32 => 1.0 / 4_294_967_295.0,
        _ => 1.0,
    }
}
