// Label images: neighbours belong together if they have one value that is not 0.
@group(0) @binding(1) var<storage, read> values: array<u32>;

fn inside(pixel: u32) -> bool { return values[pixel] != 0u; }
fn same(one: u32, other: u32) -> bool { return values[one] == values[other]; }
