// The root of each pixel, and 1 where a pixel is one: it is the first pixel of its component.
struct Size { pixels: u32, unused_1: u32, unused_2: u32, unused_3: u32 }

const NONE = 0xffffffffu;

@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var<storage, read_write> parents: array<atomic<u32>>;
@group(0) @binding(2) var<storage, read_write> roots: array<u32>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let pixel = 256u * (group.y * groups.x + group.x) + thread;
    if pixel >= size.pixels { return; }
    var parent = atomicLoad(&parents[pixel]);
    roots[pixel] = select(0u, 1u, parent == pixel);
    if parent == NONE || parent == pixel { return; }
    // Other threads shorten the way meanwhile; it leads to the same root.
    var next = atomicLoad(&parents[parent]);
    while next != parent {
        parent = next;
        next = atomicLoad(&parents[parent]);
    }
    atomicStore(&parents[pixel], parent);
}
