//! Correction of uneven illumination.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use analysis::correct::FlatField as Corrector;
use image_io::Pixels;
use image_io::container::{read_attributes, read_dataset_2d};
use ndarray::{Array2, ArrayView2};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::{Item, JobIo};
use crate::error::Failure;
use crate::graph::Scope;
use crate::kind::{ImageOperation, KindInfo, image_kind, schema_of};
use crate::port::{Holds, Port};

/// Parameters of `correct.illumination`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Illumination {
    /// Percentile of the corrected image that is subtracted as background, results below zero become zero; absent:
    /// nothing is subtracted.
    background_percentile: Option<f64>,
}

pub(super) static ILLUMINATION: KindInfo = KindInfo {
    name: "correct.illumination",
    version: 1,
    scope: Scope::ImageSet,
    about: "Divides by the plate's illumination function and, if asked, subtracts a percentile as background; float32",
    inputs: &[
        Port::many("images", Holds::Image, "channels to correct"),
        Port::one(
            "function",
            Holds::PlateImages,
            "output of correct.illumination_function",
        ),
    ],
    outputs: &[Port::many(
        "images",
        Holds::Image,
        "corrected channels, float32",
    )],
    schema: schema_of::<Illumination>,
    compile: image_kind::<Illumination>,
};

impl ImageOperation for Illumination {
    fn run(&self, io: &mut JobIo<'_>) -> Result<(), Failure> {
        let functions = io.plate_images("function")?;
        for (i, name) in io.names("images").into_iter().enumerate() {
            let function = functions.get(&name).ok_or_else(|| {
                Failure::permanent(
                    "missing-illumination",
                    format!("the illumination function has no channel `{name}`"),
                    "add the channel to the input of correct.illumination_function",
                )
            })?;
            let pixels = io.image_named(&name)?;
            let corrected = match &*pixels {
                Pixels::U8(a) => self.correct(a.view(), function.view())?,
                Pixels::U16(a) => self.correct(a.view(), function.view())?,
                other => self.correct(other.to_f32().view(), function.view())?,
            };
            io.put_nth("images", i, Item::Image(Arc::new(Pixels::F32(corrected))));
        }
        Ok(())
    }
}

impl Illumination {
    /// Views are passed by value, as everywhere in `analysis`.
    #[allow(clippy::needless_pass_by_value)]
    fn correct<T: analysis::correct::Raw>(
        &self,
        image: ArrayView2<'_, T>,
        function: ArrayView2<'_, f32>,
    ) -> Result<Array2<f32>, Failure> {
        Ok(match self.background_percentile {
            Some(q) => analysis::correct::correct(image, function, q)?.plane,
            None => analysis::correct::divide_by_illumination(image, function)?,
        })
    }
}

/// Parameters of `correct.flat_field`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FlatField {
    /// HDF5 file with one dataset a microscope channel, each with the attribute `offset` (BatchLib's barrel corrector);
    /// relative to the workflow file. A folder: the file whose attribute `image_shape` fits the image is taken.
    corrector: PathBuf,
}

pub(super) static FLAT_FIELD: KindInfo = KindInfo {
    name: "correct.flat_field",
    version: 1,
    scope: Scope::ImageSet,
    about: "((image - offset) / divisor) + offset in float32 (BatchLib Preprocess with a barrel corrector)",
    inputs: &[Port::many("images", Holds::Image, "raw channels")],
    outputs: &[Port::many(
        "images",
        Holds::Image,
        "corrected channels; `output = \"{}\"` replaces the raw ones, which are then stored as `<name>_raw`",
    )],
    schema: schema_of::<FlatField>,
    compile: image_kind::<FlatField>,
};

impl ImageOperation for FlatField {
    fn run(&self, io: &mut JobIo<'_>) -> Result<(), Failure> {
        for (i, name) in io.names("images").into_iter().enumerate() {
            let pixels = io.image_named(&name)?;
            let file = self.corrector_for(pixels.shape())?;
            let channel = io.channel_of(&name).unwrap_or_else(|| name.clone());
            let field = read_corrector(&file, &channel)?;
            let done = io.accelerated(&pixels, |accelerator, plane, id| {
                accelerator.flat_field(&field, plane, Some(id))
            });
            let corrected = match done {
                Some((plane, id)) => {
                    let corrected = Arc::new(Pixels::F32(plane));
                    io.keep_known(&corrected, id);
                    corrected
                }
                None => Arc::new(Pixels::F32(field.correct(pixels.to_f32().view())?)),
            };
            io.put_nth("images", i, Item::Image(corrected));
        }
        Ok(())
    }

    fn files(&self) -> Vec<PathBuf> {
        if self.corrector.is_dir() {
            correctors(&self.corrector)
        } else {
            vec![self.corrector.clone()]
        }
    }

    fn batchlib(&self) -> Option<&'static str> {
        Some("Preprocess")
    }
}

impl FlatField {
    fn corrector_for(&self, shape: (usize, usize)) -> Result<PathBuf, Failure> {
        if !self.corrector.is_dir() {
            return Ok(self.corrector.clone());
        }
        correctors(&self.corrector)
            .into_iter()
            .find(|path| corrector_shape(path) == Some(shape))
            .ok_or_else(|| {
                Failure::permanent(
                    "no-corrector",
                    format!(
                        "no corrector in `{}` has image_shape {shape:?}",
                        self.corrector.display()
                    ),
                    "add a corrector file for this image size",
                )
            })
    }
}

fn correctors(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .map(|e| e.path())
        .filter(|p| p.extension().is_some_and(|e| e == "h5" || e == "hdf5"))
        .collect();
    files.sort();
    files
}

/// One channel of BatchLib's barrel corrector: a dataset named after the microscope channel with the attribute `offset`.
fn read_corrector(file: &Path, channel: &str) -> Result<Corrector, Failure> {
    let divisor = read_dataset_2d(file, channel)?.to_f32();
    let attributes = read_attributes(file, channel)?;
    let offset = attributes
        .iter()
        .find(|(name, _)| name == "offset")
        .and_then(|(_, value)| value.as_f64());
    let offset = offset.ok_or_else(|| {
        Failure::permanent(
            "bad-corrector",
            format!(
                "dataset `{channel}` of `{}` has no attribute `offset`",
                file.display()
            ),
            "write the camera's offset as an attribute of the dataset",
        )
    })?;
    #[allow(clippy::cast_possible_truncation)]
    let offset = offset as f32;
    Ok(Corrector { divisor, offset })
}

/// (height, width) that a corrector file was made for.
fn corrector_shape(file: &Path) -> Option<(usize, usize)> {
    let attributes = read_attributes(file, "/").ok()?;
    let (_, shape) = attributes.iter().find(|(name, _)| name == "image_shape")?;
    match shape.as_ints()? {
        [height, width] => Some((
            usize::try_from(*height).ok()?,
            usize::try_from(*width).ok()?,
        )),
        _ => None,
    }
}
