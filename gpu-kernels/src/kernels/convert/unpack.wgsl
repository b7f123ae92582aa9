@group(0) @binding(0) var<uniform> count: vec4<u32>;
@group(0) @binding(1) var<storage, read> source: array<u32>;
@group(0) @binding(2) var<storage, read_write> out: array<u32>;

// Whether whole numbers become floats.
override TO_FLOAT: bool;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = (group.y * groups.x + group.x) * 256u + local;
    if index >= count.x {
        return;
    }
    let value = pixel(index);
    out[index] = select(value, bitcast<u32>(f32(value)), TO_FLOAT);
}
