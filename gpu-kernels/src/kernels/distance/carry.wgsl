// From the ends of the pieces: the nearest background pixel above and below each piece.
struct Size { width: u32, height: u32, pieces: u32, piece: u32 }

const NONE = 0xffffffffu;

@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var<storage, read_write> ends: array<vec2<u32>>;
@group(0) @binding(2) var<storage, read_write> background: array<atomic<u32>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= size.width { return; }
    var above = NONE;
    for (var piece = 0u; piece < size.pieces; piece++) {
        let at = piece * size.width + id.x;
        let last = ends[at].x;
        ends[at].x = above;
        if last != NONE { above = last; }
    }
    var below = NONE;
    for (var piece = size.pieces; piece > 0u; piece--) {
        let at = (piece - 1u) * size.width + id.x;
        let first = ends[at].y;
        ends[at].y = below;
        if first != NONE { below = first; }
    }
    if above != NONE { atomicOr(&background[0], 1u); }
}
