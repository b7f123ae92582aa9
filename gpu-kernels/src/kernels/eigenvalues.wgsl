// Eigenvalues of symmetric matrices, largest first, as `pixel_features/eigenvalues.rs` of analysis computes them.

// Of ((xx, xy), (xy, yy)).
fn eigenvalues_2x2(xx: f32, xy: f32, yy: f32) -> vec2<f32> {
    let middle = (xx + yy) * 0.5;
    let half = (xx - yy) * 0.5;
    let root = sqrt(half * half + xy * xy);
    return vec2(middle + root, middle - root);
}

// A polynomial for the angle of (x, y), y >= 0; for y = 0 exactly 0 or pi.
fn eigenvalues_angle(y: f32, x: f32) -> f32 {
    let negative = (bitcast<u32>(x) >> 31u) == 1u;
    let length = abs(x);
    let turned = y > length;
    let s = select(y, -length, turned) / select(length, y, turned);
    let quarters = select(0.0, -2.0, negative) + select(0.0, 1.0, turned);
    let t = s * s;
    var u = 0.00282363896258175373;
    u = t * u - 0.0159569028764963150;
    u = t * u + 0.0425049886107444763;
    u = t * u - 0.0748900920152664185;
    u = t * u + 0.106347933411598206;
    u = t * u - 0.142027363181114197;
    u = t * u + 0.199926957488059998;
    u = t * u - 0.333331018686294556;
    let angle = quarters * 1.57079632679489662 + ((t * s) * u + s);
    if y == 0.0 {
        return select(0.0, 3.14159265358979324, negative);
    }
    if x == 0.0 {
        return 1.57079632679489662;
    }
    return select(angle, -angle, negative);
}

// Polynomials for sine and cosine of an angle from 0 to pi / 3.
fn eigenvalues_sin_cos(angle: f32) -> vec2<f32> {
    let octant = f32((i32(angle * 1.27323954473516) + 1) & ~1);
    let x = ((angle - octant * 0.78515625) - octant * 2.4187564849853515625e-4) - octant * 3.77489497744594108e-8;
    let z = x * x;
    let c = ((2.443315711809948e-5 * z - 1.388731625493765e-3) * z + 4.166664568298827e-2) * z * z - 0.5 * z + 1.0;
    let s = ((-1.9515295891e-4 * z + 8.3321608736e-3) * z - 1.6666654611e-1) * z * x + x;
    return select(vec2(s, c), vec2(c, -s), octant == 2.0);
}

// Of a symmetric 3 x 3 matrix, by the cubic's closed form.
fn eigenvalues_3x3(zz: f32, yz: f32, xz: f32, yy: f32, xy: f32, xx: f32) -> vec3<f32> {
    var largest = max(max(max(abs(zz), abs(yz)), max(abs(xz), abs(yy))), max(abs(xy), abs(xx)));
    if largest == 0.0 {
        largest = 1.0;
    }
    let a00 = zz / largest;
    let a01 = yz / largest;
    let a02 = xz / largest;
    let a11 = yy / largest;
    let a12 = xy / largest;
    let a22 = xx / largest;
    let c0 = ((((a00 * a11) * a22 + ((2.0 * a01) * a02) * a12) - (a00 * a12) * a12) - (a11 * a02) * a02) - (a22 * a01) * a01;
    let c1 = ((((a00 * a11 - a01 * a01) + a00 * a22) - a02 * a02) + a11 * a22) - a12 * a12;
    let c2 = (a00 + a11) + a22;
    let third = 1.0f / 3.0f;
    let m = c2 * third;
    let a = min((c1 - c2 * m) * third, 0.0);
    let h = 0.5 * (c0 + m * ((2.0 * m) * m - c1));
    let q = min(h * h + (a * a) * a, 0.0);
    let magnitude = sqrt(-a);
    let turn = eigenvalues_sin_cos(eigenvalues_angle(sqrt(-q), h) * third);
    let root3 = 1.7320508075688772;
    let r0 = m + (2.0 * magnitude) * turn.y;
    let r1 = m - magnitude * (turn.y + root3 * turn.x);
    let r2 = m - magnitude * (turn.y - root3 * turn.x);
    let high = max(r0, r1);
    let low = min(r0, r1);
    let middle = max(low, r2);
    return vec3(max(high, middle), min(high, middle), min(low, r2)) * largest;
}
