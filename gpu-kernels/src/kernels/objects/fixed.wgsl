// Values as unsigned integers: v, of which sums are made, and its magnitude, of which squares are made.
//
// Integers are what they are. Single precision is counted in steps of 2^-31 of the power of two above the largest magnitude of the
// object, rounded to the nearest step, and 2^31 is added, so that there is no sign. What is no number counts as 0: the extents tell.
struct Value { v: u32, magnitude: u32 }

fn exponent(bits: u32) -> u32 { return clamp((bits >> 23u) & 255u, 1u, 254u); }

fn bits_of(key: u32) -> u32 { return select(~key, key ^ SIGN, key >= SIGN); }

fn value_of(bits: u32, largest: u32) -> Value {
    if value_bytes != 0u { return Value(bits, bits); }
    let field = (bits >> 23u) & 255u;
    if field == 255u { return Value(SIGN, 0u); }
    let mantissa = (bits & 0x7fffffu) | select(0u, 0x800000u, field != 0u);
    let down = largest - exponent(bits);
    var steps = 0u;
    if down <= 7u {
        steps = mantissa << (7u - down);
    } else if down <= 32u {
        steps = (mantissa + (1u << (down - 8u))) >> (down - 7u);
    }
    return Value(select(SIGN + steps, SIGN - steps, bits >= SIGN), steps);
}
