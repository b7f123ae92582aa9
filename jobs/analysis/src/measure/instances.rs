//! Intensity statistics of each object in each channel, as BatchLib's tables have them.

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::columns::{ColumnValues, Measurements};
use crate::components::relabel_sequential;
use crate::{Error, Result};

/// The statistics that a [`instances`] table has beside sums, means, medians, MADs and sizes.
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    /// For each K a column `topK`: the K-th largest value, 0 where there are fewer pixels.
    pub top: Vec<usize>,
    /// For each q (0 to 1) a column `quantileQ`.
    pub quantiles: Vec<f64>,
}

impl Default for Features {
    /// BatchLib's defaults.
    fn default() -> Self {
        Self {
            top: vec![10, 30, 50],
            quantiles: Vec::new(),
        }
    }
}

/// The tables of BatchLib's InstanceFeatureExtraction, one for each of `planes` (all y, x), with a row for each label in
/// ascending order. The background, label 0, has a row like any other, and labels without pixels have none.
///
/// Columns: `label_id`, `sums`, `means`, `medians`, `mads` (median of the distances to the median), `sizes`, then those of
/// `features`. As in PyTorch a median of an even number of values is the lower of the two in the middle; sums, means and
/// distances are rounded to `f32`. Quantiles are interpolated linearly, as by `numpy.quantile`. Pixels where `ignored` is not
/// 0 do not exist. One NaN makes all columns of its object NaN but `sizes` and those of `top`, where it is the largest value.
///
/// Sizes, medians, MADs, `top` and quantiles are BatchLib's exactly; sums and means are within 1e-6 (relative), because there
/// they are added up in `f32`, and here in `f64`.
///
/// # Errors
/// [`Error::Shape`] if the planes differ in size; [`Error::Parameter`] if a K is 0 or a q is outside 0 to 1.
pub fn instances(
    labels: ArrayView2<'_, u32>,
    ignored: Option<ArrayView2<'_, u32>>,
    planes: &[ArrayView2<'_, f32>],
    features: &Features,
) -> Result<Vec<Measurements>> {
    check(features)?;
    let others = ignored.iter().map(|p| p.dim());
    for right in others.chain(planes.iter().map(|p| p.dim())) {
        if right != labels.dim() {
            return Err(Error::Shape {
                left: labels.dim(),
                right,
            });
        }
    }
    let groups = Groups::find(labels, ignored);
    Ok(planes
        .iter()
        .map(|plane| groups.table(*plane, features))
        .collect())
}

fn check(features: &Features) -> Result<()> {
    if features.top.contains(&0) {
        return Err(Error::Parameter {
            name: "top",
            value: "0".to_owned(),
            expected: "1 or more",
        });
    }
    match features
        .quantiles
        .iter()
        .find(|q| !(0.0..=1.0).contains(*q))
    {
        Some(q) => Err(Error::Parameter {
            name: "quantiles",
            value: q.to_string(),
            expected: "0 to 1",
        }),
        None => Ok(()),
    }
}

/// Where the pixels of each label go when they are sorted by label.
struct Groups {
    labels: Vec<u32>,
    /// The pixels of `labels[i]` are `starts[i]..starts[i + 1]`.
    starts: Vec<usize>,
    /// The index into `labels` of each pixel in raster order; `NOWHERE` for ignored ones.
    group_of: Vec<u32>,
}

const NOWHERE: u32 = u32::MAX;

impl Groups {
    fn find(labels: ArrayView2<'_, u32>, ignored: Option<ArrayView2<'_, u32>>) -> Self {
        let (dense, original) = relabel_sequential(labels);
        let mut group_of = dense.into_raw_vec_and_offset().0;
        if let Some(ignored) = ignored {
            for (group, &ignored) in group_of.iter_mut().zip(ignored) {
                if ignored != 0 {
                    *group = NOWHERE;
                }
            }
        }
        let mut sizes = vec![0; original.len()];
        for &group in &group_of {
            if group != NOWHERE {
                sizes[group as usize] += 1;
            }
        }
        let mut groups = Self {
            labels: Vec::new(),
            starts: vec![0],
            group_of,
        };
        // Labels whose pixels are all ignored leave a gap.
        let mut kept = vec![NOWHERE; original.len()];
        let mut end = 0;
        for (dense, (&label, &size)) in original.iter().zip(&sizes).enumerate() {
            if size > 0 {
                kept[dense] = groups.labels.len() as u32;
                groups.labels.push(label);
                end += size;
                groups.starts.push(end);
            }
        }
        if groups.labels.len() < original.len() {
            for group in groups.group_of.iter_mut().filter(|g| **g != NOWHERE) {
                *group = kept[*group as usize];
            }
        }
        groups
    }

    /// The pixels of each label in ascending order.
    fn sorted(&self, plane: ArrayView2<'_, f32>) -> Vec<f32> {
        let mut next = self.starts.clone();
        let mut values = vec![0.0; self.starts[self.labels.len()]];
        for (&group, &value) in self.group_of.iter().zip(plane) {
            if group != NOWHERE {
                let at = &mut next[group as usize];
                values[*at] = value;
                *at += 1;
            }
        }
        let mut rest = values.as_mut_slice();
        let mut parts = Vec::with_capacity(self.labels.len());
        for pair in self.starts.windows(2) {
            let (part, after) = rest.split_at_mut(pair[1] - pair[0]);
            parts.push(part);
            rest = after;
        }
        // The background is larger than all objects together: threads share its work, too.
        parts
            .into_par_iter()
            .for_each(|part| part.par_sort_unstable_by(f32::total_cmp));
        values
    }

    fn table(&self, plane: ArrayView2<'_, f32>, features: &Features) -> Measurements {
        let values = self.sorted(plane);
        let parts: Vec<&[f32]> = self
            .starts
            .windows(2)
            .map(|pair| &values[pair[0]..pair[1]])
            .collect();
        let float = |of: &(dyn Fn(&[f32]) -> f64 + Sync)| {
            ColumnValues::Float(parts.par_iter().map(|part| of(part)).collect())
        };
        let sum = |part: &[f32]| part.iter().map(|&v| f64::from(v)).sum::<f64>();
        let single = |value: f64| f64::from(value as f32);
        let ids = self.labels.iter().map(|&label| label.into()).collect();
        let sizes = parts.iter().map(|part| part.len() as i64).collect();
        let mut columns = vec![
            ("label_id".to_owned(), ColumnValues::Int(ids)),
            ("sums".to_owned(), float(&|part| single(sum(part)))),
            (
                "means".to_owned(),
                float(&|part| single(sum(part) / part.len() as f64)),
            ),
            ("medians".to_owned(), float(&|part| median(part).into())),
            ("mads".to_owned(), float(&|part| mad(part).into())),
            ("sizes".to_owned(), ColumnValues::Int(sizes)),
        ];
        for &k in &features.top {
            let values = float(&|part| part.len().checked_sub(k).map_or(0.0, |at| part[at].into()));
            columns.push((format!("top{k}"), values));
        }
        for &q in &features.quantiles {
            columns.push((format!("quantile{q}"), float(&|part| quantile(part, q))));
        }
        Measurements {
            labels: self.labels.clone(),
            columns,
        }
    }
}

/// Whether there is a NaN among values in ascending order.
fn has_nan(sorted: &[f32]) -> bool {
    // A negative NaN is sorted before everything else.
    [sorted.first(), sorted.last()]
        .into_iter()
        .flatten()
        .any(|v| v.is_nan())
}

/// The lower median of one or more values in ascending order.
fn median(sorted: &[f32]) -> f32 {
    if has_nan(sorted) {
        return f32::NAN;
    }
    sorted[(sorted.len() - 1) / 2]
}

/// The lower median of the distances to the lower median. Distances grow to both sides of the median, so they are met in
/// ascending order by walking outwards, always to the nearer side.
fn mad(sorted: &[f32]) -> f32 {
    let middle = median(sorted);
    if middle.is_nan() {
        return middle;
    }
    let center = (sorted.len() - 1) / 2;
    let (mut left, mut right) = (center, center + 1);
    let mut distance = 0.0;
    for _ in 0..center {
        let below = left.checked_sub(1).map(|at| middle - sorted[at]);
        let above = sorted.get(right).map(|value| value - middle);
        match (below, above) {
            (Some(below), above) if above.is_none_or(|above| below <= above) => {
                distance = below;
                left -= 1;
            }
            (_, Some(above)) => {
                distance = above;
                right += 1;
            }
            // Half of the values are met before both sides end.
            _ => break,
        }
    }
    distance
}

/// `numpy.quantile` of one or more values in ascending order.
fn quantile(sorted: &[f32], q: f64) -> f64 {
    if has_nan(sorted) {
        return f64::NAN;
    }
    let at = q * (sorted.len() - 1) as f64;
    let (low, high) = (at.floor() as usize, at.ceil() as usize);
    let above = at - at.floor();
    f64::from(sorted[low]) * (1.0 - above) + f64::from(sorted[high]) * above
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use ndarray::{Array2, array};
    use proptest::prelude::*;

    use super::*;

    fn table(labels: &Array2<u32>, plane: &Array2<f32>, features: &Features) -> Measurements {
        let found = instances(labels.view(), None, &[plane.view()], features).unwrap();
        found.into_iter().next().unwrap()
    }

    fn column(table: &Measurements, name: &str) -> Vec<f64> {
        let values = table.column(name).unwrap();
        (0..values.len())
            .map(|row| values.get(row).unwrap())
            .collect()
    }

    #[test]
    fn the_background_has_a_row_and_medians_are_the_lower_ones() {
        let labels = array![[0, 5, 5, 5, 5, 0]];
        let plane = array![[1.0, 4.0, 1.0, 2.0, 8.0, 3.0]];
        let features = Features {
            top: vec![1, 2, 5],
            quantiles: vec![0.5, 0.95],
        };
        let found = table(&labels, &plane, &features);
        assert_eq!(found.labels, [0, 5]);
        for (name, wanted) in [
            ("label_id", [0.0, 5.0]),
            ("sums", [4.0, 15.0]),
            ("means", [2.0, 3.75]),
            ("medians", [1.0, 2.0]),
            // Distances 0, 2 and 0, 1, 2, 6.
            ("mads", [0.0, 1.0]),
            ("sizes", [2.0, 4.0]),
            ("top1", [3.0, 8.0]),
            ("top2", [1.0, 4.0]),
            ("top5", [0.0, 0.0]),
            ("quantile0.5", [2.0, 3.0]),
        ] {
            assert_eq!(column(&found, name), wanted, "{name}");
        }
        assert!((column(&found, "quantile0.95")[1] - 7.4).abs() < 1e-12);
    }

    #[test]
    fn ignored_pixels_do_not_exist() {
        let labels = array![[0, 1, 1], [0, 2, 2]];
        let nuclei = array![[0, 7, 0], [0, 7, 7]];
        let planes = [
            array![[1.0, 9.0, 2.0], [3.0, 9.0, 9.0]],
            Array2::zeros((2, 3)),
        ];
        let found = instances(
            labels.view(),
            Some(nuclei.view()),
            &planes.each_ref().map(|plane| plane.view()),
            &Features::default(),
        )
        .unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].labels, [0, 1]);
        assert_eq!(column(&found[0], "sums"), [4.0, 2.0]);
        assert_eq!(column(&found[1], "sums"), [0.0, 0.0]);
        assert_eq!(column(&found[1], "sizes"), [2.0, 1.0]);
    }

    #[test]
    fn not_a_number_stays_in_its_object() {
        let labels = array![[1, 1, 2, 2]];
        let plane = array![[f32::NAN, 1.0, 2.0, 3.0]];
        let features = Features {
            top: vec![1, 2],
            quantiles: vec![0.95],
        };
        let found = table(&labels, &plane, &features);
        for name in ["sums", "means", "medians", "mads", "quantile0.95", "top1"] {
            let values = column(&found, name);
            assert!(
                values[0].is_nan() && !values[1].is_nan(),
                "{name}: {values:?}"
            );
        }
        assert_eq!(column(&found, "top2"), [1.0, 2.0]);
    }

    #[test]
    fn wrong_arguments_are_named() {
        let (labels, plane) = (Array2::zeros((2, 2)), Array2::zeros((2, 2)));
        let fails = |features: &Features, plane: &Array2<f32>| {
            instances(labels.view(), None, &[plane.view()], features)
                .unwrap_err()
                .to_string()
        };
        let top = Features {
            top: vec![0],
            ..Features::default()
        };
        assert!(fails(&top, &plane).contains("`top` is 0"));
        let quantiles = Features {
            quantiles: vec![95.0],
            ..Features::default()
        };
        assert!(fails(&quantiles, &plane).contains("`quantiles` is 95"));
        assert!(fails(&Features::default(), &Array2::zeros((2, 3))).contains("shapes differ"));
        // An empty plane has no labels, not even the background.
        let found = table(
            &Array2::zeros((0, 2)),
            &Array2::zeros((0, 2)),
            &Features::default(),
        );
        assert!(found.labels.is_empty() && found.columns.len() == 9);
    }

    proptest! {
        #[test]
        fn walking_outwards_finds_the_median_distance(
            mut values in prop::collection::vec(-50_i16..50, 1..40)
        ) {
            values.sort_unstable();
            let sorted: Vec<f32> = values.iter().map(|&v| f32::from(v) * 0.37).collect();
            let middle = sorted[(sorted.len() - 1) / 2];
            let mut distances: Vec<f32> = sorted.iter().map(|v| (v - middle).abs()).collect();
            distances.sort_by(f32::total_cmp);
            prop_assert_eq!(mad(&sorted), distances[(distances.len() - 1) / 2]);
        }
    }
}
