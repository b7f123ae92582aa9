//! The range of values that a picture shows, and its colours.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ramp::Ramp;

/// Which values get the first and the last colour.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub enum Range {
    /// Percentiles of the values that are shown, outliers left out: robust against a few extreme wells.
    Percentiles([f64; 2]),
    /// From and to.
    Fixed([f64; 2]),
    /// BatchLib's four limits: negative from the first to the second, doubtful to the third, positive to the fourth.
    Thresholds([f64; 4]),
}

impl Default for Range {
    fn default() -> Self {
        Self::Percentiles([2.0, 98.0])
    }
}

/// A range as it stands in a workflow file.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Written {
    /// `[lo, hi]`, or four thresholds.
    Limits(Vec<f64>),
    /// `{ percentiles = [2, 98] }`.
    Percentiles {
        /// Lower and upper, 0 to 100.
        percentiles: [f64; 2],
    },
}

impl JsonSchema for Range {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Range".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Written::json_schema(generator)
    }
}

impl TryFrom<Written> for Range {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let rising =
            |v: &[f64]| v.iter().all(|x| x.is_finite()) && v.is_sorted() && v.first() < v.last();
        match written {
            Written::Percentiles { percentiles: p } if rising(&p) && p[0] >= 0.0 && p[1] <= 100.0 => {
                Ok(Self::Percentiles(p))
            }
            Written::Percentiles { .. } => {
                Err("`percentiles` must be two rising numbers from 0 to 100".to_owned())
            }
            Written::Limits(v) => match v[..] {
                [a, b] if rising(&v) => Ok(Self::Fixed([a, b])),
                [a, b, c, d] if rising(&v) => Ok(Self::Thresholds([a, b, c, d])),
                _ => Err("`range` must be [lo, hi] or four thresholds, rising, or { percentiles = [2, 98] }".to_owned()),
            },
        }
    }
}

impl From<Range> for Written {
    fn from(range: Range) -> Self {
        match range {
            Range::Percentiles(percentiles) => Self::Percentiles { percentiles },
            Range::Fixed(v) => Self::Limits(v.to_vec()),
            Range::Thresholds(v) => Self::Limits(v.to_vec()),
        }
    }
}

/// Colours that people with any kind of colour vision tell apart, and that stay in order in grey.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Colors {
    /// Diverging for columns whose name has `z_score` in it, else viridis.
    #[default]
    Auto,
    /// Dark violet over green to yellow, as matplotlib's viridis.
    Viridis,
    /// Blue over white to orange; white is 0 where the range comes from percentiles, else its middle.
    Diverging,
}

/// Range and colours.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Scale {
    /// The range.
    pub range: Range,
    /// The colours.
    pub colors: Colors,
}

impl Scale {
    /// Whether the colours of a column diverge from the middle.
    pub(crate) fn is_diverging(&self, column: &str) -> bool {
        match self.colors {
            Colors::Auto => column.contains("z_score"),
            Colors::Viridis => false,
            Colors::Diverging => true,
        }
    }

    /// The colours of these values. `values` are what percentiles are taken of.
    pub(crate) fn ramp(&self, column: &str, values: &[f64]) -> Ramp {
        let diverging = self.is_diverging(column);
        match self.range {
            Range::Thresholds(limits) => Ramp::thresholds(limits),
            Range::Fixed([lo, hi]) => Ramp::even(lo, hi, diverging),
            Range::Percentiles([low, high]) => {
                let (lo, hi) = percentiles(values, low, high);
                if diverging {
                    let reach = lo.abs().max(hi.abs());
                    let reach = if reach > 0.0 { reach } else { 1.0 };
                    return Ramp::even(-reach, reach, true);
                }
                Ramp::even(lo, hi, false)
            }
        }
    }
}

/// Two percentiles as `numpy.percentile` computes them; a range of no width is widened.
fn percentiles(values: &[f64], low: f64, high: f64) -> (f64, f64) {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else {
        return (0.0, 1.0);
    };
    let at = |percent: f64| {
        let place = percent / 100.0 * last as f64;
        let below = place.floor() as usize;
        let above = (below + 1).min(last);
        sorted[below] + (sorted[above] - sorted[below]) * place.fract()
    };
    let (lo, hi) = (at(low), at(high));
    if lo < hi {
        return (lo, hi);
    }
    let half = (lo.abs() * 0.05).max(0.5);
    (lo - half, lo + half)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn percentiles_are_numpys() {
        let values = [4.0, 1.0, 3.0, 2.0, f64::INFINITY];
        // np.percentile([1, 2, 3, 4], [2, 98])
        let (lo, hi) = percentiles(&values, 2.0, 98.0);
        assert!((lo - 1.06).abs() < 1e-12 && (hi - 3.94).abs() < 1e-12);
        assert_eq!(percentiles(&[], 2.0, 98.0), (0.0, 1.0));
        assert_eq!(percentiles(&[7.0, 7.0], 2.0, 98.0), (6.5, 7.5));
    }

    #[test]
    fn ranges_are_written_in_three_ways() {
        let read = |text: &str| serde_json::from_str::<Range>(text).map_err(|e| e.to_string());
        assert_eq!(read("[0, 2.5]").unwrap(), Range::Fixed([0.0, 2.5]));
        assert_eq!(
            read("[0.9, 1.3, 1.3, 2.0]").unwrap(),
            Range::Thresholds([0.9, 1.3, 1.3, 2.0])
        );
        assert_eq!(
            read("{\"percentiles\": [5, 95]}").unwrap(),
            Range::Percentiles([5.0, 95.0])
        );
        for bad in ["[1]", "[2, 1]", "[1, 1]", "[1, 2, 3]", "[3, 2, 1, 0]"] {
            assert!(read(bad).unwrap_err().contains("rising"), "{bad}");
        }
        assert!(read("{\"percentiles\": [0, 101]}").is_err());
        let text = serde_json::to_string(&Range::default()).unwrap();
        assert_eq!(read(&text).unwrap(), Range::default());
    }
}
