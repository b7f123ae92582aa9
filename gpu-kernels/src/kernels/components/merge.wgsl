// Joins runs with the runs that they touch: in the row above, and across the borders of the groups.

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let pixel = 256u * (group.y * groups.x + group.x) + thread;
    if pixel >= size.pixels || !inside(pixel) { return; }
    let x = pixel % size.width;
    let left = x > 0u && same(pixel - 1u, pixel);
    if left && thread == 0u { join(pixel, pixel - 1u); }
    if pixel < size.width { return; }
    let up = pixel - size.width;
    let above = same(up, pixel);
    let above_left = x > 0u && same(up - 1u, pixel);
    // What the pixel on the left joins already is left out.
    if above && !(left && (above_left || size.corners != 0u)) { join(pixel, up); }
    if size.corners == 0u || above { return; }
    if above_left && !left { join(pixel, up - 1u); }
    if x + 1u < size.width && same(up + 1u, pixel) { join(pixel, up + 1u); }
}
