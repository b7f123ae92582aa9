//! Wilcoxon's rank-sum test.

use super::TestResult;

/// Whether the values of one sample tend to be larger than those of the other: `scipy.stats.ranksums(a, b)`, two-sided, by the
/// normal approximation without correction for ties. The statistic is a z-score, positive where `a` is larger. p-values to
/// 1e-9 (relative).
#[must_use]
pub fn rank_sum(a: &[f64], b: &[f64]) -> TestResult {
    let mut all: Vec<(f64, bool)> = a.iter().map(|&v| (v, true)).collect();
    all.extend(b.iter().map(|&v| (v, false)));
    if a.is_empty() || b.is_empty() || all.iter().any(|(v, _)| v.is_nan()) {
        return TestResult::NONE;
    }
    all.sort_unstable_by(|x, y| x.0.total_cmp(&y.0));
    let (mut sum, mut before) = (0.0, 0.0);
    for tied in all.chunk_by(|x, y| x.0 == y.0) {
        let of_a = tied.iter().filter(|(_, of_a)| *of_a).count();
        // Equal values share the mean of their ranks, which count from 1.
        sum += of_a as f64 * (before + (tied.len() as f64 + 1.0) / 2.0);
        before += tied.len() as f64;
    }
    let (n, m) = (a.len() as f64, b.len() as f64);
    let expected = n * (n + m + 1.0) / 2.0;
    let statistic = (sum - expected) / (n * m * (n + m + 1.0) / 12.0).sqrt();
    TestResult {
        statistic,
        p_value: libm::erfc(statistic.abs() / std::f64::consts::SQRT_2),
    }
}
