#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

const COLUMNS: usize = 5;

/// Grows a random tree of so many splits; a pure one has one class a leaf.
fn grow(splits: usize, classes: usize, pure: bool, next: &mut impl FnMut() -> u64) -> Tree {
    let mut nodes = vec![leaf(classes, pure, next)];
    for _ in 0..splits {
        let leaves: Vec<usize> = (0..nodes.len())
            .filter(|&i| matches!(nodes[i], Node::Leaf { .. }))
            .collect();
        let at = leaves[next() as usize % leaves.len()];
        let (left, right) = (nodes.len(), nodes.len() + 1);
        nodes.push(leaf(classes, pure, next));
        nodes.push(leaf(classes, pure, next));
        nodes[at] = Node::Split {
            column: next() as usize % COLUMNS,
            threshold: (next() % 1000) as f64 / 999.0 + 1e-12 * (next() % 3) as f64,
            left,
            right,
        };
    }
    Tree::new(nodes).unwrap()
}

fn leaf(classes: usize, pure: bool, next: &mut impl FnMut() -> u64) -> Node {
    let mut probabilities = vec![0.0; classes];
    let class = next() as usize % classes;
    probabilities[class] = 1.0;
    if !pure && classes > 1 {
        let share = (next() % 100) as f64 / 100.0;
        probabilities[class] = 1.0 - share;
        probabilities[(class + 1) % classes] = share;
    }
    Node::Leaf {
        weight: (1 + next() % 50) as f64,
        probabilities,
    }
}

/// VIGRA's own loop, one sample at a time.
fn naive(trees: &[Tree], classes: usize, weighted: bool, sample: &[f32]) -> Vec<f32> {
    if sample.iter().any(|v| v.is_nan()) {
        return vec![0.0; classes];
    }
    let (mut sums, mut total) = (vec![0f32; classes], 0f64);
    for tree in trees {
        let mut at = 0;
        while let Node::Split {
            column,
            threshold,
            left,
            right,
        } = &tree.nodes()[at]
        {
            at = if f64::from(sample[*column]) < *threshold {
                *left
            } else {
                *right
            };
        }
        let Node::Leaf {
            weight,
            probabilities,
        } = &tree.nodes()[at]
        else {
            unreachable!()
        };
        for (sum, p) in sums.iter_mut().zip(probabilities) {
            let vote = p * if weighted { *weight } else { 1.0 };
            *sum += vote as f32;
            total += vote;
        }
    }
    sums.iter().map(|s| s / total as f32).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn forests_answer_as_vigras_loop_does(
        trees in 1usize..12,
        splits in 0usize..300,
        classes in 1usize..5,
        pure: bool,
        weighted: bool,
        rows in 1usize..300,
        seed: u64,
    ) {
        let mut state = seed | 1;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state >> 11
        };
        let grown: Vec<Tree> = (0..trees)
            .map(|_| grow(next() as usize % (splits + 1), classes, pure, &mut next))
            .collect();
        // Values that are often equal to a threshold, and some that are no numbers.
        let features: Vec<f32> = (0..COLUMNS * rows)
            .map(|_| match next() % 200 {
                0 => f32::NAN,
                1 => f32::INFINITY,
                _ => ((next() % 1000) as f64 / 999.0) as f32,
            })
            .collect();
        let forest = Forest::new(grown.clone(), COLUMNS, classes, weighted).unwrap();
        let got = forest.probabilities(&features, rows);
        for row in 0..rows {
            let sample: Vec<f32> = (0..COLUMNS).map(|c| features[c * rows + row]).collect();
            let expected = naive(&grown, classes, weighted, &sample);
            for class in 0..classes {
                prop_assert_eq!(got[class * rows + row].to_bits(), expected[class].to_bits());
            }
        }
    }
}

#[test]
fn nodes_that_form_no_tree_are_refused() {
    let split = |left, right| Node::Split {
        column: 0,
        threshold: 0.5,
        left,
        right,
    };
    let leaf = |classes| Node::Leaf {
        weight: 1.0,
        probabilities: vec![1.0; classes],
    };
    assert!(Tree::new(vec![]).is_err());
    assert!(Tree::new(vec![split(0, 0)]).is_err());
    assert!(Tree::new(vec![split(1, 2), leaf(1)]).is_err());
    assert!(Tree::new(vec![split(1, 1), leaf(1)]).is_err());
    assert!(Tree::new(vec![split(1, 2), leaf(1), leaf(2)]).is_err());
    assert!(Tree::new(vec![leaf(0)]).is_err());
    let tree = Tree::new(vec![split(1, 2), leaf(2), leaf(2)]).unwrap();
    assert!(Forest::new(vec![tree.clone()], 0, 2, false).is_err());
    assert!(Forest::new(vec![tree.clone()], 1, 3, false).is_err());
    assert!(Forest::new(vec![], 1, 2, false).is_err());
    assert!(Forest::new(vec![tree], 1, 2, false).is_ok());
}
