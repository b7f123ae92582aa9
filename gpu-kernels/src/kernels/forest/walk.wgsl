// Every tree of every forest for the samples of one group, one a thread.
//
// Values are compared by keys: unsigned integers in the order of the numbers, so that neither denormals nor infinities depend on
// the driver. Answers are added up in the group's memory, where a class can be an index.

struct Work {
    rows: u32,
    columns: u32,
    forests: u32,
    // Groups along x.
    across: u32,
}

@group(0) @binding(0) var<uniform> work: Work;
// Bits of single-precision values, column after column.
@group(0) @binding(1) var<storage, read> features: array<u32>;
// Inner: (key of the threshold, column << 20 | distance to the right child); the left one comes next.
// Leaf: (class, or place of its probabilities; NO_COLUMN << 20).
@group(0) @binding(2) var<storage, read> nodes: array<vec2<u32>>;
// A forest: (end of its trees, place of its table). Then all trees: (root, 0).
@group(0) @binding(3) var<storage, read> trees: array<vec2<u32>>;
// Probabilities of impure leaves, and what a number of votes counts.
@group(0) @binding(4) var<storage, read> numbers: array<f32>;
@group(0) @binding(5) var<storage, read_write> answers: array<f32>;

override CLASSES: u32;
// Values of the group's samples that are kept in its memory; at least 1.
override STAGED: u32;
// Whether they are.
override STAGING: bool;
// Whether each leaf has one class only; otherwise each forest's answer is written.
override PURE: bool;

const THREADS: u32 = 64u;
const NO_COLUMN: u32 = 0xfffu;

var<workgroup> staged: array<u32, STAGED>;
var<workgroup> votes: array<f32, CLASSES * 64u>;
var<workgroup> sums: array<f32, CLASSES * 64u>;

fn key(bits: u32) -> u32 {
    let plain = select(bits, 0u, bits == 0x80000000u);
    return plain ^ select(0x80000000u, 0xffffffffu, plain >= 0x80000000u);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = (group.y * work.across + group.x) * THREADS + lane;
    if row >= work.rows {
        return;
    }
    var unknown = false;
    for (var column = 0u; column < work.columns; column++) {
        let bits = features[column * work.rows + row];
        unknown = unknown || (bits & 0x7fffffffu) > 0x7f800000u;
        if STAGING {
            staged[column * THREADS + lane] = key(bits);
        }
    }
    for (var label = 0u; label < CLASSES; label++) {
        sums[label * THREADS + lane] = 0.0;
    }
    var tree = 0u;
    for (var forest = 0u; forest < work.forests; forest++) {
        let ends = trees[forest];
        for (var label = 0u; label < CLASSES; label++) {
            votes[label * THREADS + lane] = 0.0;
        }
        // A sample with a value that is not a number gets no votes.
        tree = select(tree, ends.x, unknown);
        for (; tree < ends.x; tree++) {
            var at = trees[work.forests + tree].x;
            var node = nodes[at];
            while (node.y >> 20u) != NO_COLUMN {
                let column = node.y >> 20u;
                var value: u32;
                if STAGING {
                    value = staged[column * THREADS + lane];
                } else {
                    value = key(features[column * work.rows + row]);
                }
                at += select(node.y & 0xfffffu, 1u, value < node.x);
                node = nodes[at];
            }
            if PURE {
                votes[node.x * THREADS + lane] += 1.0;
            } else {
                for (var label = 0u; label < CLASSES; label++) {
                    votes[label * THREADS + lane] += numbers[node.x + label];
                }
            }
        }
        for (var label = 0u; label < CLASSES; label++) {
            let vote = votes[label * THREADS + lane];
            if PURE {
                sums[label * THREADS + lane] += numbers[ends.y + u32(vote)];
            } else {
                answers[(forest * CLASSES + label) * work.rows + row] = vote;
            }
        }
    }
    if PURE {
        for (var label = 0u; label < CLASSES; label++) {
            answers[label * work.rows + row] = sums[label * THREADS + lane];
        }
    }
}
