// Sums of what comes before, within blocks of 1024 values, and the sum of each block.
@group(0) @binding(0) var<uniform> count: vec4<u32>;
@group(0) @binding(1) var<storage, read_write> values: array<u32>;
@group(0) @binding(2) var<storage, read_write> blocks: array<u32>;

// Two of them, read and written in turn: one barrier a round.
var<workgroup> sums: array<u32, 512>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let block = group.y * groups.x + group.x;
    let start = 1024u * block + 4u * thread;
    var mine = vec4(0u);
    var sum = 0u;
    for (var i = 0u; i < 4u; i++) {
        mine[i] = sum;
        if start + i < count.x { sum += values[start + i]; }
    }
    var total = sum;
    sums[thread] = total;
    workgroupBarrier();
    var half = 0u;
    for (var reach = 1u; reach < 256u; reach *= 2u) {
        if thread >= reach { total += sums[half + thread - reach]; }
        half = 256u - half;
        sums[half + thread] = total;
        workgroupBarrier();
    }
    let before = total - sum;
    for (var i = 0u; i < 4u; i++) {
        if start + i < count.x { values[start + i] = before + mine[i]; }
    }
    if thread == 255u && block < count.y { blocks[block] = total; }
}
