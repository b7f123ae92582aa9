//! Eigenvalues of symmetric 2 x 2 and 3 x 3 matrices, largest first, as *fastfilters* computes them.
//!
//! The closed forms are less accurate than an iterative solver (3 x 3: about 1e-4 of the largest value in single precision). They
//! are copied operation by operation, since the trees were trained on their values.

// Constants are written as their sources print them.
#![allow(clippy::excessive_precision)]

use multiversion::multiversion;

/// Of `[[xx, xy], [xy, yy]]`.
#[inline(always)]
pub(crate) fn of_2x2(xx: f32, xy: f32, yy: f32) -> [f32; 2] {
    let middle = (xx + yy) * 0.5;
    let half = (xx - yy) * 0.5;
    let root = (half * half + xy * xy).sqrt();
    [middle + root, middle - root]
}

/// A symmetric 3 x 3 matrix: zz, yz, xz, yy, xy, xx.
pub(crate) type Symmetric = [f32; 6];

/// Of a 3 x 3 matrix, by the cubic's closed form (Eberly). `vector` chooses between the polynomials that *fastfilters* uses in whole
/// vectors and the C library's functions that it uses for the rest.
#[inline(always)]
pub(crate) fn of_3x3(matrix: Symmetric, vector: bool) -> [f32; 3] {
    let mut largest = matrix.iter().fold(0f32, |m, v| m.max(v.abs()));
    if largest == 0.0 {
        largest = 1.0;
    }
    let [a00, a01, a02, a11, a12, a22] = matrix.map(|v| v / largest);
    let c0 = ((((a00 * a11) * a22 + ((2.0 * a01) * a02) * a12) - (a00 * a12) * a12)
        - (a11 * a02) * a02)
        - (a22 * a01) * a01;
    let c1 = ((((a00 * a11 - a01 * a01) + a00 * a22) - a02 * a02) + a11 * a22) - a12 * a12;
    let c2 = (a00 + a11) + a22;
    let third = 1.0f32 / 3.0;
    let m = c2 * third;
    let a = ((c1 - c2 * m) * third).min(0.0);
    let h = 0.5 * (c0 + m * ((2.0 * m) * m - c1));
    let q = (h * h + (a * a) * a).min(0.0);
    let magnitude = (-a).sqrt();
    let (sine, cosine) = if vector {
        sin_cos(atan2((-q).sqrt(), h) * third)
    } else {
        let angle = f64::from((-q).sqrt()).atan2(f64::from(h)) as f32 * third;
        (f64::from(angle).sin() as f32, f64::from(angle).cos() as f32)
    };
    let root3 = 3f32.sqrt();
    let r0 = m + (2.0 * magnitude) * cosine;
    let r1 = m - magnitude * (cosine + root3 * sine);
    let r2 = m - magnitude * (cosine - root3 * sine);
    let (high, low) = (r0.max(r1), r0.min(r1));
    let (middle, last) = (low.max(r2), low.min(r2));
    [
        high.max(middle) * largest,
        high.min(middle) * largest,
        last * largest,
    ]
}

/// The polynomial of SLEEF's `atan2f` for `y >= 0`, and for `y = 0` exactly 0 or pi.
#[inline(always)]
fn atan2(y: f32, x: f32) -> f32 {
    const TERMS: [f32; 8] = [
        0.002_823_638_962_581_753_73,
        -0.015_956_902_876_496_315_0,
        0.042_504_988_610_744_476_3,
        -0.074_890_092_015_266_418_5,
        0.106_347_933_411_598_206,
        -0.142_027_363_181_114_197,
        0.199_926_957_488_059_998,
        -0.333_331_018_686_294_556,
    ];
    use std::f32::consts::{FRAC_PI_2, PI};
    let negative = x.is_sign_negative();
    let length = x.abs();
    let (dividend, divisor, turned) = if y > length {
        (-length, y, true)
    } else {
        (y, length, false)
    };
    let quarters = if negative { -2.0 } else { 0.0 } + if turned { 1.0 } else { 0.0 };
    let s = dividend / divisor;
    let t = s * s;
    let mut u = TERMS[0];
    for term in &TERMS[1..] {
        u = t * u + term;
    }
    let angle = quarters * FRAC_PI_2 + ((t * s) * u + s);
    let angle = if negative { -angle } else { angle };
    if y == 0.0 {
        if negative { PI } else { 0.0 }
    } else if x == 0.0 {
        FRAC_PI_2
    } else {
        angle
    }
}

/// Sine and cosine by the polynomials of Cephes, for angles from 0 to pi / 3.
#[inline(always)]
fn sin_cos(angle: f32) -> (f32, f32) {
    let eighths = angle * 1.273_239_544_735_16;
    let octant = ((eighths as i32 + 1) & !1) as f32;
    let x = ((angle - octant * 0.785_156_25) - octant * 2.418_756_484_985_351_562_5e-4)
        - octant * 3.774_894_977_445_941_08e-8;
    let z = x * x;
    let c = ((2.443_315_711_809_948e-5 * z - 1.388_731_625_493_765e-3) * z
        + 4.166_664_568_298_827e-2)
        * z
        * z
        - 0.5 * z
        + 1.0;
    let s = ((-1.951_529_589_1e-4 * z + 8.332_160_873_6e-3) * z - 1.666_665_461_1e-1) * z * x + x;
    if octant == 2.0 { (c, -s) } else { (s, c) }
}

/// Of each 2 x 2 matrix; `out` takes all first values, then all second.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
pub(crate) fn eigenvalues_2d(xx: &[f32], xy: &[f32], yy: &[f32], out: &mut [f32]) {
    let length = out.len() / 2;
    let (high, low) = out.split_at_mut(length);
    let (xx, xy, yy) = (&xx[..length], &xy[..length], &yy[..length]);
    let low = &mut low[..length];
    for i in 0..length {
        [high[i], low[i]] = of_2x2(xx[i], xy[i], yy[i]);
    }
}

/// Of each 3 x 3 matrix, given as its six parts; `out` takes all first values, then all second, then all third.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
pub(crate) fn eigenvalues_3d(parts: [&[f32]; 6], out: &mut [f32]) {
    let length = out.len() / 3;
    let (first, rest) = out.split_at_mut(length);
    let (second, third) = rest.split_at_mut(length);
    let parts = parts.map(|p| &p[..length]);
    let third = &mut third[..length];
    for i in 0..length {
        [first[i], second[i], third[i]] = of_3x3(parts.map(|p| p[i]), true);
    }
}
