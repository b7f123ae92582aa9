//! What ilastik exports of an image.

use std::cell::Cell;

use analysis::accelerator::Accelerator;
use analysis::pixel_classification::{simple_segmentation, uncertainty};
use ndarray::{Array5, Axis, concatenate};

use crate::error::Result;
use crate::export::{DataType, Source};
use crate::image::Image;
use crate::project::Project;

/// An exported image before it is brought into a file.
#[derive(Clone, Debug)]
pub struct Prediction {
    /// Axes (t, c, z, y, x).
    pub values: Array5<f32>,
    /// The type in which ilastik exports it unless it is told otherwise.
    pub data_type: DataType,
    /// Whether an accelerator computed some of it: then it is ilastik's within ilastik's own tolerance, not bit for bit.
    pub accelerated: bool,
}

impl Project {
    /// Predicts what `source` says.
    ///
    /// # Errors
    /// As [`Self::probabilities`]; [`crate::Error::Project`] for a stage that the project does not have.
    pub fn predict(&self, image: &Image, source: Source) -> Result<Prediction> {
        self.predict_on(image, source, None)
    }

    /// As [`Self::predict`]; what `accelerator` does is not computed here.
    ///
    /// # Errors
    /// As [`Self::predict`].
    pub fn predict_on(
        &self,
        image: &Image,
        source: Source,
        accelerator: Option<&dyn Accelerator>,
    ) -> Result<Prediction> {
        let accelerated = Cell::new(false);
        let stages = || {
            self.stages_by(image, |classifier, image| {
                match accelerator.and_then(|a| a.probabilities(classifier, image)) {
                    Some(found) => {
                        accelerated.set(true);
                        Ok(found)
                    }
                    None => classifier.probabilities(image),
                }
            })
        };
        let last = || -> Result<Array5<f32>> { Ok(stages()?.pop().unwrap_or_default()) };
        self.runnable()?;
        let needed = match source {
            Source::Stage(number) => number,
            Source::AllStages => 2,
            _ => 1,
        };
        if !(1..=self.stages.len()).contains(&needed) {
            return Err(self.without_stage(source.name()));
        }
        let (values, data_type) = match source {
            Source::Features => (self.features(image)?, DataType::F32),
            Source::Probabilities => (last()?, DataType::F32),
            Source::SimpleSegmentation => {
                let probabilities = last()?;
                let labels = frames(&probabilities, |frame| {
                    simple_segmentation(frame).mapv(f32::from)
                });
                (labels, DataType::U8)
            }
            Source::Uncertainty => (frames(&last()?, uncertainty), DataType::F32),
            Source::Stage(number) => {
                let mut stages = stages()?;
                (stages.swap_remove(number - 1), DataType::F32)
            }
            Source::AllStages => {
                let stages = stages()?;
                let views: Vec<_> = stages.iter().map(|s| s.view()).collect();
                let all = concatenate(Axis(1), &views).unwrap_or_default();
                (all, DataType::F32)
            }
        };
        Ok(Prediction {
            values,
            data_type,
            accelerated: accelerated.get(),
        })
    }
}

/// Makes one channel of all, timepoint by timepoint.
fn frames(
    values: &Array5<f32>,
    each: impl Fn(ndarray::ArrayView4<'_, f32>) -> ndarray::Array3<f32>,
) -> Array5<f32> {
    let (t, _, z, y, x) = values.dim();
    let mut out = Array5::zeros((t, 1, z, y, x));
    for (frame, mut out) in values.outer_iter().zip(out.outer_iter_mut()) {
        out.index_axis_mut(Axis(0), 0).assign(&each(frame));
    }
    out
}

impl Prediction {
    /// Sets everything to 0 where the mask (t, 1, z, y, x) is not above 0, as ilastik does with a prediction mask.
    ///
    /// # Errors
    /// In words, if the mask has another size.
    pub fn masked(mut self, mask: &Array5<f32>) -> Result<Self, String> {
        let (t, _, z, y, x) = self.values.dim();
        if mask.dim() != (t, 1, z, y, x) {
            return Err(format!(
                "the mask has {:?} values (t, c, z, y, x), the image {:?}",
                mask.dim(),
                (t, 1, z, y, x)
            ));
        }
        ndarray::Zip::from(&mut self.values)
            .and_broadcast(mask)
            .for_each(|value, &mask| {
                if mask <= 0.0 {
                    *value = 0.0;
                }
            });
        Ok(self)
    }
}
