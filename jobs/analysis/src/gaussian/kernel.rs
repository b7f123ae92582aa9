//! The weights of scipy's `_gaussian_kernel1d`.

/// The longest half kernel that is accepted: beyond it a sigma is a mistake, not a request.
const MAX_RADIUS: f64 = (1 << 24) as f64;
/// scipy leaves an axis with a sigma up to this alone.
const SKIPPED_SIGMA: f64 = 1e-15;

/// The centre weight followed by those of the taps 1, 2, … pixels away; `None` for arguments outside their range.
pub(super) fn half(sigma: f64, truncate: f64) -> Option<Vec<f64>> {
    let reach = truncate * sigma + 0.5;
    if !(sigma >= 0.0 && truncate >= 0.0 && reach <= MAX_RADIUS) {
        return None;
    }
    if sigma <= SKIPPED_SIGMA {
        return Some(vec![1.0]);
    }
    let radius = reach as usize;
    let scale = -0.5 / (sigma * sigma);
    let taps: Vec<f64> = (0..=2 * radius)
        .map(|i| {
            let x = i.abs_diff(radius) as f64;
            (scale * (x * x)).exp()
        })
        .collect();
    let sum = pairwise_sum(&taps);
    Some(taps[radius..].iter().map(|tap| tap / sum).collect())
}

/// Adds as numpy does: pairwise, so that sums have the same last bit.
macro_rules! pairwise_sum {
    ($name:ident, $type:ty) => {
        pub(crate) fn $name(values: &[$type]) -> $type {
            const BLOCK: usize = 128;
            if values.len() < 8 {
                return values.iter().fold(-0.0, |sum, value| sum + value);
            }
            if values.len() > BLOCK {
                let half = values.len() / 2;
                let (left, right) = values.split_at(half - half % 8);
                return $name(left) + $name(right);
            }
            let (eights, rest) = values.as_chunks::<8>();
            let mut sums = eights[0];
            for eight in &eights[1..] {
                for (sum, value) in sums.iter_mut().zip(eight) {
                    *sum += value;
                }
            }
            let [a, b, c, d, e, f, g, h] = sums;
            let total = ((a + b) + (c + d)) + ((e + f) + (g + h));
            rest.iter().fold(total, |sum, value| sum + value)
        }
    };
}

pairwise_sum!(pairwise_sum, f64);
pairwise_sum!(pairwise_sum_f32, f32);

#[cfg(test)]
mod tests {
    use super::half;

    #[test]
    fn reaches_as_far_as_scipy() {
        for (sigma, radius) in [
            (1.0, 4),
            (0.1, 0),
            (0.125, 1),
            (2.0, 8),
            (50.0, 200),
            (1.5, 6),
        ] {
            let weights = half(sigma, 4.0).expect("a valid sigma");
            assert_eq!(weights.len(), radius + 1, "sigma {sigma}");
            let total: f64 = weights[0] + 2.0 * weights[1..].iter().sum::<f64>();
            assert!(
                (total - 1.0).abs() < 1e-14,
                "sigma {sigma}: weights add up to {total}"
            );
        }
        assert_eq!(half(0.0, 4.0), Some(vec![1.0]));
    }

    #[test]
    fn refuses_what_is_not_a_sigma() {
        for (sigma, truncate) in [
            (-1.0, 4.0),
            (f64::NAN, 4.0),
            (1.0, -1.0),
            (1e30, 4.0),
            (1.0, f64::NAN),
        ] {
            assert_eq!(
                half(sigma, truncate),
                None,
                "sigma {sigma}, truncate {truncate}"
            );
        }
    }
}
