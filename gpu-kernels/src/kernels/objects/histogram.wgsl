// Counts the next digit of the pixels of each object whose higher digits are those that were found.
@group(0) @binding(3) var<storage, read> searches: array<Search>;
@group(0) @binding(4) var<storage, read_write> histograms: array<atomic<u32>>;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.y >= band.rows { return; }
    let start = min(id.x * RUN, band.width);
    let end = min(start + RUN, band.width);
    var bin = NONE;
    var count = 0u;
    for (var x = start; x < end; x++) {
        let pixel = id.y * band.width + x;
        let object = object_at(pixel);
        if object == NONE { continue; }
        let key = key_of(bits_at(pixel)) >> band.shift;
        if band.highest == 0u && key >> 8u != searches[object].prefix { continue; }
        let here = 256u * object + (key & 255u);
        if here != bin {
            if count > 0u { atomicAdd(&histograms[bin], count); }
            bin = here;
            count = 0u;
        }
        count++;
    }
    if count > 0u { atomicAdd(&histograms[bin], count); }
}
