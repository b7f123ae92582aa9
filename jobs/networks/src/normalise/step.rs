//! One step of a normalisation or of an activation.

use std::fmt;

use ndarray::{Array3, ArrayViewMut2, Axis};
use serde::de::value::{MapAccessDeserializer, MapDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::{for_each, mean_and_deviation, percentiles_of};
use crate::error::{Error, Result};

/// Which pixels share their statistics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Each channel has its own.
    #[default]
    Channel,
    /// All channels together.
    All,
}

/// One number for all channels, or one for each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Numbers {
    /// The same for all.
    One(f32),
    /// One a channel, in order.
    Each(Vec<f32>),
}

impl Numbers {
    fn of(&self, channel: usize) -> Option<f32> {
        match self {
            Self::One(v) => Some(*v),
            Self::Each(list) => list.get(channel).copied(),
        }
    }
}

const fn standard_eps() -> f64 {
    1e-6
}

const fn hundred() -> f64 {
    100.0
}

const fn one() -> Numbers {
    Numbers::One(1.0)
}

const fn zero() -> Numbers {
    Numbers::One(0.0)
}

/// One step, on (channel, y, x). Statistics are those of the whole image. The names are bioimage.io's where it has one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// `(x - mean) / (deviation + eps)`.
    ZeroMeanUnitVariance {
        /// Added to the deviation.
        #[serde(default = "standard_eps")]
        eps: f64,
        /// Which pixels share mean and deviation.
        #[serde(default)]
        scope: Scope,
    },
    /// `(x - mean) / max(deviation, eps)` (BatchLib's `standardize`).
    #[serde(alias = "standardize")]
    Standardise {
        /// The smallest divisor.
        #[serde(default = "standard_eps")]
        eps: f64,
        /// Which pixels share mean and deviation.
        #[serde(default)]
        scope: Scope,
    },
    /// `(x - p_min) / (p_max - p_min + eps)` with percentiles; 0 and 100 are minimum and maximum.
    #[serde(alias = "percentile", alias = "min_max")]
    ScaleRange {
        /// Percentile that becomes 0.
        #[serde(default)]
        min_percentile: f64,
        /// Percentile that becomes 1.
        #[serde(default = "hundred")]
        max_percentile: f64,
        /// Added to the range.
        #[serde(default = "standard_eps")]
        eps: f64,
        /// Which pixels share percentiles.
        #[serde(default)]
        scope: Scope,
    },
    /// `(x - mean) / std` with given numbers.
    #[serde(alias = "fixed")]
    FixedZeroMeanUnitVariance {
        /// Subtracted.
        mean: Numbers,
        /// Divided by.
        std: Numbers,
    },
    /// `x * gain + offset`.
    ScaleLinear {
        /// Multiplied with.
        #[serde(default = "one")]
        gain: Numbers,
        /// Added.
        #[serde(default = "zero")]
        offset: Numbers,
    },
    /// Limits the values.
    Clip {
        /// Smallest value.
        min: f32,
        /// Largest value.
        max: f32,
    },
    /// 1 above the threshold, else 0.
    Binarize {
        /// The threshold.
        threshold: Numbers,
    },
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// `exp(x)` divided by its sum over the channels.
    Softmax,
}

impl Step {
    /// Whether each pixel's result depends on that pixel alone, so that it may be done tile by tile.
    #[must_use]
    pub const fn is_pointwise(&self) -> bool {
        !matches!(
            self,
            Self::ZeroMeanUnitVariance { .. } | Self::Standardise { .. } | Self::ScaleRange { .. }
        )
    }

