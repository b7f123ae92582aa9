// A scale level from the one above: a thread makes one packed word of it.

struct Parameters {
    // Rows and columns of the level above and of this one.
    height: u32,
    width: u32,
    out_height: u32,
    out_width: u32,
    factor: u32,
    // The first row of the source, the first one of the result and how many.
    source_row: u32,
    out_row: u32,
    out_rows: u32,
    words: u32,
    // 0, which the compiler does not know.
    zero: u32,
}

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read> source: array<u32>;
@group(0) @binding(2) var<storage, read_write> out: array<u32>;

// Whether pixels are taken instead of averaged.
override SAMPLED: bool;
override FLOAT: bool;

fn above(y: u32, x: u32) -> u32 {
    return pixel((y - p.source_row) * p.width + x);
}

// floor((i + 0.5) * n / m), without the product of i and n, which may not fit.
fn nearest(i: u32, n: u32, m: u32) -> u32 {
    let whole = n / m;
    let rest = n - whole * m;
    return min(i * whole + (whole * m + (2u * i + 1u) * rest) / (2u * m), n - 1u);
}

// Compilers may drop what only rounding makes different from 0; they cannot look through this.
fn kept(value: f32) -> f32 {
    return bitcast<f32>(bitcast<u32>(value) ^ p.zero);
}

fn mean_of_floats(rows: vec2<u32>, columns: vec2<u32>) -> f32 {
    var sum = 0.0;
    // What rounding took from the sum.
    var lost = 0.0;
    for (var y = rows.x; y < rows.y; y++) {
        for (var x = columns.x; x < columns.y; x++) {
            let value = bitcast<f32>(above(y, x));
            let next = kept(sum + value);
            let added = kept(next - sum);
            lost += kept(sum - kept(next - added)) + kept(value - added);
            sum = next;
        }
    }
    let n = f32(p.factor * p.factor);
    let total = kept(sum + lost);
    // An infinity or a NaN stays; what was lost is a NaN then.
    if (bitcast<u32>(sum) & 0x7f800000u) == 0x7f800000u {
        return sum;
    }
    lost = kept(sum - total) + lost;
    // The device's division may be off by a few units in the last place. Half the bits of the quotient times n (12 bits) is exact, so
    // what is left of the total is, too, and gives the rest of the quotient.
    let quotient = kept(total / n);
    let high = bitcast<f32>(bitcast<u32>(quotient) & 0xfffff000u);
    let low = quotient - high;
    let left = kept(kept(total - high * n) - low * n);
    return quotient + (left + lost) / n;
}

fn mean(rows: vec2<u32>, columns: vec2<u32>) -> u32 {
    var sum = 0u;
    for (var y = rows.x; y < rows.y; y++) {
        for (var x = columns.x; x < columns.y; x++) {
            sum += above(y, x);
        }
    }
    return sum / (p.factor * p.factor);
}

fn reduced(index: u32) -> u32 {
    let row = index / p.out_width;
    let x = index - row * p.out_width;
    let y = p.out_row + row;
    if SAMPLED {
        return above(nearest(y, p.height, p.out_height), nearest(x, p.width, p.out_width));
    }
    // What an incomplete block lacks counts as 0.
    let rows = vec2(y * p.factor, min((y + 1u) * p.factor, p.height));
    let columns = vec2(x * p.factor, min((x + 1u) * p.factor, p.width));
    if FLOAT {
        return bitcast<u32>(mean_of_floats(rows, columns));
    }
    return mean(rows, columns);
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
    let count = p.out_rows * p.out_width;
    var packed = 0u;
    for (var part = 0u; part < each; part++) {
        let index = word * each + part;
        if index < count {
            packed |= reduced(index) << (part * BITS);
        }
    }
    out[word] = packed;
}
