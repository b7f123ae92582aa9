// Division of floats as the CPU does it. The device's own may be off by 2.5 units in the last place, and whether `fma` rounds once
// is up to the driver: so the remainder is taken in whole numbers, where nothing is rounded.

struct Parts {
    exponent: i32,
    // 24 bits, the highest of which is set unless the number is 0.
    mantissa: u32,
}

// A finite number, apart from its sign: mantissa * 2^(exponent - 150).
fn parts(bits: u32) -> Parts {
    let exponent = i32((bits >> 23u) & 0xffu);
    let mantissa = bits & 0x7fffffu;
    if exponent > 0 {
        return Parts(exponent, mantissa | 0x800000u);
    }
    if mantissa == 0u {
        return Parts(0, 0u);
    }
    let shift = countLeadingZeros(mantissa) - 8u;
    return Parts(1 - i32(shift), mantissa << shift);
}

fn quotient(dividend: f32, divisor: f32) -> f32 {
    let a = bitcast<u32>(dividend);
    let b = bitcast<u32>(divisor);
    let sign = (a ^ b) & 0x80000000u;
    let size_a = a & 0x7fffffffu;
    let size_b = b & 0x7fffffffu;
    let infinity = 0x7f800000u;
    if size_a > infinity || size_b > infinity
        || (size_a == infinity && size_b == infinity) || (size_a == 0u && size_b == 0u) {
        return bitcast<f32>(0x7fc00000u);
    }
    if size_a == infinity || size_b == 0u {
        return bitcast<f32>(sign | infinity);
    }
    if size_b == infinity || size_a == 0u {
        return bitcast<f32>(sign);
    }
    let x = parts(a);
    let y = parts(b);
    // The quotient has 24 bits then.
    let shift = select(23u, 24u, x.mantissa < y.mantissa);
    var q = u32(f32(x.mantissa) / f32(y.mantissa) * f32(1u << shift));
    // The estimate is off by a few units, so the remainder fits in 32 bits although its two parts do not.
    var rest = bitcast<i32>((x.mantissa << shift) - q * y.mantissa);
    let step = i32(y.mantissa);
    for (var round = 0; round < 8; round++) {
        if rest < 0 {
            q -= 1u;
            rest += step;
        } else if rest >= step {
            q += 1u;
            rest -= step;
        }
    }
    let exponent = x.exponent - y.exponent + 150 - i32(shift);
    if exponent <= 0 {
        // Below the smallest normal number fewer bits are left.
        let lost = u32(min(1 - exponent, 25));
        let kept = q >> lost;
        let below = q & ((1u << lost) - 1u);
        let half = 1u << (lost - 1u);
        let up = below > half || (below == half && (rest > 0 || (kept & 1u) == 1u));
        return bitcast<f32>(sign | (kept + u32(up)));
    }
    let up = 2 * rest > step || (2 * rest == step && (q & 1u) == 1u);
    // A carry out of the mantissa goes into the exponent, where it belongs.
    let size = (u32(min(exponent, 300)) << 23u) + (q - 0x800000u) + u32(up);
    return bitcast<f32>(sign | select(size, infinity, exponent >= 255 || size >= infinity));
}
