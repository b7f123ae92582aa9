//! The plate-wise illumination function.

use std::collections::BTreeMap;

use analysis::correct::IlluminationSum;
use image_io::Pixels;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Failure, FailureClass};
use crate::graph::Scope;
use crate::kind::{KindInfo, PlateOperation, plate_kind, schema_of};
use crate::plate_context::PlateIo;
use crate::port::{Holds, Port};

/// Parameters of `correct.illumination_function`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct IlluminationFunction {
    /// Standard deviation of the Gaussian that smooths the mean image, in pixels.
    smoothing: f64,
}

impl Default for IlluminationFunction {
    fn default() -> Self {
        Self { smoothing: 50.0 }
    }
}

pub(super) static FUNCTION: KindInfo = KindInfo {
    name: "correct.illumination_function",
    version: 1,
    scope: Scope::Plate,
    about: "Mean image of each channel over the plate, smoothed and scaled to mean 1 (CellProfiler CorrectIlluminationCalculate, \"All\", Gaussian)",
    inputs: &[Port::many("images", Holds::Image, "raw channels")],
    outputs: &[Port::one(
        "function",
        Holds::PlateImages,
        "the functions, published as <plate>_<name>.hdf5",
    )],
    schema: schema_of::<IlluminationFunction>,
    compile: plate_kind::<IlluminationFunction>,
};

impl PlateOperation for IlluminationFunction {
    fn run(&self, io: &mut PlateIo<'_>) -> Result<(), Failure> {
        let mut functions = BTreeMap::new();
        for role in io.names("images") {
            functions.insert(role.clone(), self.function(io, &role)?);
        }
        let name = io.output("function").unwrap_or("illumination").to_owned();
        io.put_images(&name, functions)
    }
}

impl IlluminationFunction {
    /// Images that cannot be read are left out, and said so: one bad image must not stop the plate.
    fn function(&self, io: &PlateIo<'_>, role: &str) -> Result<ndarray::Array2<f32>, Failure> {
        let mut sum: Option<IlluminationSum> = None;
        for member in io.members() {
            let pixels = match io.raw(member, role) {
                Ok(Some(pixels)) => pixels,
                Ok(None) => continue,
                Err(failure) if failure.class == FailureClass::Permanent => {
                    tracing::warn!(site = %member.name, channel = role, error = %failure, "left out of the illumination function");
                    continue;
                }
                Err(failure) => return Err(failure),
            };
            let sum = sum.get_or_insert_with(|| IlluminationSum::new(pixels.shape()));
            let added = match &pixels {
                Pixels::U8(a) => sum.add(a.view()),
                Pixels::U16(a) => sum.add(a.view()),
                other => sum.add(other.to_f32().view()),
            };
            if let Err(error) = added {
                tracing::warn!(site = %member.name, channel = role, %error, "left out of the illumination function");
            }
        }
        match sum.filter(|s| s.images() > 0) {
            Some(sum) => Ok(sum.function(self.smoothing)?),
            None => Err(Failure::permanent(
                "no-images",
                format!("no readable image of channel `{role}` on the plate"),
                "requeue when the images are repaired",
            )),
        }
    }
}
