//! ilastik's pixel classification.

use std::path::PathBuf;
use std::sync::Arc;

use ilastik::{Image, Project, Source};
use image_io::{PixelType, Pixels};
use ndarray::{ArrayView2, Axis};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::{Item, JobIo};
use crate::error::Failure;
use crate::graph::{Bindings, Scope};
use crate::kind::{ImageOperation, KindInfo, image_kind, schema_of};
use crate::port::{Holds, Port};

/// A label of the project.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Label {
    /// Its channel, counted from 0.
    Channel(usize),
    /// Its name.
    Name(String),
}

/// Parameters of `predict.ilastik`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Ilastik {
    /// The project, an .ilp file; relative to the workflow file.
    project: PathBuf,
    /// The labels whose probabilities are wanted, one for each output in `images`: channels counted from 0, or names. Absent: all,
    /// in the project's order.
    #[serde(default)]
    keep_channels: Option<Vec<Label>>,
    /// Bring probabilities into the type and range of the export settings that are saved in the project.
    #[serde(default)]
    export_settings: bool,
}

pub(super) static ILASTIK: KindInfo = KindInfo {
    name: "predict.ilastik",
    version: 1,
    scope: Scope::ImageSet,
    about: "Runs an ilastik project (Pixel Classification, Autocontext) without ilastik: its probabilities bit for bit on x86-64 with FMA (BatchLib IlastikPrediction)",
    inputs: &[Port::many(
        "images",
        Holds::Image,
        "the channels that the project was trained with, in that order",
    )],
    outputs: &[
        Port::many(
            "images",
            Holds::Image,
            "probability of each kept label, float32, 0 to 1",
        )
        .unpaired()
        .optional(),
        Port::one(
            "segmentation",
            Holds::Image,
            "the most probable label of each pixel, uint8, from 1",
        )
        .optional(),
        Port::one(
            "uncertainty",
            Holds::Image,
            "1 less the distance of the two largest probabilities, float32",
        )
        .optional(),
    ],
    schema: schema_of::<Ilastik>,
    compile: image_kind::<Ilastik>,
};

impl ImageOperation for Ilastik {
    fn run(&self, io: &mut JobIo<'_>) -> Result<(), Failure> {
        let project = Project::shared(&self.project)?;
        project.check()?;
        let outputs = io.output_names("images");
        let kept = if outputs.is_empty() {
            Vec::new()
        } else {
            self.kept(&project, outputs.len())?
        };
        let image = stacked(io)?;
        let accelerator = io.accelerator();
        let prediction =
            project.predict_on(&image, Source::Probabilities, accelerator.as_deref())?;
        if let Some(accelerator) = accelerator.filter(|_| prediction.accelerated) {
            io.note("device", accelerator.name());
        }
        let probabilities = prediction.values.index_axis(Axis(0), 0);
        for (i, &channel) in kept.iter().enumerate() {
            let plane = probabilities.index_axis(Axis(0), channel);
            let plane = plane.index_axis(Axis(0), 0);
            let pixels = if self.export_settings {
                exported(&project, plane)
            } else {
                Pixels::F32(plane.to_owned())
            };
            io.put_nth("images", i, Item::Image(Arc::new(pixels)));
        }
        if !io.output_names("segmentation").is_empty() {
            let labels = analysis::pixel_classification::simple_segmentation(probabilities);
            let labels = labels.index_axis_move(Axis(0), 0);
            io.put("segmentation", Item::Image(Arc::new(Pixels::U8(labels))));
        }
        if !io.output_names("uncertainty").is_empty() {
            let map = analysis::pixel_classification::uncertainty(probabilities);
            let map = map.index_axis_move(Axis(0), 0);
            io.put("uncertainty", Item::Image(Arc::new(Pixels::F32(map))));
        }
        Ok(())
    }

    fn files(&self) -> Vec<PathBuf> {
        vec![self.project.clone()]
    }

    fn check(&self, _inputs: &Bindings, outputs: &Bindings) -> Vec<String> {
        let mut wrong = Vec::new();
        if outputs.values().all(Vec::is_empty) {
            wrong.push("name an output: images, segmentation or uncertainty".to_owned());
        }
        let named = outputs.get("images").map_or(0, Vec::len);
        if let Some(kept) = &self.keep_channels
            && kept.len() != named
        {
            wrong.push(format!(
                "`keep_channels` keeps {} labels, but `output` names {named} images",
                kept.len()
            ));
        }
        wrong
    }

