//! ilastik's threshold in two levels, with labels and a choice by size.

use std::ops::RangeInclusive;

use ndarray::{Array2, ArrayView2, Zip};

use crate::components::{Connectivity, keep_areas, label, relabel_sequential};
use crate::gaussian::{Mode, Smoothing, smooth};
use crate::{Error, Result};

/// How objects are cut out of a map of probabilities.
#[derive(Clone, Debug, PartialEq)]
pub struct TwoLevels {
    /// Standard deviation of the smoothing that comes first, in pixels (y, x); below 0.1 on either axis nothing is smoothed.
    pub sigma: [f64; 2],
    /// Objects are where the smoothed map is at least this.
    pub threshold: f64,
    /// Number of pixels that an object may have, both ends included. With cores: that a core may have.
    pub sizes: RangeInclusive<u64>,
    /// Objects are kept only where a core lies in them: the map of cores is at least this.
    pub core_threshold: Option<f64>,
}

/// Labels the objects of a map (y, x), numbered from 1 in raster order; edges connect, corners do not.
///
/// `cores` is the map in which cores are looked for, mostly the same. Reproduces ilastik's *ThresholdTwoLevels* ("simple", and with
/// cores "hysteresis"): the smoothing is VIGRA's `gaussianSmoothing(sigma, window_size=2)`, equal bit for bit; so are the masks. ilastik
/// numbers its objects block by block, so their numbers differ.
///
/// # Errors
/// [`Error::Shape`] for maps of different sizes; [`Error::Parameter`] for a sigma that is negative or not a number.
// Views are passed by value, as everywhere in this crate.
#[allow(clippy::needless_pass_by_value)]
pub fn two_levels(
    map: ArrayView2<'_, f32>,
    cores: ArrayView2<'_, f32>,
    how: &TwoLevels,
) -> Result<Array2<u32>> {
    if map.dim() != cores.dim() {
        return Err(Error::Shape {
            left: map.dim(),
            right: cores.dim(),
        });
    }
    let components = |map: ArrayView2<'_, f32>, threshold: f64| -> Result<Array2<u32>> {
        let smoothed = if how.sigma.iter().any(|&sigma| sigma < 0.1) {
            map.to_owned()
        } else {
            let smoothing = Smoothing {
                sigma: how.sigma,
                truncate: 2.0,
                mode: Mode::Mirror,
            };
            smooth(map, &smoothing)?
        };
        // A threshold is stored and compared in single precision there.
        let threshold = threshold as f32;
        let mask = smoothed.mapv(|v| v >= threshold);
        Ok(label(mask.view(), Connectivity::Edges).0)
    };
    let objects = components(map, how.threshold)?;
    let Some(core_threshold) = how.core_threshold else {
        let kept = keep_areas(objects.view(), how.sizes.clone());
        return Ok(relabel_sequential(kept.view()).0);
    };
    let found = components(cores, core_threshold)?;
    let found = keep_areas(found.view(), how.sizes.clone());
    let count = objects.iter().copied().max().unwrap_or(0) as usize;
    let mut has_core = vec![false; count + 1];
    Zip::from(&objects)
        .and(&found)
        .for_each(|&object, &core| has_core[object as usize] |= core != 0);
    let kept = objects.mapv(|object| if has_core[object as usize] { object } else { 0 });
    Ok(relabel_sequential(kept.view()).0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ndarray::array;

    fn how(core: Option<f64>, sizes: RangeInclusive<u64>) -> TwoLevels {
        TwoLevels {
            sigma: [0.0, 0.0],
            threshold: 0.5,
            sizes,
            core_threshold: core,
        }
    }

    #[test]
    fn objects_are_cut_sized_and_chosen_by_their_cores() {
        let map = array![
            [0.5f32, 0.6, 0.0, 0.9, 0.0],
            [0.0, 0.0, 0.7, 0.0, 0.0],
            [0.9, 0.0, 0.7, 0.7, 0.0],
        ];
        let labels = |core, sizes| two_levels(map.view(), map.view(), &how(core, sizes)).unwrap();
        // Corners do not connect, and a value at the threshold belongs to its object.
        assert_eq!(
            labels(None, 1..=10),
            array![[1, 1, 0, 2, 0], [0, 0, 3, 0, 0], [4, 0, 3, 3, 0]]
        );
        assert_eq!(
            labels(None, 2..=2),
            array![[1, 1, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]]
        );
        assert_eq!(
            labels(Some(0.65), 2..=10),
            array![[0, 0, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 1, 1, 0]]
        );
        assert_eq!(
            labels(Some(0.8), 1..=10),
            array![[0, 0, 0, 1, 0], [0, 0, 0, 0, 0], [2, 0, 0, 0, 0]]
        );
    }

    /// Printed by VIGRA: gaussianSmoothing of a spike of 1 in a plane of 7 x 7, sigma 1, window_size 2.
    #[test]
    fn the_smoothing_is_vigras() {
        let mut map = Array2::<f32>::zeros((7, 7));
        map[[3, 3]] = 1.0;
        let cut = |threshold: f64| {
            let how = TwoLevels {
                sigma: [1.0, 1.0],
                threshold,
                sizes: 1..=49,
                core_threshold: None,
            };
            let labels = two_levels(map.view(), map.view(), &how).unwrap();
            labels.iter().filter(|l| **l != 0).count()
        };
        // 0.162103 in the middle, 0.0983203 beside it, 0.0596343 across the corner, 0.0219382 two pixels away, then 0.0133062.
        let counts = [0.1622, 0.1621, 0.0983, 0.0596, 0.0219, 0.0133, 0.0029].map(cut);
        assert_eq!(counts, [0, 1, 5, 9, 13, 21, 25]);
    }
}
