//! From a mask to objects: touching ones are cut apart.

use std::sync::Arc;

use analysis::components::Connectivity;
use analysis::watershed::{Seeding, declump};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::{Item, JobIo};
use crate::error::Failure;
use crate::graph::Scope;
use crate::kind::{ImageOperation, KindInfo, image_kind, schema_of};
use crate::port::{Holds, Port};

/// What separates touching objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Method {
    /// The outline: distance to the background.
    #[default]
    Shape,
    /// The brightness of the `image` input.
    Intensity,
    /// Nothing: every 4-connected component is one object.
    None,
}

/// Parameters of `segment.declump`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Declump {
    /// shape, intensity or none.
    method: Method,
    /// Least distance between the centres of two objects in pixels.
    min_distance: usize,
    /// Standard deviation of the Gaussian that smooths distances or intensities first, in pixels; 0 = none.
    smoothing: f64,
}

impl Default for Declump {
    fn default() -> Self {
        Self {
            method: Method::Shape,
            min_distance: 5,
            smoothing: 1.0,
        }
    }
}

pub(super) static DECLUMP: KindInfo = KindInfo {
    name: "segment.declump",
    version: 1,
    scope: Scope::ImageSet,
    about: "Cuts touching objects of a mask apart: distance transform or intensity, smoothing, peaks, watershed (as scikit-image's recipe)",
    inputs: &[
        Port::one("mask", Holds::Mask, "where objects are"),
        Port::one("image", Holds::Image, "for method intensity").optional(),
    ],
    outputs: &[Port::one("labels", Holds::Labels, "the objects")],
    schema: schema_of::<Declump>,
    compile: image_kind::<Declump>,
};

impl ImageOperation for Declump {
    fn run(&self, io: &mut JobIo<'_>) -> Result<(), Failure> {
        let mask = io.mask("mask")?;
        let seeding = Seeding::Peaks {
            min_distance: self.min_distance,
        };
        let labels = match self.method {
            Method::None => io.label(mask.view(), Connectivity::Edges),
            Method::Shape => {
                // Distances stay in double precision, as in the recipe: ties between peaks are decided by the last bits.
                let distance = io.distances(mask.view())?;
                declump(mask.view(), self.smooth(distance)?.view(), seeding)?
            }
            Method::Intensity if io.has("image") => {
                let image = ndarray::Array2::clone(&*io.float("image")?);
                declump(mask.view(), self.smooth(image)?.view(), seeding)?
            }
            Method::Intensity => {
                return Err(Failure::permanent(
                    "unbound-input",
                    "method intensity needs the input `image`",
                    "write input = { mask = \"…\", image = \"…\" }",
                ));
            }
        };
        io.put("labels", Item::Labels(Arc::new(labels)));
        Ok(())
    }
}

impl Declump {
    fn smooth<T: analysis::gaussian::Sample>(
        &self,
        plane: ndarray::Array2<T>,
    ) -> Result<ndarray::Array2<T>, Failure> {
        Ok(if self.smoothing > 0.0 {
            analysis::gaussian::gaussian(plane.view(), self.smoothing)?
        } else {
            plane
        })
    }
}
