//! Pre- and postprocessing.

use serde_json::Value;

use super::super::value::Spot;
use super::Format;
use crate::description::StarConvex;
use crate::error::Result;
use crate::normalise::{Numbers, Scope, Step};

/// The steps below `key`.
pub(super) fn steps(tensor: &Spot<'_>, key: &str, format: Format) -> Result<Vec<Step>> {
    let Some(list) = tensor.get(key) else {
        return Ok(Vec::new());
    };
    let mut out = Vec::new();
    for spot in list.items()? {
        let name = spot.get("name").or_else(|| spot.get("id"));
        let name = name.ok_or_else(|| spot.wrong("lacks `id`".to_owned()))?;
        let kwargs = spot.get("kwargs");
        let empty = Value::Object(serde_json::Map::new());
        let kwargs = kwargs.unwrap_or(Spot {
            value: &empty,
            path: spot.path,
            place: format!("{}.kwargs", spot.place),
        });
        if let Some(step) = step(&name, &kwargs, format)? {
            out.push(step);
        }
    }
    Ok(out)
}

fn step(name: &Spot<'_>, kwargs: &Spot<'_>, format: Format) -> Result<Option<Step>> {
    let number = |key: &str, default: f64| kwargs.get(key).map_or(Ok(default), |s| s.number());
    #[allow(clippy::cast_possible_truncation)]
    let single = |key: &str| kwargs.need(key)?.number().map(|v| v as f32);
    let fixed = || -> Result<Step> {
        Ok(Step::FixedZeroMeanUnitVariance {
            mean: numbers(&kwargs.need("mean")?)?,
            std: numbers(&kwargs.need("std")?)?,
        })
    };
    Ok(Some(match name.text()? {
        "zero_mean_unit_variance" => match mode(kwargs)? {
            Mode::Fixed => fixed()?,
            Mode::Sample => Step::ZeroMeanUnitVariance {
                eps: number("eps", 1e-6)?,
                scope: scope(kwargs, format)?,
            },
        },
        "fixed_zero_mean_unit_variance" => fixed()?,
        "scale_range" => {
            mode(kwargs)?;
            if let Some(reference) = kwargs.get("reference_tensor") {
                return Err(
                    reference.wrong("percentiles of another tensor are not supported".to_owned())
                );
            }
            Step::ScaleRange {
                min_percentile: number("min_percentile", 0.0)?,
                max_percentile: number("max_percentile", 100.0)?,
                eps: number("eps", 1e-6)?,
                scope: scope(kwargs, format)?,
            }
        }
        "scale_linear" => {
            let of = |key: &str, default: f32| {
                kwargs
                    .get(key)
                    .map_or(Ok(Numbers::One(default)), |s| numbers(&s))
            };
            Step::ScaleLinear {
                gain: of("gain", 1.0)?,
                offset: of("offset", 0.0)?,
            }
        }
        "clip" => Step::Clip {
            min: single("min")?,
            max: single("max")?,
        },
        "binarize" => Step::Binarize {
            threshold: numbers(&kwargs.need("threshold")?)?,
        },
        "sigmoid" => Step::Sigmoid,
        "softmax" => Step::Softmax,
        // Everything is float32 here.
        "ensure_dtype" => return Ok(None),
        other => {
            return Err(name.wrong(format!(
                "`{other}` is not supported; zero_mean_unit_variance, fixed_zero_mean_unit_variance, scale_range, scale_linear, clip, binarize, sigmoid and softmax are"
            )));
        }
    }))
}

enum Mode {
    Sample,
    Fixed,
}

/// 0.4's `mode`; 0.5 has kinds of their own instead.
fn mode(kwargs: &Spot<'_>) -> Result<Mode> {
    let Some(mode) = kwargs.get("mode") else {
        return Ok(Mode::Sample);
    };
    match mode.text()? {
        "per_sample" => Ok(Mode::Sample),
        "fixed" => Ok(Mode::Fixed),
        other => Err(mode.wrong(format!(
            "`{other}` needs statistics of a whole data set; give them as `mode: fixed` with mean and std"
        ))),
    }
}

/// Which axes share their statistics: with the channel axis among them, or without `axes`, all channels do.
fn scope(kwargs: &Spot<'_>, format: Format) -> Result<Scope> {
    let Some(axes) = kwargs.get("axes") else {
        return Ok(Scope::All);
    };
    let together = match format {
        Format::Letters => axes.text()?.contains('c'),
        Format::Tables => axes.texts()?.iter().any(|a| a == "channel" || a == "c"),
    };
    Ok(if together { Scope::All } else { Scope::Channel })
}

#[allow(clippy::cast_possible_truncation)]
fn numbers(spot: &Spot<'_>) -> Result<Numbers> {
    if spot.value.is_array() {
        let list: Result<Vec<f32>> = spot
            .items()?
            .iter()
            .map(|s| s.number().map(|v| v as f32))
            .collect();
        Ok(Numbers::Each(list?))
    } else {
        Ok(Numbers::One(spot.number()? as f32))
    }
}

/// What StarDist's export writes below `config.stardist`.
pub(super) fn star_convex(root: &Spot<'_>) -> Result<Option<StarConvex>> {
    let Some(stardist) = root.get("config").and_then(|c| c.get("stardist")) else {
        return Ok(None);
    };
    let Some(config) = stardist.get("config") else {
        return Ok(None);
    };
    let thresholds = stardist.need("thresholds")?;
    Ok(Some(StarConvex {
        n_rays: config.need("n_rays")?.whole()?,
        prob_thresh: Some(thresholds.need("prob")?.number()?),
        nms_thresh: Some(thresholds.need("nms")?.number()?),
    }))
}
