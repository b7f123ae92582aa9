//! Area that two trapezoids share.

use super::slabs::Trapezoid;

/// Area of the intersection of two trapezoids of the same row.
#[inline]
#[allow(clippy::float_cmp)] // equal means: both are the whole row
pub(super) fn area(a: &Trapezoid, b: &Trapezoid) -> f64 {
    if a.y == b.y {
        between(a.left, a.right, b.left, b.right) * (a.y[1] - a.y[0])
    } else {
        partly(a, b)
    }
}

/// As [`area`], where the two begin or end at different heights.
#[cold]
fn partly(a: &Trapezoid, b: &Trapezoid) -> f64 {
    let (top, bottom) = (a.y[0].max(b.y[0]), a.y[1].min(b.y[1]));
    if bottom <= top {
        return 0.0;
    }
    let cut = |t: &Trapezoid, border: [f64; 2]| {
        let at = |y: f64| border[0] + (border[1] - border[0]) * (y - t.y[0]) / (t.y[1] - t.y[0]);
        [at(top), at(bottom)]
    };
    between(
        cut(a, a.left),
        cut(a, a.right),
        cut(b, b.left),
        cut(b, b.right),
    ) * (bottom - top)
}

/// Mean over the height of the width of [left, right] of both; borders are given at top and bottom.
#[inline]
fn between(a_left: [f64; 2], a_right: [f64; 2], b_left: [f64; 2], b_right: [f64; 2]) -> f64 {
    let left_gap = [a_left[0] - b_left[0], a_left[1] - b_left[1]];
    let right_gap = [a_right[0] - b_right[0], a_right[1] - b_right[1]];
    let left = [a_left[0].max(b_left[0]), a_left[1].max(b_left[1])];
    let right = [a_right[0].min(b_right[0]), a_right[1].min(b_right[1])];
    let width = [right[0] - left[0], right[1] - left[1]];
    // Where borders cross, the width at the crossing is needed too: in between it is straight.
    let (cross_left, cross_right) = (
        left_gap[0] * left_gap[1] < 0.0,
        right_gap[0] * right_gap[1] < 0.0,
    );
    if !cross_left && !cross_right {
        return positive_part(width[0], width[1]);
    }
    let mut cuts = [0.0, 1.0, 1.0];
    if cross_left {
        cuts[1] = left_gap[0] / (left_gap[0] - left_gap[1]);
    }
    if cross_right {
        cuts[2] = right_gap[0] / (right_gap[0] - right_gap[1]);
    }
    if cuts[1] > cuts[2] {
        cuts.swap(1, 2);
    }
    let at = |border: [f64; 2], t: f64| border[0] + (border[1] - border[0]) * t;
    let width_at = |t: f64| at(a_right, t).min(at(b_right, t)) - at(a_left, t).max(at(b_left, t));
    let (w1, w2) = (width_at(cuts[1]), width_at(cuts[2]));
    positive_part(width[0], w1) * cuts[1]
        + positive_part(w1, w2) * (cuts[2] - cuts[1])
        + positive_part(w2, width[1]) * (1.0 - cuts[2])
}

/// Mean of max(0, f) for f straight from `a` to `b`.
#[inline]
fn positive_part(a: f64, b: f64) -> f64 {
    if a >= 0.0 && b >= 0.0 {
        f64::midpoint(a, b)
    } else if a <= 0.0 && b <= 0.0 {
        0.0
    } else {
        let high = a.max(b);
        high * high / (2.0 * (a - b).abs())
    }
}
