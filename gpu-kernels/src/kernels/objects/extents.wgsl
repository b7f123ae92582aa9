// Pixels, minimum, maximum and bounding box of each object: 8 words. Word 0 is a sum, word 7 are flags, the others are maxima, of
// the complements where a minimum is wanted, so that all of them begin with 0.
const WORDS = 8u;
const SLOTS = 8u;

@group(0) @binding(3) var<storage, read_write> extents: array<atomic<u32>>;

// What the group gathers of a few objects before the others see it.
var<workgroup> owners: array<atomic<u32>, 8>;
var<workgroup> gathered: array<atomic<u32>, 64>;

fn gather(slot: u32, words: array<u32, 8>) {
    var run = words;
    let at = WORDS * slot;
    atomicAdd(&gathered[at], run[0]);
    for (var i = 1u; i < 7u; i++) { atomicMax(&gathered[at + i], run[i]); }
    if run[7] != 0u { atomicOr(&gathered[at + 7u], run[7]); }
}

fn publish(object: u32, words: array<u32, 8>) {
    var run = words;
    let at = WORDS * object;
    atomicAdd(&extents[at], run[0]);
    for (var i = 1u; i < 7u; i++) { atomicMax(&extents[at + i], run[i]); }
    if run[7] != 0u { atomicOr(&extents[at + 7u], run[7]); }
}

fn store(object: u32, words: array<u32, 8>) {
    if object == NONE { return; }
    // A slot belongs to the object that comes first; where that fails, for whatever reason, the slot is not used.
    let slot = object % SLOTS;
    let claim = atomicCompareExchangeWeak(&owners[slot], NONE, object);
    if claim.exchanged || claim.old_value == object {
        gather(slot, words);
    } else {
        publish(object, words);
    }
}

@compute @workgroup_size(8, 8)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    if thread < SLOTS { atomicStore(&owners[thread], NONE); }
    atomicStore(&gathered[thread], 0u);
    workgroupBarrier();
    if id.y < band.rows {
        let y = band.first_row + id.y;
        let start = min(id.x * RUN, band.width);
        let end = min(start + RUN, band.width);
        var current = NONE;
        var run = array<u32, 8>();
        for (var x = start; x < end; x++) {
            let pixel = id.y * band.width + x;
            let object = object_at(pixel);
            if object != current {
                store(current, run);
                current = object;
                run = array<u32, 8>(0u, 0u, 0u, ~y, ~x, y + 1u, 0u, 0u);
            }
            if object != NONE {
                let bits = bits_at(pixel);
                run[0]++;
                run[6] = x + 1u;
                if value_bytes == 0u && (bits & 0x7f800000u) == 0x7f800000u {
                    if (bits & 0x7fffffu) != 0u {
                        run[7] |= 1u;
                        continue;
                    }
                    run[7] |= select(2u, 4u, bits >= SIGN);
                }
                let key = key_of(bits);
                run[1] = max(run[1], ~key);
                run[2] = max(run[2], key);
            }
        }
        store(current, run);
    }
    workgroupBarrier();
    if thread < SLOTS {
        let object = atomicLoad(&owners[thread]);
        if object != NONE {
            var words = array<u32, 8>();
            for (var i = 0u; i < WORDS; i++) { words[i] = atomicLoad(&gathered[WORDS * thread + i]); }
            publish(object, words);
        }
    }
}
