//! Which features, at which scales: what ilastik calls the feature selection.

use super::kernel::{PRESMOOTH_REACH, check_sigma};
use crate::{Error, Result};

/// A filter of ilastik's pixel classification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Feature {
    /// The smoothed image.
    GaussianSmoothing,
    /// Sum of the second derivatives.
    LaplacianOfGaussian,
    /// Length of the gradient.
    GaussianGradientMagnitude,
    /// Difference to a smoothing with 0.66 of the sigma.
    DifferenceOfGaussians,
    /// Eigenvalues of the structure tensor: 2, or 3 in a volume.
    StructureTensorEigenvalues,
    /// Eigenvalues of the matrix of second derivatives: 2, or 3 in a volume.
    HessianOfGaussianEigenvalues,
}

impl Feature {
    /// All, in ilastik's order.
    pub const ALL: [Self; 6] = [
        Self::GaussianSmoothing,
        Self::LaplacianOfGaussian,
        Self::GaussianGradientMagnitude,
        Self::DifferenceOfGaussians,
        Self::StructureTensorEigenvalues,
        Self::HessianOfGaussianEigenvalues,
    ];

    /// The identifier in ilastik's project files.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::GaussianSmoothing => "GaussianSmoothing",
            Self::LaplacianOfGaussian => "LaplacianOfGaussian",
            Self::GaussianGradientMagnitude => "GaussianGradientMagnitude",
            Self::DifferenceOfGaussians => "DifferenceOfGaussians",
            Self::StructureTensorEigenvalues => "StructureTensorEigenvalues",
            Self::HessianOfGaussianEigenvalues => "HessianOfGaussianEigenvalues",
        }
    }

    /// How many values it has for a pixel of one channel.
    #[must_use]
    pub const fn values(self, in_2d: bool) -> usize {
        match self {
            Self::StructureTensorEigenvalues | Self::HessianOfGaussianEigenvalues => {
                if in_2d {
                    2
                } else {
                    3
                }
            }
            _ => 1,
        }
    }
}

/// A scale with the features that are computed at it.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    /// Standard deviation, in pixels.
    pub sigma: f64,
    /// Whether each z-slice is filtered by itself.
    pub in_2d: bool,
    /// The features at this scale.
    pub features: Vec<Feature>,
}

impl Scale {
    /// Standard deviation of the smoothing that comes first, and of the filters on the smoothed image.
    pub(crate) fn sigmas(&self) -> (f64, f64) {
        if self.sigma > 1.0 {
            ((self.sigma * self.sigma - 1.0).sqrt(), 1.0)
        } else {
            (self.sigma, self.sigma)
        }
    }
}

/// The features of a classifier, in the order of its columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Selection {
    order: Vec<Feature>,
    scales: Vec<Scale>,
}

/// Where one filter's values of one channel go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Column {
    /// The filter.
    pub feature: Feature,
    /// Index of the scale.
    pub scale: usize,
    /// Channel of the image.
    pub channel: usize,
    /// First of its columns.
    pub first: usize,
    /// How many columns it has.
    pub count: usize,
}

impl Selection {
    /// Scales with their features; `order` is the order of the features' columns.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a sigma that is not above 0 and at most 1000, no feature at all, a feature that is not in `order`,
    /// or the structure tensor at a sigma below 0.5, for which ilastik's own result is not defined.
    pub fn new(order: Vec<Feature>, scales: Vec<Scale>) -> Result<Self> {
        for scale in &scales {
            check_sigma(scale.sigma)?;
            let tensor = scale
                .features
                .contains(&Feature::StructureTensorEigenvalues);
            if tensor && scale.sigma < 0.5 {
                return Err(Error::Parameter {
                    name: "sigma of StructureTensorEigenvalues",
                    value: scale.sigma.to_string(),
                    expected: "at least 0.5: ilastik's result is not defined below",
                });
            }
            if let Some(feature) = scale.features.iter().find(|f| !order.contains(f)) {
                return Err(Error::Parameter {
                    name: "feature",
                    value: feature.id().to_owned(),
                    expected: "one of those in the order of columns",
                });
            }
        }
        if scales.iter().all(|s| s.features.is_empty()) {
            return Err(Error::Parameter {
                name: "features",
                value: "none".to_owned(),
                expected: "at least one",
            });
        }
        Ok(Self { order, scales })
    }

    /// The order of the features' columns.
    #[must_use]
    pub fn order(&self) -> &[Feature] {
        &self.order
    }

    /// The scales, as given.
    #[must_use]
    pub fn scales(&self) -> &[Scale] {
        &self.scales
    }

    /// The columns for an image of so many channels: by feature, then scale, then channel, then eigenvalue.
    ///
    /// `flat` is an image of one z-slice, which is filtered in 2-D whatever the scales say.
    #[must_use]
    pub fn columns(&self, channels: usize, flat: bool) -> Vec<Column> {
        let mut columns = Vec::new();
        let mut first = 0;
        for &feature in &self.order {
            for (index, scale) in self.scales.iter().enumerate() {
                if !scale.features.contains(&feature) {
                    continue;
                }
                for channel in 0..channels {
                    let count = feature.values(flat || scale.in_2d);
                    columns.push(Column {
                        feature,
                        scale: index,
                        channel,
                        first,
                        count,
                    });
                    first += count;
                }
            }
        }
        columns
    }

    /// Number of columns for an image of so many channels.
    #[must_use]
    pub fn width(&self, channels: usize, flat: bool) -> usize {
        self.columns(channels, flat).iter().map(|c| c.count).sum()
    }

    /// Checks that every kernel fits into an image of `extent` (z, y, x), as ilastik does.
    ///
    /// # Errors
    /// [`Error::TooSmall`] with the length that is needed.
    pub fn check_extent(&self, extent: [usize; 3]) -> Result<()> {
        let flat = extent[0] == 1;
        for scale in self.scales.iter().filter(|s| !s.features.is_empty()) {
            let needed = (f64::from(PRESMOOTH_REACH) * scale.sigma).ceil() as usize + 1;
            let first = if flat || scale.in_2d { 1 } else { 0 };
            if extent[first..].iter().any(|&length| length < needed) {
                return Err(Error::TooSmall {
                    extent,
                    needed,
                    sigma: scale.sigma,
                });
            }
        }
        Ok(())
    }
}
