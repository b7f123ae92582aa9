//! The regularised incomplete beta function.

/// The integral of t^(a-1) (1-t)^(b-1) from 0 to `x`, divided by that from 0 to 1; `y` is 1 - x, and more precise where x is
/// near 1. By Lentz's evaluation of the continued fraction (Numerical Recipes, 6.4), about 1e-11 (relative).
pub(super) fn incomplete_beta(a: f64, b: f64, x: f64, y: f64) -> f64 {
    if x.is_nan() || a.is_nan() || b.is_nan() {
        return f64::NAN;
    }
    if x <= 0.0 {
        return 0.0;
    }
    if y <= 0.0 {
        return 1.0;
    }
    let log_beta = libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b);
    let front = (a * log(x, y) + b * log(y, x) - log_beta).exp();
    // The fraction converges fast on this side of the maximum only; the other side is its mirror image.
    if x < (a + 1.0) / (a + b + 2.0) {
        front * fraction(a, b, x) / a
    } else {
        1.0 - front * fraction(b, a, y) / b
    }
}

/// The logarithm of a number, given what it lacks to 1.
fn log(value: f64, lacking: f64) -> f64 {
    if lacking < 0.5 {
        (-lacking).ln_1p()
    } else {
        value.ln()
    }
}

fn fraction(a: f64, b: f64, x: f64) -> f64 {
    // Instead of 0, by which nothing can be divided.
    const TINY: f64 = 1e-300;
    let away = |v: f64| if v.abs() < TINY { TINY } else { v };
    // About the square root of the larger argument is needed.
    let rounds = 200 + 10 * (a.max(b).sqrt() as u32);
    let mut c = 1.0;
    let mut d = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let mut value = d;
    for m in (1..=rounds).map(f64::from) {
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for term in [even, odd] {
            d = 1.0 / away(1.0 + term * d);
            c = away(1.0 + term / c);
            change = c * d;
            value *= change;
        }
        if (change - 1.0).abs() < 1e-15 {
            break;
        }
    }
    value
}