    fn warnings(&self) -> Vec<String> {
        let checked = Project::open(&self.project).and_then(|project| project.check());
        let told = checked.err().map(|e| format!("{e}; {}", e.remedy()));
        told.into_iter().collect()
    }

    fn batchlib(&self) -> Option<&'static str> {
        Some("IlastikPrediction")
    }
}

impl Ilastik {
    /// The channels of the kept labels.
    fn kept(&self, project: &Project, wanted: usize) -> Result<Vec<usize>, Failure> {
        let labels = project.stages.last().map_or(&[][..], |s| &s.labels);
        let known = || {
            let names = labels.iter().enumerate();
            let names: Vec<String> = names.map(|(i, l)| format!("{i} `{l}`")).collect();
            format!("its labels are {}", names.join(", "))
        };
        let wrong = |what: String| {
            Failure::permanent(
                "wrong-labels",
                format!("`{}`: {what}; {}", self.project.display(), known()),
                "correct `keep_channels` or the names of the outputs in the workflow",
            )
        };
        let kept = match &self.keep_channels {
            None => (0..labels.len()).collect(),
            Some(kept) => kept
                .iter()
                .map(|label| {
                    let found = match label {
                        Label::Channel(channel) => (*channel < labels.len()).then_some(*channel),
                        Label::Name(name) => labels.iter().position(|l| l == name),
                    };
                    found.ok_or_else(|| wrong(format!("it has no label {label:?}")))
                })
                .collect::<Result<Vec<_>, _>>()?,
        };
        if kept.len() != wanted {
            return Err(wrong(format!(
                "there are {} labels for {wanted} images",
                kept.len()
            )));
        }
        Ok(kept)
    }
}

/// The input images as the channels of one.
fn stacked(io: &mut JobIo<'_>) -> Result<Image, Failure> {
    let names = io.names("images");
    let mut types = Vec::with_capacity(names.len());
    let mut planes = Vec::with_capacity(names.len());
    for name in &names {
        types.push(io.image_named(name)?.pixel_type());
        planes.push(io.float_named(name)?);
    }
    // The second stage of Autocontext needs to know what the raw values are; NumPy makes floats of mixed types.
    let pixel_type = match types[..] {
        [first, ..] if types.iter().all(|t| *t == first) => first,
        _ => PixelType::F32,
    };
    let views: Vec<ArrayView2<'_, f32>> = planes.iter().map(|p| p.view()).collect();
    let stack = ndarray::stack(Axis(0), &views).map_err(|_| {
        Failure::permanent(
            "different-sizes",
            format!("the images {} differ in height or width", names.join(", ")),
            "give images of the same size",
        )
    })?;
    let values = stack.insert_axis(Axis(1)).insert_axis(Axis(0));
    Ok(Image::from_working(values, pixel_type))
}

/// A plane of probabilities as the project's user exports it.
// A view is passed by value, as everywhere.
#[allow(clippy::needless_pass_by_value)]
fn exported(project: &Project, plane: ArrayView2<'_, f32>) -> Pixels {
    use ilastik::DataType as T;
    let settings = &project.export;
    let data_type = settings.data_type.unwrap_or(T::F32);
    let convert = ilastik::rescaler(settings.input_range.zip(settings.output_range), data_type);
    let values = plane.mapv(convert);
    match data_type {
        T::U8 => Pixels::U8(values.mapv(|v| v as u8)),
        T::U16 => Pixels::U16(values.mapv(|v| v as u16)),
        T::U32 => Pixels::U32(values.mapv(|v| v as u32)),
        T::I8 => Pixels::I8(values.mapv(|v| v as i8)),
        T::I16 => Pixels::I16(values.mapv(|v| v as i16)),
        T::I32 => Pixels::I32(values.mapv(|v| v as i32)),
        T::F32 => Pixels::F32(values.mapv(|v| v as f32)),
        T::F64 => Pixels::F64(values),
    }
}
