//! Tests whether two samples differ: what `scipy.stats` computes for BatchLib.
//!
//! Statistics equal SciPy's to 1e-9 (relative), p-values as each function says. A p-value below 1e-300 is 0. Samples that
//! are too small for a test, or have a NaN, give NaN.

mod beta;
mod kolmogorov;
mod ranks;
mod student;

pub use kolmogorov::ks_two_sample;
pub use ranks::rank_sum;
pub use student::welch_t_test;

/// The result of a test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TestResult {
    /// What the test computes of the samples; its unit depends on the test.
    pub statistic: f64,
    /// The probability of a statistic at least as extreme if the samples were of one distribution, 0 to 1.
    pub p_value: f64,
}

impl TestResult {
    /// The test is not defined for the samples.
    const NONE: Self = Self {
        statistic: f64::NAN,
        p_value: f64::NAN,
    };
}

#[cfg(test)]
mod tests;
