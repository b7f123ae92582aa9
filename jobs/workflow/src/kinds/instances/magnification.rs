//! Bringing an image to the magnification that a network was trained at.

use analysis::components::{Connectivity, remove_small, sizes};
use analysis::distance::edt;
use analysis::gaussian::gaussian;
use analysis::morphology::fill_holes;
use analysis::threshold::{above, otsu};
use analysis::watershed::{Seeding, declump};
use ndarray::Array2;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::Failure;

/// A factor, or that it is measured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Scale {
    /// The image is made so many times as large.
    Factor(f64),
    /// By a word.
    Word(Word),
}

/// How a factor is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Word {
    /// From the size of the nuclei in the image's first channel.
    Auto,
}

/// Factors within 1 % of 1 are left alone, as InstanSeg does.
const NEGLIGIBLE: f64 = 0.01;

/// Parts of so many pixels or fewer are no nuclei when their size is measured.
const SPECK: u64 = 30;

/// Least distance between the middles of two nuclei when their size is measured.
const PEAK_DISTANCE: usize = 5;

/// The larger and the smaller of these factors are mistakes of the measurement.
const LIMITS: std::ops::RangeInclusive<f64> = 0.1..=4.0;

impl Scale {
    /// What is wrong with it.
    pub fn check(self) -> Option<String> {
        match self {
            Self::Factor(f) if !(f > 0.0 && f <= 64.0) => {
                Some("`scale` must be above 0 and at most 64, or \"auto\"".to_owned())
            }
            _ => None,
        }
    }

    /// The factor for an image whose nuclei are to have this diameter; `None` where it is 1 or nearly.
    pub fn factor(self, image: &Array2<f32>, diameter: f64) -> Result<Option<f64>, Failure> {
        let factor = match self {
            Self::Factor(factor) => factor,
            Self::Word(Word::Auto) => match nucleus_diameter(image)? {
                Some(found) => (diameter / found).clamp(*LIMITS.start(), *LIMITS.end()),
                None => 1.0,
            },
        };
        Ok(((factor - 1.0).abs() > NEGLIGIBLE).then_some(factor))
    }
}

/// The diameter in pixels of a disk as large as the median nucleus; `None` without any. Nuclei are found as the classical jobs do:
/// a Gaussian of 1 pixel, Otsu's threshold, holes filled, specks left out, split at the distances' peaks.
fn nucleus_diameter(image: &Array2<f32>) -> Result<Option<f64>, Failure> {
    let smooth = gaussian(image.view(), 1.0)?;
    let bright = fill_holes(above(smooth.view(), otsu(smooth.view())?).view());
    let mask = remove_small(bright.view(), SPECK, Connectivity::Edges);
    let distance = gaussian(edt(mask.view())?.view(), 1.0)?;
    let seeding = Seeding::Peaks {
        min_distance: PEAK_DISTANCE,
    };
    let nuclei = declump(mask.view(), distance.view(), seeding)?;
    let mut areas: Vec<u64> = sizes(nuclei.view());
    areas.remove(0); // the background
    areas.sort_unstable();
    let Some(last) = areas.len().checked_sub(1) else {
        return Ok(None);
    };
    let median = (areas[last / 2] + areas[last.div_ceil(2)]) as f64 / 2.0;
    Ok(Some((4.0 * median / std::f64::consts::PI).sqrt()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn disks(radius: f64, background: f32) -> Array2<f32> {
        Array2::from_shape_fn((120, 160), |(y, x)| {
            let off = |v: usize| (v % 40) as f64 - 20.0;
            if off(y).hypot(off(x)) < radius {
                200.0
            } else {
                background + (y * 7 + x * 13) as f32 % 5.0
            }
        })
    }

    #[test]
    fn diameters_are_measured() {
        for radius in [5.0, 9.0, 14.0] {
            let found = nucleus_diameter(&disks(radius, 10.0)).unwrap().unwrap();
            assert!(
                (found / (2.0 * radius) - 1.0).abs() < 0.1,
                "{radius}: {found}"
            );
        }
        assert_eq!(nucleus_diameter(&Array2::zeros((20, 20))).unwrap(), None);
    }

    #[test]
    fn factors() {
        let image = disks(7.0, 0.0);
        let auto = Scale::Word(Word::Auto);
        assert_eq!(Scale::Factor(1.0).factor(&image, 14.0).unwrap(), None);
        assert_eq!(Scale::Factor(1.005).factor(&image, 14.0).unwrap(), None);
        assert_eq!(Scale::Factor(0.5).factor(&image, 14.0).unwrap(), Some(0.5));
        let found = auto.factor(&image, 28.0).unwrap().unwrap();
        assert!((found - 2.0).abs() < 0.2, "{found}");
        assert_eq!(auto.factor(&Array2::zeros((9, 9)), 14.0).unwrap(), None);
        for bad in [0.0, -1.0, f64::NAN, 65.0] {
            assert!(Scale::Factor(bad).check().is_some());
        }
    }
}
