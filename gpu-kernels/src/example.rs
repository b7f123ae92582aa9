//! A classifier for measurements: as large as those of real projects, and the same each time.

use analysis::forest::{Ensemble, Forest, Node, Tree};
use analysis::pixel_classification::Classifier;
use analysis::pixel_features::{Feature, Scale, Selection};

/// Scales of which each has all features.
const SIGMAS: [f64; 4] = [0.7, 1.6, 3.5, 5.0];
/// Trees, as ilastik trains by default.
const TREES: usize = 100;
/// Levels of each tree.
const DEPTH: usize = 6;

/// Two classes, 32 features of one channel, 100 trees of 64 leaves.
///
/// # Panics
/// Never: the parts fit together.
#[must_use]
pub fn classifier() -> Classifier {
    let scales = SIGMAS.map(|sigma| Scale {
        sigma,
        in_2d: true,
        features: Feature::ALL.to_vec(),
    });
    let made = Selection::new(Feature::ALL.to_vec(), scales.to_vec()).and_then(|selection| {
        let columns = selection.width(1, true);
        let mut dice = 1u32;
        let trees = (0..TREES).map(|_| Tree::new(nodes(columns, &mut dice)));
        let forest = Forest::new(trees.collect::<Result<_, _>>()?, columns, 2, false)?;
        Classifier::new(selection, Ensemble::new(vec![forest])?, vec![0, 1], 2)
    });
    match made {
        Ok(classifier) => classifier,
        Err(error) => unreachable!("the parts fit together: {error}"),
    }
}

/// A full tree, level by level.
fn nodes(columns: usize, dice: &mut u32) -> Vec<Node> {
    let mut roll = |end: u32| {
        *dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (*dice >> 16) % end
    };
    let inner = (1 << DEPTH) - 1;
    let splits = (0..inner).map(|index| Node::Split {
        column: roll(columns as u32) as usize,
        threshold: f64::from(roll(2000)) - 200.0,
        left: 2 * index + 1,
        right: 2 * index + 2,
    });
    let mut nodes: Vec<Node> = splits.collect();
    nodes.extend((0..=inner).map(|leaf| Node::Leaf {
        weight: 1.0,
        probabilities: if leaf % 2 == 0 {
            vec![1.0, 0.0]
        } else {
            vec![0.0, 1.0]
        },
    }));
    nodes
}
