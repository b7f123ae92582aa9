// Keys become values again, for a top hat what the filter took from the pixel.

struct Parameters {
    count: u32,
}

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read> source: array<u32>;
@group(0) @binding(2) var<storage, read_write> keys: array<u32>;

override FLOAT: bool;
override SMALLEST: bool;
override TOP_HAT: bool;

fn value(key: u32) -> u32 {
    if FLOAT && key == 0u {
        return 0x7fc00000u;
    }
    let ordered = select(key, ~key, SMALLEST);
    if FLOAT {
        return select(~ordered, ordered & 0x7fffffffu, ordered >> 31u == 1u);
    }
    return ordered;
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
    var result = value(keys[index]);
    if TOP_HAT {
        let pixel = source[index];
        if FLOAT {
            result = bitcast<u32>(bitcast<f32>(pixel) - bitcast<f32>(result));
        } else {
            result = pixel - result;
        }
    }
    keys[index] = result;
}
