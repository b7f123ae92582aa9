//! Intensity columns of one channel.

use ndarray::ArrayView2;

use super::columns::{ColumnValues, Intensity};
use super::objects::Objects;

/// What one sweep over a channel gathers of each object.
#[derive(Clone, Copy, Debug)]
struct Totals {
    area: f64,
    sum: f64,
    min: f32,
    max: f32,
    /// The first pixel: deviations are taken from it, so that a large common value does not swallow them.
    origin: f64,
    deviation: f64,
    squared_deviation: f64,
    weighted_y: f64,
    weighted_x: f64,
}

impl Totals {
    const NONE: Self = Self {
        area: 0.0,
        sum: 0.0,
        min: f32::INFINITY,
        max: f32::NEG_INFINITY,
        origin: 0.0,
        deviation: 0.0,
        squared_deviation: 0.0,
        weighted_y: 0.0,
        weighted_x: 0.0,
    };

    fn mean(&self) -> f64 {
        self.sum / self.area
    }

    fn std(&self) -> f64 {
        let shift = self.deviation / self.area;
        let variance = self.squared_deviation / self.area - shift * shift;
        // Rounding may leave less than nothing; NaN stays NaN.
        if variance < 0.0 { 0.0 } else { variance.sqrt() }
    }
}

/// The selected columns of one channel.
pub(super) fn columns(
    objects: &Objects,
    channel: &str,
    plane: ArrayView2<'_, f32>,
    wanted: &[Intensity],
) -> Vec<(String, ColumnValues)> {
    if wanted.is_empty() {
        return Vec::new();
    }
    let width = plane.ncols();
    let plane = plane.as_standard_layout();
    let pixels = plane.as_slice().expect("standard layout");
    let (with_std, with_centroid) = (
        wanted.contains(&Intensity::Std),
        wanted.contains(&Intensity::CentroidWeighted),
    );
    let mut totals = vec![Totals::NONE; objects.count()];
    for (y, span, row) in objects.spans() {
        let (start, end) = (span.start as usize, span.end as usize);
        let values = &pixels[y * width + start..y * width + end];
        let total = &mut totals[row];
        let (sum, min, max) = sum_min_max(values);
        if total.area == 0.0 {
            total.origin = f64::from(values[0]);
        }
        total.area += values.len() as f64;
        total.sum += sum;
        total.min = if min < total.min { min } else { total.min };
        total.max = if max > total.max { max } else { total.max };
        if with_std {
            for &v in values {
                let d = f64::from(v) - total.origin;
                total.deviation += d;
                total.squared_deviation += d * d;
            }
        }
        if with_centroid {
            total.weighted_y += y as f64 * sum;
            total.weighted_x += values
                .iter()
                .zip(start..)
                .map(|(&v, x)| f64::from(v) * x as f64)
                .sum::<f64>();
        }
    }
    let mut sorted = wanted
        .iter()
        .any(|w| matches!(w, Intensity::Median | Intensity::Quantile(_)))
        .then(|| Pixels::sorted(objects, &totals, pixels, width));
    let mut out = Vec::new();
    for &intensity in wanted {
        let float = |f: fn(&Totals) -> f64| ColumnValues::Float(totals.iter().map(f).collect());
        let values = match intensity {
            Intensity::Mean => float(Totals::mean),
            Intensity::Max => float(|t| t.max.into()),
            Intensity::Min => float(|t| t.min.into()),
            Intensity::Std => float(Totals::std),
            Intensity::Sum => float(|t| t.sum),
            Intensity::Median => {
                ColumnValues::Float(sorted.as_mut().map_or_else(Vec::new, |p| p.quantile(0.5)))
            }
            Intensity::Quantile(q) => {
                ColumnValues::Float(sorted.as_mut().map_or_else(Vec::new, |p| p.quantile(q)))
            }
            Intensity::CentroidWeighted => {
                out.push((
                    format!("{channel}_{intensity}_y"),
                    float(|t| t.weighted_y / t.sum),
                ));
                out.push((
                    format!("{channel}_{intensity}_x"),
                    float(|t| t.weighted_x / t.sum),
                ));
                continue;
            }
        };
        out.push((format!("{channel}_{intensity}"), values));
    }
    out
}

/// In eight lanes, so that no addition waits for the one before it.
#[inline]
fn sum_min_max(values: &[f32]) -> (f64, f32, f32) {
    let (chunks, rest) = values.as_chunks::<8>();
    let (mut sums, mut mins, mut maxs) = ([0f64; 8], [f32::INFINITY; 8], [f32::NEG_INFINITY; 8]);
    for chunk in chunks {
        for i in 0..8 {
            sums[i] += f64::from(chunk[i]);
            mins[i] = if chunk[i] < mins[i] {
                chunk[i]
            } else {
                mins[i]
            };
            maxs[i] = if chunk[i] > maxs[i] {
                chunk[i]
            } else {
                maxs[i]
            };
        }
    }
    let mut sum = sums.iter().sum();
    let mut min = mins.into_iter().fold(f32::INFINITY, f32::min);
    let mut max = maxs.into_iter().fold(f32::NEG_INFINITY, f32::max);
    for &v in rest {
        sum += f64::from(v);
        min = min.min(v);
        max = max.max(v);
    }
    (sum, min, max)
}

/// The pixels of all objects, each object's together and in ascending order.
struct Pixels {
    starts: Vec<usize>,
    values: Vec<f32>,
}

impl Pixels {
    fn sorted(objects: &Objects, totals: &[Totals], pixels: &[f32], width: usize) -> Self {
        let mut starts = vec![0];
        for total in totals {
            starts.push(starts[starts.len() - 1] + total.area as usize);
        }
        let mut values = vec![0.0; starts[starts.len() - 1]];
        let mut next = starts.clone();
        for (y, span, row) in objects.spans() {
            let from = &pixels[y * width + span.start as usize..y * width + span.end as usize];
            values[next[row]..next[row] + from.len()].copy_from_slice(from);
            next[row] += from.len();
        }
        for object in starts.windows(2) {
            values[object[0]..object[1]].sort_unstable_by(f32::total_cmp);
        }
        Self { starts, values }
    }

    fn quantile(&mut self, q: f64) -> Vec<f64> {
        let of = |object: &[usize]| {
            let values = &self.values[object[0]..object[1]];
            let (Some(lowest), Some(highest)) = (values.first(), values.last()) else {
                return f64::NAN;
            };
            if lowest.is_nan() || highest.is_nan() {
                return f64::NAN;
            }
            let at = q.clamp(0.0, 1.0) * (values.len() - 1) as f64;
            let (low, high) = (
                f64::from(values[at.floor() as usize]),
                f64::from(values[at.ceil() as usize]),
            );
            low + (high - low) * at.fract()
        };
        self.starts.windows(2).map(of).collect()
    }
}
