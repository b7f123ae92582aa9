// A mask: bytes in the order of memory, or words.
override mask_bytes: u32 = 1u;

@group(0) @binding(1) var<storage, read> mask: array<u32>;

fn inside(pixel: u32) -> bool {
    if mask_bytes == 1u {
        return ((mask[pixel >> 2u] >> (8u * (pixel & 3u))) & 255u) != 0u;
    }
    return mask[pixel] != 0u;
}
