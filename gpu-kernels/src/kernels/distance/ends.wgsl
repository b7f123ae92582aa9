// The last and the first background pixel of each piece of a column.
struct Size { width: u32, height: u32, pieces: u32, piece: u32 }

const NONE = 0xffffffffu;

@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(2) var<storage, read_write> ends: array<vec2<u32>>;

@compute @workgroup_size(64, 1)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= size.width || id.y >= size.pieces { return; }
    let start = id.y * size.piece;
    let end = min(start + size.piece, size.height);
    var last = NONE;
    var first = NONE;
    for (var y = start; y < end; y++) {
        if !inside(y * size.width + id.x) {
            last = y;
            first = min(first, y);
        }
    }
    ends[id.y * size.width + id.x] = vec2(last, first);
}
