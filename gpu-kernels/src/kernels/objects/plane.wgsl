// A band of a label image and of a plane. Objects are numbered from 1; 0 is the background.
struct Band {
    width: u32,
    rows: u32,
    // The first row's y.
    first_row: u32,
    // The objects that are measured now: the first one, counted from 0, and how many.
    first: u32,
    objects: u32,
    // The digit of the keys that is counted, and whether it is the highest.
    shift: u32,
    highest: u32,
    unused: u32,
}

const NONE = 0xffffffffu;
const SIGN = 0x80000000u;
// Pixels of a row that a thread looks at. Groups are of 8 by 8 threads.
const RUN = 8u;

// 1, 2 or 4 bytes a value, integers; 0: single precision.
override value_bytes: u32 = 1u;

@group(0) @binding(0) var<uniform> band: Band;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read> plane: array<u32>;

// The object of a pixel, counted from the first one that is measured now.
fn object_at(pixel: u32) -> u32 {
    // The background becomes the largest number.
    let object = labels[pixel] - 1u - band.first;
    return select(NONE, object, object < band.objects);
}

fn bits_at(pixel: u32) -> u32 {
    if value_bytes == 1u { return (plane[pixel >> 2u] >> (8u * (pixel & 3u))) & 0xffu; }
    if value_bytes == 2u { return (plane[pixel >> 1u] >> (16u * (pixel & 1u))) & 0xffffu; }
    return plane[pixel];
}

// An integer that is ordered as the values are.
fn key_of(bits: u32) -> u32 {
    if value_bytes != 0u { return bits; }
    return select(bits | SIGN, ~bits, bits >= SIGN);
}
