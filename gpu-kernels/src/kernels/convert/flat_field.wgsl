struct Parameters {
    count: u32,
    offset: f32,
}

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read> source: array<u32>;
@group(0) @binding(2) var<storage, read> divisor: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

// Whether the source holds floats.
override FROM_FLOAT: bool;

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
    let raw = pixel(index);
    let value = select(f32(raw), bitcast<f32>(raw), FROM_FLOAT);
    out[index] = quotient(value - p.offset, divisor[index]) + p.offset;
}
