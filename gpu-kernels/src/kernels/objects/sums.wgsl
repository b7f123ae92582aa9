// Sums over the pixels of each object, exact: 21 words. Of v, x, y, xx, xy, yy 64 bits each, of v², vx, vy 96 bits each.
//
// Words are added one by one. Whoever makes a word overflow adds one to the next word: how often that happens does not depend on
// the order, and no value on the way matters.
const WORDS = 21u;
const SLOTS = 8u;

@group(0) @binding(3) var<storage, read> extents: array<u32>;
@group(0) @binding(4) var<storage, read_write> sums: array<atomic<u32>>;

var<workgroup> owners: array<atomic<u32>, 8>;
var<workgroup> gathered: array<atomic<u32>, 168>;

// Consecutive pixels of one object in one row. Columns are counted from the first one of the thread, so that they are small.
struct Run { n: u32, dx: u32, dxx: u32, v: vec2<u32>, vdx: vec2<u32>, vv: vec3<u32> }

fn gather(at: u32, value: u32) -> u32 {
    if value == 0u { return 0u; }
    return select(0u, 1u, atomicAdd(&gathered[at], value) > NONE - value);
}

fn publish(at: u32, value: u32) -> u32 {
    if value == 0u { return 0u; }
    return select(0u, 1u, atomicAdd(&sums[at], value) > NONE - value);
}

fn gather_all(at: u32, words: array<u32, 21>) {
    var all = words;
    var carry = 0u;
    for (var i = 0u; i < WORDS; i++) {
        if begins(i) { carry = 0u; }
        let value = all[i] + carry;
        carry = select(0u, 1u, value < carry) + gather(at + i, value);
    }
}

fn publish_all(at: u32, words: array<u32, 21>) {
    var all = words;
    var carry = 0u;
    for (var i = 0u; i < WORDS; i++) {
        if begins(i) { carry = 0u; }
        let value = all[i] + carry;
        carry = select(0u, 1u, value < carry) + publish(at + i, value);
    }
}

// Whether a word is the lowest of a sum.
fn begins(word: u32) -> bool {
    return select(word % 3u, word % 2u, word < 12u) == 0u;
}

fn store(object: u32, run: Run, x: u32, y: u32) {
    if object == NONE { return; }
    let sum_x = run.n * x + run.dx;
    let xx = sum2(sum2(product(x * x, run.n), product(2u * x, run.dx)), vec2(run.dxx, 0u));
    let xy = product(y, sum_x);
    let yy = product(y * y, run.n);
    let vx = sum3(product3(run.v, x), vec3(run.vdx, 0u));
    let vy = product3(run.v, y);
    let vv = run.vv;
    let words = array<u32, 21>(
        run.v.x, run.v.y, sum_x, 0u, run.n * y, 0u, xx.x, xx.y, xy.x, xy.y, yy.x, yy.y,
        vv.x, vv.y, vv.z, vx.x, vx.y, vx.z, vy.x, vy.y, vy.z,
    );
    let slot = object % SLOTS;
    let claim = atomicCompareExchangeWeak(&owners[slot], NONE, object);
    if claim.exchanged || claim.old_value == object {
        gather_all(WORDS * slot, words);
    } else {
        publish_all(WORDS * object, words);
    }
}

@compute @workgroup_size(8, 8)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    if thread < SLOTS { atomicStore(&owners[thread], NONE); }
    for (var i = thread; i < SLOTS * WORDS; i += 64u) { atomicStore(&gathered[i], 0u); }
    workgroupBarrier();
    if id.y < band.rows {
        let y = band.first_row + id.y;
        let start = min(id.x * RUN, band.width);
        let end = min(start + RUN, band.width);
        var current = NONE;
        var largest = 0u;
        var run = Run();
        for (var x = start; x < end; x++) {
            let pixel = id.y * band.width + x;
            let object = object_at(pixel);
            if object != current {
                store(current, run, start, y);
                current = object;
                run = Run();
                if value_bytes == 0u && object != NONE {
                    let low = bits_of(~extents[8u * object + 1u]);
                    let high = bits_of(extents[8u * object + 2u]);
                    largest = max(exponent(low), exponent(high));
                }
            }
            if object != NONE {
                let value = value_of(bits_at(pixel), largest);
                let dx = x - start;
                run.n++;
                run.dx += dx;
                run.dxx += dx * dx;
                run.v = sum2(run.v, vec2(value.v, 0u));
                run.vdx = sum2(run.vdx, product(value.v, dx));
                run.vv = sum3(run.vv, vec3(product(value.magnitude, value.magnitude), 0u));
            }
        }
        store(current, run, start, y);
    }
    workgroupBarrier();
    if thread < SLOTS {
        let object = atomicLoad(&owners[thread]);
        if object != NONE {
            var words = array<u32, 21>();
            for (var i = 0u; i < WORDS; i++) { words[i] = atomicLoad(&gathered[WORDS * thread + i]); }
            publish_all(WORDS * object, words);
        }
    }
}
