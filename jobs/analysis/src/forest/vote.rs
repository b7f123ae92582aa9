//! Fast voting of trees whose leaves are pure.
//!
//! A tree is not walked. Its leaves are numbered from left to right, one bit each. A sample that fails a node's test cannot end in any
//! leaf below the node's left child: those bits are cleared. When all nodes were asked, the lowest bit that is left is the leaf in which
//! the sample ends (Lucchese et al., QuickScorer, SIGIR 2015). All tests are asked of many samples at a time, without a branch.

use std::ops::Range;

use multiversion::multiversion;

use super::LANES;
use super::tree::{Node, Tree};

/// The trees of a forest as lists of tests.
#[derive(Clone, Debug)]
pub(super) struct Ballot {
    trees: Vec<Vec<Word>>,
    classes: usize,
}

/// Up to 32 leaves of a tree, one bit each.
#[derive(Clone, Debug)]
struct Word {
    tests: Vec<Test>,
    /// The leaves of each class but the first.
    classes: Vec<u32>,
}

/// What a node says of the leaves of one word.
#[derive(Clone, Copy, Debug)]
struct Test {
    column: u32,
    /// The smallest single-precision number that is not below the stored threshold: the answer is the same for every
    /// single-precision value.
    threshold: f32,
    /// The leaves that are left to a sample that fails.
    keep: u32,
}

/// A node with the leaves below its left child.
struct Span {
    column: u32,
    threshold: f32,
    leaves: Range<usize>,
}

/// Trees with more leaves are walked.
const MOST_LEAVES: usize = 256;

impl Ballot {
    /// None if a leaf is not pure, or a tree is too large for this to be the faster way.
    pub(super) fn new(trees: &[Tree], classes: usize) -> Option<Self> {
        let trees = trees.iter().map(|tree| words(tree, classes));
        Some(Self {
            trees: trees.collect::<Option<_>>()?,
            classes,
        })
    }

    /// Counts the votes for each class, class after class.
    pub(super) fn count(&self, features: &[f32], rows: usize, votes: &mut [f32]) {
        count(self, features, rows, votes);
    }
}

/// The tests of a tree, word by word.
fn words(tree: &Tree, classes: usize) -> Option<Vec<Word>> {
    let (spans, leaves) = number(tree)?;
    let words = leaves.chunks(32).enumerate().map(|(index, leaves)| {
        let bits = |range: &Range<usize>| {
            let within = |leaf: usize| leaf.clamp(32 * index, 32 * index + 32) - 32 * index;
            let below = |leaf: usize| (1u64 << within(leaf)) - 1;
            (below(range.end) & !below(range.start)) as u32
        };
        let tests = spans.iter().filter_map(|span| {
            let lost = bits(&span.leaves);
            (lost != 0).then_some(Test {
                column: span.column,
                threshold: span.threshold,
                keep: !lost,
            })
        });
        let of_class = |class: usize| {
            let bits = leaves.iter().enumerate();
            bits.fold(0, |bits, (leaf, c)| bits | u32::from(*c == class) << leaf)
        };
        let mut tests: Vec<Test> = tests.collect();
        tests.sort_by_key(|test| test.column);
        Word {
            tests,
            classes: (1..classes).map(of_class).collect(),
        }
    });
    Some(words.collect())
}

