//! The score of an image from its pixels, without cells: BatchLib's PixellevelAnalysis.

// Views are two words and a pointer: they are passed as slices are.
#![allow(clippy::needless_pass_by_value)]

use ndarray::ArrayView2;

use crate::statistics::{TestResult, ks_two_sample, rank_sum, welch_t_test};
use crate::{Error, Result};

/// Tests are made where both masks have more pixels than this.
const FEWEST: usize = 10;

/// What [`pixel_level`] finds; intensities are in the unit of the serum image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PixelLevel {
    /// Mean over the infected pixels; 0 without any.
    pub infected_serum_intensity: f64,
    /// Mean over the pixels that are not infected; 0 without any.
    pub not_infected_serum_intensity: f64,
    /// Mean over the pixels outside the foreground: NaN without any, 0 where the foreground is not known.
    pub background: f64,
    /// Kolmogorov-Smirnov, Welch's t and rank-sum test of infected against not infected pixels; `None` where one of them
    /// has 10 pixels or fewer.
    pub tests: Option<[TestResult; 3]>,
}

/// Compares the serum intensity of infected and not infected pixels (all planes y, x). `foreground` is where cells are.
///
/// # Errors
/// [`Error::Shape`] if the planes differ in size.
pub fn pixel_level(
    serum: ArrayView2<'_, f32>,
    infected: ArrayView2<'_, bool>,
    not_infected: ArrayView2<'_, bool>,
    foreground: Option<ArrayView2<'_, bool>>,
) -> Result<PixelLevel> {
    let masks = [Some(infected), Some(not_infected), foreground];
    for mask in masks.iter().flatten() {
        if mask.dim() != serum.dim() {
            return Err(Error::Shape {
                left: serum.dim(),
                right: mask.dim(),
            });
        }
    }
    let infected = values(serum, infected, true);
    let not_infected = values(serum, not_infected, true);
    let tests = (infected.len().min(not_infected.len()) > FEWEST).then(|| {
        [ks_two_sample, welch_t_test, rank_sum].map(|test| test(&infected, &not_infected))
    });
    let or_zero = |values: &[f64]| if values.is_empty() { 0.0 } else { mean(values) };
    Ok(PixelLevel {
        infected_serum_intensity: or_zero(&infected),
        not_infected_serum_intensity: or_zero(&not_infected),
        background: foreground.map_or(0.0, |mask| mean(&values(serum, mask, false))),
        tests,
    })
}

fn values(serum: ArrayView2<'_, f32>, mask: ArrayView2<'_, bool>, wanted: bool) -> Vec<f64> {
    let pairs = serum.iter().zip(mask);
    pairs
        .filter(|(_, mask)| **mask == wanted)
        .map(|(&value, _)| value.into())
        .collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

impl PixelLevel {
    /// All numbers with BatchLib's names and in its order. Tests that were not made are NaN.
    ///
    /// Ratio and difference over sum (`dos`) of the two means are given with (`_bgsub`) and without the background
    /// subtracted, and are 0 where they would be divided by 0.
    #[must_use]
    pub fn columns(&self) -> Vec<(String, f64)> {
        let mut columns = vec![
            (
                "infected_serum_intensity".to_owned(),
                self.infected_serum_intensity,
            ),
            (
                "not_infected_serum_intensity".to_owned(),
                self.not_infected_serum_intensity,
            ),
            ("background".to_owned(), self.background),
        ];
        for (index, (test, value)) in [("ks", "KS"), ("ttest", "ttest"), ("ranksum", "ranksum")]
            .into_iter()
            .enumerate()
        {
            let result = self.tests.map(|tests| tests[index]);
            let number = |of: fn(TestResult) -> f64| result.map_or(f64::NAN, of);
            columns.push((
                format!("{test}_test_{value}_value"),
                number(|r| r.statistic),
            ));
            columns.push((format!("{test}_test_p_value"), number(|r| r.p_value)));
        }
        for (suffix, background) in [("_bgsub", self.background), ("", 0.0)] {
            let infected = self.infected_serum_intensity - background;
            let not_infected = self.not_infected_serum_intensity - background;
            let ratio = quotient(infected, not_infected);
            let dos = quotient(infected - not_infected, infected + not_infected);
            columns.push((format!("ratio_of_mean_over_mean{suffix}"), ratio));
            columns.push((format!("dos_of_mean_over_mean{suffix}"), dos));
        }
        columns
    }
}

fn quotient(a: f64, b: f64) -> f64 {
    if b == 0.0 { 0.0 } else { a / b }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use ndarray::{Array2, array};

    use super::*;

    #[test]
    fn few_pixels_give_means_but_no_tests() {
        let serum = array![[10.0, 30.0, 4.0, 2.0]];
        let infected = array![[false, true, false, false]];
        let not_infected = array![[true, false, false, false]];
        let foreground = array![[true, true, false, false]];
        let found = pixel_level(
            serum.view(),
            infected.view(),
            not_infected.view(),
            Some(foreground.view()),
        )
        .unwrap();
        let columns = found.columns();
        let column = |name: &str| columns.iter().find(|(n, _)| n == name).unwrap().1;
        assert_eq!(column("background"), 3.0);
        assert_eq!(column("ratio_of_mean_over_mean"), 3.0);
        assert_eq!(column("dos_of_mean_over_mean"), 0.5);
        assert_eq!(column("ratio_of_mean_over_mean_bgsub"), 27.0 / 7.0);
        assert_eq!(column("dos_of_mean_over_mean_bgsub"), 20.0 / 34.0);
        assert!(column("ks_test_KS_value").is_nan() && column("ranksum_test_p_value").is_nan());
    }

    #[test]
    fn nothing_infected_is_0_and_no_background_is_not_known() {
        let serum = Array2::from_elem((2, 2), 5.0);
        let none = Array2::from_elem((2, 2), false);
        let all = Array2::from_elem((2, 2), true);
        let of = |foreground: Option<&Array2<bool>>| {
            let foreground = foreground.map(|m| m.view());
            let found = pixel_level(serum.view(), none.view(), none.view(), foreground).unwrap();
            found
                .columns()
                .into_iter()
                .map(|(_, value)| value)
                .collect::<Vec<_>>()
        };
        // The means, the background, and the four quotients.
        let without = of(None);
        assert_eq!(without[..3], [0.0, 0.0, 0.0]);
        assert_eq!(without[9..], [0.0, 0.0, 0.0, 0.0]);
        assert_eq!(of(Some(&none))[9..], [1.0, 0.0, 0.0, 0.0]);
        let full = of(Some(&all));
        assert!(full[2].is_nan() && full[9].is_nan() && full[11..] == [0.0, 0.0]);
        let small = Array2::from_elem((1, 2), true);
        assert!(pixel_level(serum.view(), all.view(), small.view(), None).is_err());
    }
}
