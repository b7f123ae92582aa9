// From the largest key of `window` columns from each one on to that of `parts * window` columns.

struct Parameters {
    columns: u32,
    count: u32,
    window: u32,
    parts: u32,
}

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read> narrow: array<u32>;
@group(0) @binding(2) var<storage, read_write> wide: array<u32>;

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
    let x = index % p.columns;
    var largest = narrow[index];
    for (var part = 1u; part < p.parts; part++) {
        if x + part * p.window >= p.columns {
            break;
        }
        largest = max(largest, narrow[index + part * p.window]);
    }
    wide[index] = largest;
}
