// The parent of each pixel: the first one of its run, which ends with the row, and with each 256 pixels of the plane.
// One bit a pixel: whether a run begins there.
var<workgroup> starts: array<atomic<u32>, 8>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    if thread < 8u { atomicStore(&starts[thread], 0u); }
    workgroupBarrier();
    let pixel = 256u * (group.y * groups.x + group.x) + thread;
    let valid = pixel < size.pixels;
    var word = thread >> 5u;
    let bit = thread & 31u;
    // The first pixel of the group begins a run in any case, so that each pixel finds a beginning.
    var starting = thread == 0u;
    if valid && thread > 0u { starting = pixel % size.width == 0u || !same(pixel - 1u, pixel); }
    if starting { atomicOr(&starts[word], 1u << bit); }
    workgroupBarrier();
    if !valid { return; }
    var bits = (atomicLoad(&starts[word]) << (31u - bit)) >> (31u - bit);
    while bits == 0u {
        word--;
        bits = atomicLoad(&starts[word]);
    }
    let first = pixel - thread + 32u * word + firstLeadingBit(bits);
    atomicStore(&parents[pixel], select(NONE, first, inside(pixel)));
}
