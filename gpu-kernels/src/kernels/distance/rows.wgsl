// The squared distance of every pixel. Parabolas of one width cross once: left of what is nearest to the anchor on the left, and
// right of what is nearest to the anchor on the right, nothing is nearer to a pixel between the two.
@group(0) @binding(3) var<storage, read> anchors: array<u32>;
@group(0) @binding(4) var<storage, read_write> squares: array<u32>;

@compute @workgroup_size(32, 4)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= band.width || id.y >= band.rows { return; }
    let row = id.y * band.width;
    if background[0] == 0u {
        // The way to the pixel above the first one.
        let down = band.first + id.y + 1u;
        squares[row + id.x] = down * down + id.x * id.x;
        return;
    }
    let line = id.y * band.anchors;
    let left = id.x / STEP;
    let low = anchors[line + left];
    let high = anchors[line + min(left + 1u, band.anchors - 1u)];
    squares[row + id.x] = nearest(row, id.x, low, high).square;
}