/// Numbers the leaves from left to right; gives the nodes, and the class of each leaf.
fn number(tree: &Tree) -> Option<(Vec<Span>, Vec<usize>)> {
    enum Step<'a> {
        Enter(usize),
        /// All leaves below this node's left child have their numbers.
        Left(&'a Node, usize),
    }
    let (mut spans, mut leaves) = (Vec::new(), Vec::new());
    let mut steps = vec![Step::Enter(0)];
    while let Some(step) = steps.pop() {
        match step {
            Step::Left(
                Node::Split {
                    column, threshold, ..
                },
                first,
            ) => spans.push(Span {
                column: u32::try_from(*column).ok()?,
                threshold: not_below(*threshold),
                leaves: first..leaves.len(),
            }),
            Step::Left(Node::Leaf { .. }, _) => {}
            Step::Enter(at) => match &tree.nodes()[at] {
                node @ Node::Split { left, right, .. } => {
                    steps.push(Step::Enter(*right));
                    steps.push(Step::Left(node, leaves.len()));
                    steps.push(Step::Enter(*left));
                }
                Node::Leaf { probabilities, .. } => {
                    if leaves.len() == MOST_LEAVES {
                        return None;
                    }
                    leaves.push(pure(probabilities)?);
                }
            },
        }
    }
    Some((spans, leaves))
}

/// The class of a leaf in which there is only one, from the shares of all classes.
#[allow(clippy::float_cmp)]
#[must_use]
pub fn pure(probabilities: &[f64]) -> Option<usize> {
    let class = probabilities.iter().position(|&p| p == 1.0)?;
    let others = probabilities
        .iter()
        .enumerate()
        .filter(|(i, _)| *i != class);
    others.into_iter().all(|(_, &p)| p == 0.0).then_some(class)
}

/// The smallest single-precision number that is not below `threshold`: a single-precision value is below the one exactly if it is
/// below the other.
#[must_use]
pub fn not_below(threshold: f64) -> f32 {
    let nearest = threshold as f32;
    if f64::from(nearest) < threshold {
        nearest.next_up()
    } else {
        nearest
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn count(ballot: &Ballot, features: &[f32], rows: usize, votes: &mut [f32]) {
    let mut last = Vec::new();
    let mut counts = vec![[0u32; LANES]; ballot.classes - 1];
    for first in (0..rows).step_by(LANES) {
        let lanes = LANES.min(rows - first);
        counts.fill([0; LANES]);
        if lanes == LANES {
            group(ballot, &features[first..], rows, &mut counts);
        } else {
            // The last samples are copied, so that there are always as many.
            last.resize(features.len() / rows * LANES, 0.0);
            for (to, from) in last
                .chunks_exact_mut(LANES)
                .zip(features.chunks_exact(rows))
            {
                to[..lanes].copy_from_slice(&from[first..]);
            }
            group(ballot, &last, LANES, &mut counts);
        }
        // Every tree votes for one class.
        let mut others = [ballot.trees.len() as u32; LANES];
        let mut put = |class: usize, counts: &[u32; LANES]| {
            let from = class * rows + first;
            for (vote, count) in votes[from..from + lanes].iter_mut().zip(counts) {
                *vote = *count as f32;
            }
        };
        for (class, counts) in counts.iter().enumerate() {
            put(class + 1, counts);
            for (others, count) in others.iter_mut().zip(counts) {
                *others -= count;
            }
        }
        put(0, &others);
    }
}

/// Counts the votes of so many samples; a column begins `stride` values after the one before.
#[inline(always)]
fn group(ballot: &Ballot, values: &[f32], stride: usize, counts: &mut [[u32; LANES]]) {
    for tree in &ballot.trees {
        // All ones while the sample's leaf was not found.
        let mut open = [u32::MAX; LANES];
        for word in tree {
            let mut bits = open;
            for test in &word.tests {
                let Some(column) = values[test.column as usize * stride..].first_chunk::<LANES>()
                else {
                    unreachable!("each column has so many samples");
                };
                for lane in 0..LANES {
                    let passed = u32::from(column[lane] < test.threshold).wrapping_neg();
                    bits[lane] &= test.keep | passed;
                }
            }
            for lane in 0..LANES {
                let leaf = bits[lane] & bits[lane].wrapping_neg();
                open[lane] &= u32::from(leaf == 0).wrapping_neg();
                bits[lane] = leaf;
            }
            for (counts, class) in counts.iter_mut().zip(&word.classes) {
                for lane in 0..LANES {
                    counts[lane] += u32::from(bits[lane] & class != 0);
                }
            }
        }
    }
}