    /// Applies the step to (channel, y, x) in place.
    ///
    /// # Errors
    /// Percentiles outside 0 to 100, fewer numbers than channels, or a divisor of 0.
    pub fn apply(&self, image: &mut Array3<f32>) -> Result<()> {
        if image.is_empty() {
            return Ok(());
        }
        match self {
            Self::ZeroMeanUnitVariance { eps, scope } => by_scope(image, *scope, |planes| {
                let (mean, deviation) = mean_and_deviation(planes);
                shift_and_divide(planes, mean, deviation + eps)
            }),
            Self::Standardise { eps, scope } => by_scope(image, *scope, |planes| {
                let (mean, deviation) = mean_and_deviation(planes);
                shift_and_divide(planes, mean, deviation.max(*eps))
            }),
            Self::ScaleRange {
                min_percentile,
                max_percentile,
                eps,
                scope,
            } => by_scope(image, *scope, |planes| {
                let values = planes.iter().flat_map(|p| p.iter().copied()).collect();
                let (low, high) = percentiles_of(values, *min_percentile, *max_percentile)?;
                #[allow(clippy::cast_possible_truncation)]
                let (low, high, eps) = (low as f32, high as f32, *eps as f32);
                shift_and_divide(planes, f64::from(low), f64::from(high - low + eps))
            }),
            Self::FixedZeroMeanUnitVariance { mean, std } => each_channel(image, |channel| {
                let (mean, std) = (number("mean", mean, channel)?, number("std", std, channel)?);
                if std == 0.0 {
                    return Err(zero_divisor("std"));
                }
                Ok(move |v| (v - mean) / std)
            }),
            Self::ScaleLinear { gain, offset } => each_channel(image, |channel| {
                let gain = number("gain", gain, channel)?;
                let offset = number("offset", offset, channel)?;
                Ok(move |v| v * gain + offset)
            }),
            Self::Clip { min, max } => {
                let (min, max) = (*min, *max);
                each_channel(image, |_| Ok(move |v: f32| v.max(min).min(max)))
            }
            Self::Binarize { threshold } => each_channel(image, |channel| {
                let threshold = number("threshold", threshold, channel)?;
                Ok(move |v| if v > threshold { 1.0 } else { 0.0 })
            }),
            Self::Sigmoid => each_channel(image, |_| Ok(|v: f32| 1.0 / (1.0 + (-v).exp()))),
            Self::Softmax => {
                softmax(image);
                Ok(())
            }
        }
    }
}

fn number(name: &'static str, numbers: &Numbers, channel: usize) -> Result<f32> {
    numbers.of(channel).ok_or_else(|| Error::Parameter {
        name,
        value: format!("given for {channel} channels"),
        expected: "one number, or one for each channel",
    })
}

fn zero_divisor(name: &'static str) -> Error {
    Error::Parameter {
        name,
        value: "0".to_owned(),
        expected: "another number than 0: it is divided by",
    }
}

fn by_scope(
    image: &mut Array3<f32>,
    scope: Scope,
    f: impl Fn(&mut [ArrayViewMut2<'_, f32>]) -> Result<()>,
) -> Result<()> {
    let mut planes: Vec<_> = image.axis_iter_mut(Axis(0)).collect();
    match scope {
        Scope::All => f(&mut planes),
        Scope::Channel => planes.chunks_mut(1).try_for_each(f),
    }
}

fn shift_and_divide(planes: &mut [ArrayViewMut2<'_, f32>], shift: f64, divisor: f64) -> Result<()> {
    if divisor == 0.0 {
        return Err(zero_divisor("eps"));
    }
    #[allow(clippy::cast_possible_truncation)]
    let (shift, divisor) = (shift as f32, divisor as f32);
    for plane in planes {
        for_each(plane, |v| (v - shift) / divisor);
    }
    Ok(())
}

fn each_channel<F: Fn(f32) -> f32 + Sync>(
    image: &mut Array3<f32>,
    f: impl Fn(usize) -> Result<F>,
) -> Result<()> {
    for (channel, mut plane) in image.axis_iter_mut(Axis(0)).enumerate() {
        for_each(&mut plane, f(channel)?);
    }
    Ok(())
}

fn softmax(image: &mut Array3<f32>) {
    for mut pixel in image.lanes_mut(Axis(0)) {
        // The largest is subtracted so that no exponential overflows.
        let most = pixel.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        pixel.mapv_inplace(|v| (v - most).exp());
        let sum = pixel.sum();
        pixel.mapv_inplace(|v| v / sum);
    }
}

/// Steps one after the other. Written as a name (`"sigmoid"`), as a table (`{ name = "scale_range", min_percentile = 1 }`), or as a
/// list of both.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Steps(pub Vec<Step>);

impl Steps {
    /// Applies all of them.
    ///
    /// # Errors
    /// See [`Step::apply`].
    pub fn apply(&self, image: &mut Array3<f32>) -> Result<()> {
        self.0.iter().try_for_each(|step| step.apply(image))
    }
}

impl<'de> Deserialize<'de> for Steps {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StepsVisitor)
    }
}

struct StepsVisitor;

impl<'de> Visitor<'de> for StepsVisitor {
    type Value = Steps;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a step, a table with its name and numbers, or a list of them")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Steps, E> {
        let fields = [("name", name)].into_iter();
        Step::deserialize(MapDeserializer::new(fields)).map(|step| Steps(vec![step]))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Steps, A::Error> {
        Step::deserialize(MapAccessDeserializer::new(map)).map(|step| Steps(vec![step]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Steps, A::Error> {
        let mut all = Vec::new();
        while let Some(Steps(one)) = list.next_element()? {
            all.extend(one);
        }
        Ok(Steps(all))
    }
}
