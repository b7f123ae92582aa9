// Which column the nearest background pixel of every 32nd pixel of a row, and of the last one, is in.
@group(0) @binding(3) var<storage, read_write> anchors: array<u32>;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= band.anchors || id.y >= band.rows || background[0] == 0u { return; }
    let x = min(id.x * STEP, band.width - 1u);
    anchors[id.y * band.anchors + id.x] = nearest(id.y * band.width, x, 0u, band.width - 1u).at;
}
