// Takes the digit that has the rank.
@group(0) @binding(0) var<uniform> objects: vec4<u32>;
@group(0) @binding(1) var<storage, read> histograms: array<u32>;
@group(0) @binding(2) var<storage, read_write> searches: array<Search>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let object = 256u * (group.y * groups.x + group.x) + thread;
    if object >= objects.x { return; }
    var search = searches[object];
    for (var digit = 0u; digit < 256u; digit++) {
        let count = histograms[256u * object + digit];
        if search.rank < count {
            searches[object] = Search((search.prefix << 8u) | digit, search.rank, count, 0u);
            return;
        }
        search.rank -= count;
    }
}
