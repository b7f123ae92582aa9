// Values become keys of which the larger one wins: 0 wins never, so it stands for what lies beyond the border, and for NaNs.

struct Parameters {
    width: u32,
    // Columns to the left of the plane that a table has.
    left: u32,
    // Values of the table.
    count: u32,
}

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read> source: array<u32>;
@group(0) @binding(2) var<storage, read_write> table: array<u32>;

// Whether the source holds the keys of the opposite filter, and not pixels.
override KEYS: bool;
override FLOAT: bool;
override SMALLEST: bool;

fn key(bits: u32) -> u32 {
    if KEYS {
        // A neighbourhood of NaNs alone stays one.
        return select(~bits, 0u, FLOAT && bits == 0u);
    }
    var ordered = bits;
    if FLOAT {
        if (bits & 0x7fffffffu) > 0x7f800000u {
            return 0u;
        }
        // Sign and size to an order: negative numbers are turned round.
        ordered = select(bits | 0x80000000u, ~bits, bits >> 31u == 1u);
    }
    return select(ordered, ~ordered, SMALLEST);
}

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = (group.y * groups.x + group.x) * 256u + local;
    if index >= p.count {
        return;
    }
    let columns = p.width + p.left;
    let y = index / columns;
    let x = index - y * columns;
    var value = 0u;
    if x >= p.left {
        value = key(source[y * p.width + x - p.left]);
    }
    table[index] = value;
}
