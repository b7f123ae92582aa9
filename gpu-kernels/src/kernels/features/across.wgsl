// A pass along any axis, straight from memory. Across rows, neighbouring threads load neighbouring values; each thread writes four
// along the axis.

override AXIS: u32;

struct Place {
    base: u32,
    position: i32,
    // Whether no value that is loaded lies beyond the border.
    inside: bool,
}

fn quad(place: Place, q: i32) -> vec4<f32> {
    let stride = work.taps.z;
    let position = place.position + 4 * q;
    if place.inside {
        let at = place.base + u32(position - work.line.z) * stride;
        return vec4(source[at], source[at + stride], source[at + 2u * stride], source[at + 3u * stride]);
    }
    return vec4(
        source[place.base + held(position) * stride],
        source[place.base + held(position + 1) * stride],
        source[place.base + held(position + 2) * stride],
        source[place.base + held(position + 3) * stride],
    );
}

@compute @workgroup_size(32, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let size = work.size;
    // The voxel (x, y, z, channel), and the same without its place along the axis.
    var voxel: vec4<u32>;
    var beside: vec4<u32>;
    var along: u32;
    var length: u32;
    switch AXIS {
        case 0u: {
            let quads = (size.z + 3u) / 4u;
            along = 4u * (id.z % quads);
            length = size.z;
            voxel = vec4(id.xy, along, id.z / quads);
            beside = vec4(id.xy, 0u, voxel.w);
        }
        case 1u: {
            along = 4u * id.y;
            length = size.y;
            voxel = vec4(id.x, along, id.z % size.z, id.z / size.z);
            beside = vec4(id.x, 0u, voxel.zw);
        }
        default: {
            along = 4u * id.x;
            length = size.x;
            voxel = vec4(along, id.y, id.z % size.z, id.z / size.z);
            beside = vec4(0u, voxel.yzw);
        }
    }
    if any(voxel >= size) {
        return;
    }
    let strides = work.source;
    let base = strides.x + beside.x + beside.y * strides.y + beside.z * strides.z + beside.w * strides.w;
    let position = work.line.x + i32(along);
    let reach = 4 * i32((work.taps.y + 3u) / 4u);
    let inside = position - reach >= work.line.z && position + 3 + reach <= work.line.w;
    let sum = weigh(Place(base, position, inside));
    let to = ((voxel.w * size.z + voxel.z) * size.y + voxel.y) * size.x + voxel.x;
    for (var i = 0u; i < min(4u, length - along); i++) {
        result[to + i * work.taps.w] = sum[i];
    }
}
