//! The Kolmogorov-Smirnov test of two samples.

use super::TestResult;

/// With at most this many values in each sample the p-value is exact, as in SciPy.
const MOST_EXACT: usize = 10_000;
/// p-values are at most about twice e to the minus this; below that they are taken for 0.
const MOST_EXPONENT: f64 = 700.0;

/// The largest distance between the distribution functions of two samples: `scipy.stats.ks_2samp(a, b)` of SciPy 1.5, two-sided.
///
/// With up to 10,000 values in each sample p-values are exact (relative 1e-9; SciPy's lose their digits below 1e-10), else
/// they are those of one sample of the size `nm / (n + m)`, as there, to 1 % (relative).
#[must_use]
pub fn ks_two_sample(a: &[f64], b: &[f64]) -> TestResult {
    if a.is_empty() || b.is_empty() || a.iter().chain(b).any(|v| v.is_nan()) {
        return TestResult::NONE;
    }
    let (n, m) = (a.len(), b.len());
    let divisor = common_divisor(n, m);
    let apart = distance(&sorted(a), &sorted(b)) / divisor as u64;
    let common_multiple = (n / divisor) as f64 * m as f64;
    let statistic = apart as f64 / common_multiple;
    let size = n as f64 * m as f64 / (n as f64 + m as f64);
    let p_value = if 2.0 * size * statistic * statistic > MOST_EXPONENT {
        0.0
    } else if n.max(m) <= MOST_EXACT {
        exact(n, m, (n / divisor) as u64, (m / divisor) as u64, apart)
    } else {
        one_sample(size.round(), statistic)
    };
    TestResult { statistic, p_value }
}

const fn common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { common_divisor(b, a % b) }
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut values = values.to_vec();
    values.sort_unstable_by(f64::total_cmp);
    values
}

/// The largest distance of the distribution functions, times `n * m`: a whole number.
fn distance(a: &[f64], b: &[f64]) -> u64 {
    let (n, m) = (a.len() as u64, b.len() as u64);
    let (mut of_a, mut of_b, mut largest) = (0, 0, 0);
    while let (Some(&x), Some(&y)) = (a.get(of_a), b.get(of_b)) {
        let value = if x < y { x } else { y };
        of_a += a[of_a..].iter().take_while(|v| **v <= value).count();
        of_b += b[of_b..].iter().take_while(|v| **v <= value).count();
        largest = (of_a as u64 * m).abs_diff(of_b as u64 * n).max(largest);
    }
    largest
}

/// The part of all ways to merge `n` and `m` values in which the distribution functions come at least `apart / lcm(n, m)`
/// apart. `step_n` and `step_m` are the sizes without their common divisor.
///
/// Each entry is that part of the ways to the point (i, j); as only positive numbers are added up, small ones are precise.
fn exact(n: usize, m: usize, step_n: u64, step_m: u64, apart: u64) -> f64 {
    if apart == 0 {
        return 1.0;
    }
    let shares: Vec<f64> = (0..=n + m).map(|steps| 1.0 / steps as f64).collect();
    // Points that are too far apart hold 1; only the others are computed.
    let mut row = vec![1.0; m + 1];
    for i in 0..=n {
        let here = i as u64 * step_m;
        let first = here.checked_sub(apart).map_or(0, |far| far / step_n + 1) as usize;
        let last = ((here + apart - 1) / step_n).min(m as u64) as usize;
        let mut left = 1.0;
        for j in first..=last {
            left = if i + j == 0 {
                0.0
            } else {
                (i as f64 * row[j] + j as f64 * left) * shares[i + j]
            };
            row[j] = left;
        }
        if let Some(before) = first.checked_sub(1) {
            row[before] = 1.0;
        }
    }
    row[m].min(1.0)
}

/// The probability that the distribution function of `n` values is at least `d` off: SciPy's `kstwo.sf(d, n)`.
fn one_sample(n: f64, d: f64) -> f64 {
    let z = n.sqrt() * d;
    let exponent = 2.0 * z * z;
    if exponent < 4.0 {
        limit(z + 1.0 / (6.0 * n.sqrt()) + (z - 1.0) / (4.0 * n))
    } else {
        // That both sides are off is e^-12 as probable.
        (2.0 * one_sided(n, d)).min(1.0)
    }
}

/// Kolmogorov's distribution for many values; its argument is corrected for their number (Vrbik 2018).
fn limit(z: f64) -> f64 {
    if z < 0.2 {
        return 1.0;
    }
    let term = |k: i32| {
        let sign = if k % 2 == 1 { 2.0 } else { -2.0 };
        sign * (-2.0 * (f64::from(k) * z).powi(2)).exp()
    };
    // More than enough for 0.2; the smallest terms first.
    (1..=40).rev().map(term).sum::<f64>().clamp(0.0, 1.0)
}

/// The probability that the distribution function of `n` values is at least `d` too high (Smirnov 1944; Birnbaum and Tingey
/// 1951).
fn one_sided(n: f64, d: f64) -> f64 {
    let mut log_ways = 0.0;
    let mut sum = 0.0;
    for j in 0..=(n * (1.0 - d)).floor() as u64 {
        let j = j as f64;
        if j > 0.0 {
            log_ways += ((n - j + 1.0) / j).ln();
        }
        let at = d + j / n;
        let rest = (1.0 - at).max(0.0);
        let log_rest = if n == j { 0.0 } else { (n - j) * rest.ln() };
        sum += (log_ways + (j - 1.0) * at.ln() + log_rest).exp();
    }
    d * sum
}
