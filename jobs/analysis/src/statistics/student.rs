//! Welch's t-test.

use super::TestResult;
use super::beta::incomplete_beta;

/// Whether the means of two samples differ, with unequal variances: `scipy.stats.ttest_ind(a, b, equal_var=False)`, two-sided.
/// The statistic is positive where `a` has the larger mean. p-values to 1e-9 (relative).
#[must_use]
pub fn welch_t_test(a: &[f64], b: &[f64]) -> TestResult {
    let (Some(a), Some(b)) = (Sample::of(a), Sample::of(b)) else {
        return TestResult::NONE;
    };
    let statistic = (a.mean - b.mean) / (a.square_error + b.square_error).sqrt();
    let parts = a.square_error.powi(2) / a.freedom + b.square_error.powi(2) / b.freedom;
    let freedom = (a.square_error + b.square_error).powi(2) / parts;
    // Without any variance SciPy takes one degree: the p-value is then 0 or NaN in any case.
    let freedom = if freedom.is_nan() { 1.0 } else { freedom };
    TestResult {
        statistic,
        p_value: two_sided(statistic, freedom),
    }
}

struct Sample {
    mean: f64,
    /// The square of the mean's standard error.
    square_error: f64,
    freedom: f64,
}

impl Sample {
    /// `None` for fewer than two values, which have no variance.
    fn of(values: &[f64]) -> Option<Self> {
        if values.len() < 2 {
            return None;
        }
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>();
        let freedom = n - 1.0;
        Some(Self {
            mean,
            square_error: squares / freedom / n,
            freedom,
        })
    }
}

/// The probability that Student's t is farther from 0 than `t`.
fn two_sided(t: f64, freedom: f64) -> f64 {
    let square = t * t;
    if square.is_infinite() {
        return 0.0;
    }
    incomplete_beta(
        freedom / 2.0,
        0.5,
        freedom / (freedom + square),
        square / (freedom + square),
    )
}
