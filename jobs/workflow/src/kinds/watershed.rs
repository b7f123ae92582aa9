//! Seeded watershed.

use std::sync::Arc;

use analysis::components::Connectivity;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::{Item, JobIo};
use crate::error::Failure;
use crate::graph::Scope;
use crate::kind::{ImageOperation, KindInfo, image_kind, schema_of};
use crate::port::{Holds, Port};

/// Parameters of `segment.watershed`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Watershed {
    /// Flood from high to low values, for distances; otherwise from low to high, for boundary maps.
    invert: bool,
}

pub(super) static WATERSHED: KindInfo = KindInfo {
    name: "segment.watershed",
    version: 1,
    scope: Scope::ImageSet,
    about: "Grows seeds over a landscape until they meet (skimage.segmentation.watershed: identical labels)",
    inputs: &[
        Port::one(
            "boundaries",
            Holds::Image,
            "the landscape: high where objects meet",
        ),
        Port::one("seeds", Holds::Labels, "one label an object"),
        Port::one("mask", Holds::Mask, "nothing grows outside").optional(),
    ],
    outputs: &[Port::one("labels", Holds::Labels, "the objects")],
    schema: schema_of::<Watershed>,
    compile: image_kind::<Watershed>,
};

impl ImageOperation for Watershed {
    fn run(&self, io: &mut JobIo<'_>) -> Result<(), Failure> {
        let (landscape, seeds) = (io.float("boundaries")?, io.labels("seeds")?);
        let mask = if io.has("mask") {
            Some(io.mask("mask")?)
        } else {
            None
        };
        let mask = mask.as_ref().map(|m| m.view());
        let labels = if self.invert {
            analysis::watershed::watershed(
                landscape.mapv(|v| -v).view(),
                seeds.view(),
                mask,
                Connectivity::Edges,
            )?
        } else {
            analysis::watershed::watershed(
                landscape.view(),
                seeds.view(),
                mask,
                Connectivity::Edges,
            )?
        };
        io.put("labels", Item::Labels(Arc::new(labels)));
        Ok(())
    }
}
