// Point by point: what the filters of a volume are put together from.

struct Work {
    // Values; groups along x; first value of the result; values from one column of it to the next.
    size: vec4<u32>,
}

@group(0) @binding(0) var<uniform> work: Work;
@group(0) @binding(1) var<storage, read_write> result: array<f32>;
@group(0) @binding(2) var<storage, read> a: array<f32>;
@group(0) @binding(3) var<storage, read> b: array<f32>;
@group(0) @binding(4) var<storage, read> c: array<f32>;
@group(0) @binding(5) var<storage, read> d: array<f32>;
@group(0) @binding(6) var<storage, read> e: array<f32>;
@group(0) @binding(7) var<storage, read> f: array<f32>;

fn index(group: vec3<u32>, lane: u32) -> u32 {
    return 256u * (group.y * work.size.y + group.x) + lane;
}

@compute @workgroup_size(256)
fn laplacian(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = index(group, lane);
    if i < work.size.x {
        result[work.size.z + i] = (a[i] + b[i]) + c[i];
    }
}

@compute @workgroup_size(256)
fn magnitude(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = index(group, lane);
    if i < work.size.x {
        result[work.size.z + i] = sqrt((a[i] * a[i] + b[i] * b[i]) + c[i] * c[i]);
    }
}

@compute @workgroup_size(256)
fn difference(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = index(group, lane);
    if i < work.size.x {
        result[work.size.z + i] = a[i] - b[i];
    }
}

@compute @workgroup_size(256)
fn product(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = index(group, lane);
    if i < work.size.x {
        result[work.size.z + i] = a[i] * b[i];
    }
}

// Of the parts zz, yz, xz, yy, xy, xx.
@compute @workgroup_size(256)
fn eigenvalues(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = index(group, lane);
    if i < work.size.x {
        let values = eigenvalues_3x3(a[i], b[i], c[i], d[i], e[i], f[i]);
        result[work.size.z + i] = values.x;
        result[work.size.z + work.size.w + i] = values.y;
        result[work.size.z + 2u * work.size.w + i] = values.z;
    }
}
