// The number of the component in place of the root.
struct Size { pixels: u32, unused_1: u32, unused_2: u32, unused_3: u32 }

const NONE = 0xffffffffu;

@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var<storage, read_write> labels: array<u32>;
@group(0) @binding(2) var<storage, read> before: array<u32>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let pixel = 256u * (group.y * groups.x + group.x) + thread;
    if pixel >= size.pixels { return; }
    let root = labels[pixel];
    var label = 0u;
    if root != NONE { label = before[root] + 1u; }
    labels[pixel] = label;
}
