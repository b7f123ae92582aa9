// The distance to the nearest background pixel of the same column, in one sweep down and one up within each piece.
struct Size { width: u32, height: u32, pieces: u32, piece: u32 }

const NONE = 0xffffffffu;

@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(2) var<storage, read> ends: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read_write> columns: array<u32>;

@compute @workgroup_size(64, 1)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= size.width || id.y >= size.pieces { return; }
    let start = id.y * size.piece;
    let end = min(start + size.piece, size.height);
    let around = ends[id.y * size.width + id.x];
    var above = around.x;
    for (var y = start; y < end; y++) {
        let at = y * size.width + id.x;
        if !inside(at) { above = y; }
        columns[at] = select(y - above, NONE, above == NONE);
    }
    var below = around.y;
    for (var y = end; y > start; y--) {
        let at = (y - 1u) * size.width + id.x;
        if columns[at] == 0u { below = y - 1u; }
        if below != NONE { columns[at] = min(columns[at], below - (y - 1u)); }
    }
}
