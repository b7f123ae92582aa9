// Joins rows of the disk to the result: a row is as wide as two windows that overlap.

struct Parameters {
    width: u32,
    height: u32,
    left: u32,
    window: u32,
    // The rows of the disk that this window is for.
    first: u32,
    last: u32,
}

struct DiskRow {
    // Distance from the centre.
    away: u32,
    half_width: u32,
}

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read> table: array<u32>;
@group(0) @binding(2) var<storage, read> disk: array<DiskRow>;
@group(0) @binding(3) var<storage, read_write> out: array<u32>;

// Whether `out` holds nothing yet.
override FIRST: bool;

@compute @workgroup_size(32, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= p.width || id.y >= p.height {
        return;
    }
    let columns = p.width + p.left;
    let index = id.y * p.width + id.x;
    let centre = id.y * columns + id.x + p.left;
    var largest = 0u;
    if !FIRST {
        largest = out[index];
    }
    for (var at = p.first; at < p.last; at++) {
        let row = disk[at];
        let from_left = centre - row.half_width;
        let from_right = centre + row.half_width + 1u - p.window;
        let step = row.away * columns;
        if id.y >= row.away {
            largest = max(largest, max(table[from_left - step], table[from_right - step]));
        }
        if row.away > 0u && id.y + row.away < p.height {
            largest = max(largest, max(table[from_left + step], table[from_right + step]));
        }
    }
    out[index] = largest;
}
