struct Parameters {
    // The first value of the source, and how many.
    first: u32,
    count: u32,
    words: u32,
}

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read> source: array<u32>;
@group(0) @binding(2) var<storage, read_write> out: array<u32>;

// Bits of a packed pixel: 8, 16 or 32.
override BITS: u32;
// Whether the source holds floats.
override FROM_FLOAT: bool;

fn whole(bits: u32) -> u32 {
    // Comparisons of floats may be turned round by the compiler, which a NaN would notice: its bits say it safely.
    if (bits & 0x7fffffffu) > 0x7f800000u {
        return 0u;
    }
    let most = 0xffffffffu >> (32u - BITS);
    let number = bitcast<f32>(bits);
    if number < 1.0 {
        return 0u;
    }
    // For 32 bits `most` rounds up to 2^32, the first number that does not fit.
    if number >= f32(most) {
        return most;
    }
    return u32(number);
}

fn value(index: u32) -> u32 {
    if index >= p.count {
        return 0u;
    }
    let bits = source[p.first + index];
    if FROM_FLOAT {
        return whole(bits);
    }
    return bits & (0xffffffffu >> (32u - BITS));
}

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let word = (group.y * groups.x + group.x) * 256u + local;
    if word >= p.words {
        return;
    }
    let each = 32u / BITS;
    var packed = 0u;
    for (var part = 0u; part < each; part++) {
        packed |= value(word * each + part) << (part * BITS);
    }
    out[word] = packed;
}
