// Pixels as they are uploaded: several in a word of `source`, the first one in the lowest bits.

// Bits of a pixel: 8, 16 or 32.
override BITS: u32;

fn pixel(index: u32) -> u32 {
    if BITS == 8u {
        return (source[index >> 2u] >> ((index & 3u) * 8u)) & 0xffu;
    }
    if BITS == 16u {
        return (source[index >> 1u] >> ((index & 1u) * 16u)) & 0xffffu;
    }
    return source[index];
}
