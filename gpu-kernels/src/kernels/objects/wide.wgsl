// Integers of 64 and 96 bits, the lowest word first.

fn product(a: u32, b: u32) -> vec2<u32> {
    let low = (a & 0xffffu) * (b & 0xffffu);
    let one = (a >> 16u) * (b & 0xffffu);
    let two = (a & 0xffffu) * (b >> 16u);
    let middle = (low >> 16u) + (one & 0xffffu) + (two & 0xffffu);
    let high = (a >> 16u) * (b >> 16u) + (one >> 16u) + (two >> 16u) + (middle >> 16u);
    return vec2((low & 0xffffu) | (middle << 16u), high);
}

fn sum2(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    let low = a.x + b.x;
    return vec2(low, a.y + b.y + select(0u, 1u, low < a.x));
}

fn sum3(a: vec3<u32>, b: vec3<u32>) -> vec3<u32> {
    let low = a.x + b.x;
    let carried = a.y + select(0u, 1u, low < a.x);
    let middle = carried + b.y;
    let carries = select(0u, 1u, carried < a.y) + select(0u, 1u, middle < b.y);
    return vec3(low, middle, a.z + b.z + carries);
}

fn product3(a: vec2<u32>, b: u32) -> vec3<u32> {
    let low = product(a.x, b);
    let high = product(a.y, b);
    return sum3(vec3(low, 0u), vec3(0u, high));
}
