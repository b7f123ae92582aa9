// The lowest key of each object above the one that was found: the complement of it, so that it is a maximum that begins with 0.
@group(0) @binding(3) var<storage, read> searches: array<Search>;
@group(0) @binding(4) var<storage, read_write> above: array<atomic<u32>>;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.y >= band.rows { return; }
    let start = min(id.x * RUN, band.width);
    let end = min(start + RUN, band.width);
    var current = NONE;
    var found = 0u;
    for (var x = start; x < end; x++) {
        let pixel = id.y * band.width + x;
        let object = object_at(pixel);
        if object == NONE { continue; }
        let key = key_of(bits_at(pixel));
        if key <= searches[object].prefix { continue; }
        if object != current {
            if found != 0u { atomicMax(&above[current], found); }
            current = object;
            found = 0u;
        }
        found = max(found, ~key);
    }
    if found != 0u { atomicMax(&above[current], found); }
}
