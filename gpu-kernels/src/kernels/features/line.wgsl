// What all passes along a line share.

struct Work {
    // Values to write: x, y, z, channels.
    size: vec4<u32>,
    // In the source: the first value but for its place along the axis; from row to row, slice to slice, channel to channel.
    source: vec4<u32>,
    // Along the axis: position of the first value to write, length of the image, first and last position that the source holds.
    line: vec4<i32>,
    // First tap, radius; along the axis: from value to value in the source, and in the result.
    taps: vec4<u32>,
}

@group(0) @binding(0) var<uniform> work: Work;
@group(0) @binding(1) var<storage, read> taps: array<f32>;
@group(0) @binding(2) var<storage, read> source: array<f32>;
@group(0) @binding(3) var<storage, read_write> result: array<f32>;

// Left taps are the negatives of the right ones.
override ODD: bool;

// Where the source holds the value of a position along the axis: mirrored at the borders, the edge not repeated. Positions that
// are only loaded, not used, may be beyond what there is.
fn held(position: i32) -> u32 {
    let last = work.line.y - 1;
    let mirrored = last - abs(last - abs(position));
    return u32(clamp(mirrored, work.line.z, work.line.w) - work.line.z);
}

fn pair(right: vec4<f32>, left: vec4<f32>) -> vec4<f32> {
    if ODD {
        return right - left;
    }
    return right + left;
}

// Four neighbouring values, weighed in the order of the CPU: the centre, then pairs outwards. `quad(place, q)` gives the values at
// positions 4 q to 4 q + 3 from the first; each is loaded once for sixteen products.
fn weigh(place: Place) -> vec4<f32> {
    let first = work.taps.x;
    let radius = work.taps.y;
    var right = quad(place, 0);
    var left = right;
    var sum = taps[first] * right;
    var q = 1;
    for (var k = 1u; k <= radius; k += 4u) {
        let next = quad(place, q);
        let before = quad(place, -q);
        let tap = first + k;
        sum = fma(pair(vec4(right.yzw, next.x), vec4(before.w, left.xyz)), vec4(taps[tap]), sum);
        if k + 1u <= radius {
            sum = fma(pair(vec4(right.zw, next.xy), vec4(before.zw, left.xy)), vec4(taps[tap + 1u]), sum);
        }
        if k + 2u <= radius {
            sum = fma(pair(vec4(right.w, next.xyz), vec4(before.yzw, left.x)), vec4(taps[tap + 2u]), sum);
        }
        if k + 3u <= radius {
            sum = fma(pair(next, before), vec4(taps[tap + 3u]), sum);
        }
        right = next;
        left = before;
        q++;
    }
    return sum;
}
