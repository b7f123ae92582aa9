//! What ilastik exports of an image.

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
}

impl Project {
    /// Predicts what `source` says.
    ///
    /// # Errors
    /// As [`Self::probabilities`]; [`crate::Error::Project`] for a stage that the project does not have.
    pub fn predict(&self, image: &Image, source: Source) -> Result<Prediction> {
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
            Source::Probabilities => (self.last(image)?, DataType::F32),
            Source::SimpleSegmentation => {
                let probabilities = self.last(image)?;
                let labels = frames(&probabilities, |frame| {
                    simple_segmentation(frame).mapv(f32::from)
                });
                (labels, DataType::U8)
            }
            Source::Uncertainty => (frames(&self.last(image)?, uncertainty), DataType::F32),
            Source::Stage(number) => {
                let mut stages = self.probabilities(image)?;
                (stages.swap_remove(number - 1), DataType::F32)
            }
            Source::AllStages => {
                let stages = self.probabilities(image)?;
                let views: Vec<_> = stages.iter().map(|s| s.view()).collect();
                let all = concatenate(Axis(1), &views).unwrap_or_default();
                (all, DataType::F32)
            }
        };
        Ok(Prediction { values, data_type })
    }

    fn last(&self, image: &Image) -> Result<Array5<f32>> {
        Ok(self.probabilities(image)?.pop().unwrap_or_default())
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
