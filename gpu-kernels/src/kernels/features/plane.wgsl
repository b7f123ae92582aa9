// All filters of one scale on a smoothed image, slice by slice: one pass over memory. A group writes 32 x 8 pixels.

struct Work {
    // x, y, z, channels of the result.
    size: vec4<u32>,
    // First pixel (x, y) of the result, and of the smoothed image, in the image.
    first: vec4<i32>,
    // Size (x, y) of the image, and of the smoothed image.
    extent: vec4<i32>,
    // First column of each feature, in the order below.
    columns: array<vec4<u32>, 2>,
    // Tap k of the Gaussian, its first and its second derivative, and the narrow Gaussian.
    own: array<vec4<f32>, 3>,
    // Tap k of the Gaussian inside the structure tensor, and of its derivative.
    inner: array<vec4<f32>, 2>,
}

@group(0) @binding(0) var<uniform> work: Work;
@group(0) @binding(1) var<storage, read> smoothed: array<f32>;
@group(0) @binding(2) var<storage, read_write> columns: array<f32>;

// Which features are wanted, bit by bit.
override WANTED: u32;
// Radius of the kernels: 0 to 2, and 0 or 1.
override OWN: u32;
override NARROW: u32;

const GAUSSIAN: u32 = 0u;
const LAPLACIAN: u32 = 1u;
const GRADIENT: u32 = 2u;
const DIFFERENCE: u32 = 3u;
const TENSOR: u32 = 4u;
const HESSIAN: u32 = 5u;

const THREADS: u32 = 256u;
// The smoothed pixels of a group: 3 more on each side.
const WIDTH: u32 = 38u;
const HEIGHT: u32 = 14u;
// The gradient's products: 2 more.
const INNER_WIDTH: u32 = 36u;
const INNER_HEIGHT: u32 = 12u;
const PRODUCTS: u32 = INNER_WIDTH * INNER_HEIGHT;
// The same, smoothed along x.
const LINES: u32 = 32u * INNER_HEIGHT;

var<workgroup> tile: array<f32, WIDTH * HEIGHT>;
var<workgroup> products: array<f32, 3u * PRODUCTS>;
var<workgroup> lines: array<f32, 3u * LINES>;

fn wanted(feature: u32) -> bool {
    return (WANTED & (1u << feature)) != 0u;
}

// Mirrored at the borders, the edge not repeated.
fn mirrored(position: vec2<i32>) -> vec2<i32> {
    let last = work.extent.xy - 1;
    return last - abs(last - abs(position));
}

// The Gaussian and its derivatives along x at a pixel of the tile.
fn along_x(at: u32) -> vec3<f32> {
    var sum = work.own[0].xyz * tile[at];
    if OWN >= 1u {
        let right = tile[at + 1u];
        let left = tile[at - 1u];
        sum = fma(vec3(right + left, right - left, right + left), work.own[1].xyz, sum);
    }
    if OWN >= 2u {
        let right = tile[at + 2u];
        let left = tile[at - 2u];
        sum = fma(vec3(right + left, right - left, right + left), work.own[2].xyz, sum);
    }
    return sum;
}

struct Derivatives {
    value: f32,
    x: f32,
    y: f32,
    xx: f32,
    xy: f32,
    yy: f32,
}

fn derivatives(at: u32) -> Derivatives {
    let line = along_x(at);
    var value = work.own[0].x * line;
    var first = work.own[0].y * line.xy;
    var second = work.own[0].z * line.x;
    if OWN >= 1u {
        let below = along_x(at + WIDTH);
        let above = along_x(at - WIDTH);
        value = fma(below + above, vec3(work.own[1].x), value);
        first = fma(below.xy - above.xy, vec2(work.own[1].y), first);
        second = fma(below.x + above.x, work.own[1].z, second);
    }
    if OWN >= 2u {
        let below = along_x(at + 2u * WIDTH);
        let above = along_x(at - 2u * WIDTH);
        value = fma(below + above, vec3(work.own[2].x), value);
        first = fma(below.xy - above.xy, vec2(work.own[2].y), first);
        second = fma(below.x + above.x, work.own[2].z, second);
    }
    return Derivatives(value.x, value.y, first.x, value.z, first.y, second);
}

fn narrow_x(at: u32) -> f32 {
    var sum = work.own[0].w * tile[at];
    if NARROW >= 1u {
        sum = fma(tile[at + 1u] + tile[at - 1u], work.own[1].w, sum);
    }
    return sum;
}

fn narrow(at: u32) -> f32 {
    var sum = work.own[0].w * narrow_x(at);
    if NARROW >= 1u {
        sum = fma(narrow_x(at + WIDTH) + narrow_x(at - WIDTH), work.own[1].w, sum);
    }
    return sum;
}

