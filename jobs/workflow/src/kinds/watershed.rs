//! Seeded watershed.

use std::sync::Arc;

use analysis::components::Connectivity;
use analysis::watershed::{Growth, grow_cells, watershed};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::{Item, JobIo};
use crate::error::Failure;
use crate::graph::{Bindings, Scope};
use crate::kind::{ImageOperation, KindInfo, image_kind, schema_of};
use crate::port::{Holds, Port};

/// Parameters of `segment.watershed`.
///
/// With any of the last four the job is BatchLib's `SeededWatershed`, the others of the four having BatchLib's defaults. What is
/// not set is not part of the task key.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Watershed {
    /// Flood from high to low values, for distances; otherwise from low to high, for boundary maps.
    invert: bool,
    /// The background is an object, too: it starts where a disk of this radius (pixels) fits outside the mask, and grows until it
    /// meets the cells. Absent: 0 where one of the next three is set, else nothing grows outside the mask.
    #[serde(skip_serializing_if = "Option::is_none")]
    erode_mask: Option<usize>,
    /// Seeds are first dilated by a disk of this radius, in pixels. Absent: 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    dilate_seeds: Option<usize>,
    /// Standard deviation, in pixels, of the Gaussian on the landscape, which is scaled to 0 to 1 before. Absent: 2 where another of
    /// these four is set, else the landscape stays as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    sigma: Option<f64>,
    /// Whether seeds count as foreground, whatever the mask says. Absent: true where another of these four is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    ensure_seeds: Option<bool>,
}

pub(super) static WATERSHED: KindInfo = KindInfo {
    name: "segment.watershed",
    version: 1,
    scope: Scope::ImageSet,
    about: "Grows seeds over a landscape until they meet (skimage.segmentation.watershed: identical labels; BatchLib's SeededWatershed)",
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

impl Watershed {
    /// How to prepare the inputs, where that is wanted.
    fn growth(&self) -> Option<Growth> {
        let wanted = self.erode_mask.is_some()
            || self.dilate_seeds.is_some()
            || self.sigma.is_some()
            || self.ensure_seeds.is_some();
        let default = Growth::default();
        wanted.then(|| Growth {
            invert: self.invert,
            sigma: self.sigma.unwrap_or(default.sigma),
            dilate_seeds: self.dilate_seeds.unwrap_or(default.dilate_seeds),
            erode_mask: self.erode_mask.unwrap_or(default.erode_mask),
            ensure_seeds: self.ensure_seeds.unwrap_or(default.ensure_seeds),
        })
    }
}

impl ImageOperation for Watershed {
    fn run(&self, io: &mut JobIo<'_>) -> Result<(), Failure> {
        let (landscape, seeds) = (io.float("boundaries")?, io.labels("seeds")?);
        let mask = if io.has("mask") {
            Some(io.mask("mask")?)
        } else {
            None
        };
        let mask = mask.as_ref().map(|m| m.view());
        let labels = if let Some(how) = self.growth() {
            grow_cells(landscape.view(), seeds.view(), mask, &how)?
        } else if self.invert {
            watershed(
                landscape.mapv(|v| -v).view(),
                seeds.view(),
                mask,
                Connectivity::Edges,
            )?
        } else {
            watershed(landscape.view(), seeds.view(), mask, Connectivity::Edges)?
        };
        io.put("labels", Item::Labels(Arc::new(labels)));
        Ok(())
    }

    fn check(&self, inputs: &Bindings, _outputs: &Bindings) -> Vec<String> {
        let mut wrong = Vec::new();
        if self.erode_mask.is_some() && !inputs.contains_key("mask") {
            wrong.push("`erode_mask` needs the input `mask`".to_owned());
        }
        if self
            .sigma
            .is_some_and(|sigma| !(sigma >= 0.0 && sigma.is_finite()))
        {
            wrong.push("`sigma` must be 0 or more".to_owned());
        }
        wrong
    }

    fn batchlib(&self) -> Option<&'static str> {
        Some("SeededWatershed")
    }
}
