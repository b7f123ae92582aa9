//! Objects made smaller or larger, and their edges.

use std::sync::Arc;

use analysis::labels::{RingWidth, edges, erode, voronoi_ring};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::{Item, JobIo};
use crate::error::Failure;
use crate::graph::{Bindings, Scope};
use crate::kind::{ImageOperation, KindInfo, image_kind, schema_of};
use crate::port::{Holds, Port};

const IN: &[Port] = &[Port::one("labels", Holds::Labels, "the objects")];

/// Parameters of `segment.voronoi_ring`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct VoronoiRing {
    /// A ring reaches less than this many pixels from its nucleus. This or `radius_factor` must be set.
    ring_width: Option<f64>,
    /// A ring is as wide as this times the square root of the image's median nucleus area, rounded down to whole pixels.
    radius_factor: Option<f64>,
    /// Whether the nucleus itself is left out.
    remove_nucleus: bool,
}

impl Default for VoronoiRing {
    fn default() -> Self {
        Self {
            ring_width: None,
            radius_factor: None,
            remove_nucleus: true,
        }
    }
}

pub(super) static VORONOI_RING: KindInfo = KindInfo {
    name: "segment.voronoi_ring",
    version: 1,
    scope: Scope::ImageSet,
    about: "Rings around nuclei, parted half way to the next (BatchLib's VoronoiRingSegmentation: identical labels)",
    inputs: &[Port::one("seeds", Holds::Labels, "the nuclei")],
    outputs: &[Port::one(
        "labels",
        Holds::Labels,
        "the rings, numbered as their nuclei",
    )],
    schema: schema_of::<VoronoiRing>,
    compile: image_kind::<VoronoiRing>,
};

impl VoronoiRing {
    /// `None` unless exactly one of the two is set.
    fn width(&self) -> Option<RingWidth> {
        match (self.ring_width, self.radius_factor) {
            (Some(width), None) => Some(RingWidth::Pixels(width)),
            (None, Some(factor)) => Some(RingWidth::Factor(factor)),
            _ => None,
        }
    }
}

impl ImageOperation for VoronoiRing {
    fn run(&self, io: &mut JobIo<'_>) -> Result<(), Failure> {
        let seeds = io.labels("seeds")?;
        let width = self.width().ok_or_else(|| {
            Failure::permanent("bad-parameter", WHICH_WIDTH, "correct the workflow")
        })?;
        let rings = voronoi_ring(seeds.view(), width, !self.remove_nucleus)?;
        io.put("labels", Item::Labels(Arc::new(rings)));
        Ok(())
    }

    fn check(&self, _inputs: &Bindings, _outputs: &Bindings) -> Vec<String> {
        let (RingWidth::Pixels(number) | RingWidth::Factor(number)) = match self.width() {
            Some(width) => width,
            None => return vec![WHICH_WIDTH.to_owned()],
        };
        if number >= 0.0 && number.is_finite() {
            Vec::new()
        } else {
            vec!["`ring_width` and `radius_factor` must be 0 or more".to_owned()]
        }
    }

    fn batchlib(&self) -> Option<&'static str> {
        Some("VoronoiRingSegmentation")
    }
}

const WHICH_WIDTH: &str = "either `ring_width` or `radius_factor` must be set";

/// Parameters of `labels.erode`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Erode {
    /// How many pixels each object loses at its rim.
    radius: usize,
}

impl Default for Erode {
    fn default() -> Self {
        Self { radius: 1 }
    }
}

pub(super) static ERODE: KindInfo = KindInfo {
    name: "labels.erode",
    version: 1,
    scope: Scope::ImageSet,
    about: "Objects without their rims (BatchLib's ErodeSegmentation: identical labels)",
    inputs: IN,
    outputs: &[Port::one(
        "labels",
        Holds::Labels,
        "what is left of the objects, numbered as before",
    )],
    schema: schema_of::<Erode>,
    compile: image_kind::<Erode>,
};

impl ImageOperation for Erode {
    fn run(&self, io: &mut JobIo<'_>) -> Result<(), Failure> {
        let labels = io.labels("labels")?;
        let left = erode(labels.view(), self.radius)?;
        io.put("labels", Item::Labels(Arc::new(left)));
        Ok(())
    }

    fn batchlib(&self) -> Option<&'static str> {
        Some("ErodeSegmentation")
    }
}

/// `labels.edges` has no parameters.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Edges {}

pub(super) static EDGES: KindInfo = KindInfo {
    name: "labels.edges",
    version: 1,
    scope: Scope::ImageSet,
    about: "True where neighbouring labels differ (the edges of BatchLib's CellLevelAnalysis)",
    inputs: IN,
    outputs: &[Port::one("mask", Holds::Mask, "the edges")],
    schema: schema_of::<Edges>,
    compile: image_kind::<Edges>,
};

impl ImageOperation for Edges {
    fn run(&self, io: &mut JobIo<'_>) -> Result<(), Failure> {
        let labels = io.labels("labels")?;
        io.put("mask", Item::Mask(Arc::new(edges(labels.view()))));
        Ok(())
    }
}