// The Gaussian and its derivative inside the structure tensor, along x.
fn inner_x(at: u32) -> vec2<f32> {
    let right = tile[at + 1u];
    let left = tile[at - 1u];
    return fma(vec2(right + left, right - left), work.inner[1].xy, work.inner[0].xy * tile[at]);
}

// The gradient (x, y) inside the structure tensor.
fn gradient(at: u32) -> vec2<f32> {
    let below = inner_x(at + WIDTH);
    let above = inner_x(at - WIDTH);
    let line = inner_x(at);
    return vec2(
        fma(below.y + above.y, work.inner[1].x, work.inner[0].x * line.y),
        fma(below.x - above.x, work.inner[1].y, work.inner[0].y * line.x),
    );
}

// A product of the gradient, smoothed along x, from its place in `products`.
fn product_x(at: u32) -> f32 {
    var sum = work.own[0].x * products[at];
    if OWN >= 1u {
        sum = fma(products[at + 1u] + products[at - 1u], work.own[1].x, sum);
    }
    if OWN >= 2u {
        sum = fma(products[at + 2u] + products[at - 2u], work.own[2].x, sum);
    }
    return sum;
}

// And along y, from its place in `lines`.
fn product(at: u32) -> f32 {
    var sum = work.own[0].x * lines[at];
    if OWN >= 1u {
        sum = fma(lines[at + 32u] + lines[at - 32u], work.own[1].x, sum);
    }
    if OWN >= 2u {
        sum = fma(lines[at + 64u] + lines[at - 64u], work.own[2].x, sum);
    }
    return sum;
}

@compute @workgroup_size(32, 8)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_id) thread: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let size = work.size;
    let corner = work.first.xy + vec2<i32>(group.xy * vec2(32u, 8u));
    let held = work.extent.zw;
    let slice = group.z * u32(held.x * held.y);
    for (var i = lane; i < WIDTH * HEIGHT; i += THREADS) {
        let position = mirrored(corner - 3 + vec2(i32(i % WIDTH), i32(i / WIDTH)));
        // What is beyond the smoothed image is loaded, but not used.
        let at = clamp(position - work.first.zw, vec2(0), held - 1);
        tile[i] = smoothed[slice + u32(at.y * held.x + at.x)];
    }
    workgroupBarrier();
    if wanted(TENSOR) {
        for (var i = lane; i < PRODUCTS; i += THREADS) {
            // The products are mirrored at the border, not the pixels: a gradient would change its sign.
            let position = mirrored(corner - 2 + vec2(i32(i % INNER_WIDTH), i32(i / INNER_WIDTH)));
            let most = vec2(i32(WIDTH), i32(HEIGHT)) - 2;
            let at = vec2<u32>(clamp(position - corner + 3, vec2(1), most));
            let found = gradient(at.y * WIDTH + at.x);
            products[i] = found.x * found.x;
            products[PRODUCTS + i] = found.y * found.x;
            products[2u * PRODUCTS + i] = found.y * found.y;
        }
        workgroupBarrier();
        for (var i = lane; i < 3u * LINES; i += THREADS) {
            let row = i / 32u;
            lines[i] = product_x(row * INNER_WIDTH + i % 32u + 2u);
        }
        workgroupBarrier();
    }
    let x = 32u * group.x + thread.x;
    let y = 8u * group.y + thread.y;
    if x >= size.x || y >= size.y {
        return;
    }
    let z = group.z % size.z;
    let channel = group.z / size.z;
    let rows = size.x * size.y * size.z;
    let to = (z * size.y + y) * size.x + x;
    let one = channel * rows + to;
    let two = 2u * channel * rows + to;
    let at = (thread.y + 3u) * WIDTH + thread.x + 3u;
    let found = derivatives(at);
    if wanted(GAUSSIAN) {
        columns[work.columns[0].x * rows + one] = found.value;
    }
    if wanted(LAPLACIAN) {
        columns[work.columns[0].y * rows + one] = found.xx + found.yy;
    }
    if wanted(GRADIENT) {
        columns[work.columns[0].z * rows + one] = sqrt(found.x * found.x + found.y * found.y);
    }
    if wanted(DIFFERENCE) {
        columns[work.columns[0].w * rows + one] = found.value - narrow(at);
    }
    if wanted(TENSOR) {
        let line = (thread.y + 2u) * 32u + thread.x;
        let values = eigenvalues_2x2(product(line), product(LINES + line), product(2u * LINES + line));
        columns[work.columns[1].x * rows + two] = values.x;
        columns[(work.columns[1].x + 1u) * rows + two] = values.y;
    }
    if wanted(HESSIAN) {
        let values = eigenvalues_2x2(found.xx, found.xy, found.yy);
        columns[work.columns[1].y * rows + two] = values.x;
        columns[(work.columns[1].y + 1u) * rows + two] = values.y;
    }
}
