// A pass along x: a group loads a part of four rows into its memory; each thread writes four neighbouring values.

// Quads that a group writes of a row, and most that it loads on each side.
const QUADS: u32 = 64u;
const MOST_REACH: u32 = 32u;
const LOADED: u32 = QUADS + 2u * MOST_REACH;

var<workgroup> tile: array<vec4<f32>, 4u * LOADED>;

struct Place {
    first: i32,
}

fn quad(place: Place, q: i32) -> vec4<f32> {
    return tile[place.first + q];
}

@compute @workgroup_size(64, 4)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_id) thread: vec3<u32>,
) {
    let size = work.size;
    let strides = work.source;
    let reach = (work.taps.y + 3u) / 4u;
    let first = 4u * QUADS * group.x;
    let y = 4u * group.y + thread.y;
    let z = group.z % size.z;
    let channel = group.z / size.z;
    let base = strides.x + min(y, size.y - 1u) * strides.y + z * strides.z + channel * strides.w;
    let begin = work.line.x + i32(first) - 4 * i32(reach);
    for (var i = thread.x; i < 4u * (QUADS + 2u * reach); i += QUADS) {
        tile[thread.y * LOADED + i / 4u][i % 4u] = source[base + held(begin + i32(i))];
    }
    workgroupBarrier();
    let sum = weigh(Place(i32(thread.y * LOADED + reach + thread.x)));
    let x = first + 4u * thread.x;
    if x >= size.x || y >= size.y {
        return;
    }
    let to = ((channel * size.z + z) * size.y + y) * size.x + x;
    for (var i = 0u; i < min(4u, size.x - x); i++) {
        result[to + i] = sum[i];
    }
}
