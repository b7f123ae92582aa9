//! Random forests.

use analysis::forest::{Ensemble, Forest, Node, Tree};

use super::Dice;

/// How leaves and trees come out.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub columns: usize,
    pub classes: usize,
    /// Splits of a tree, at most.
    pub splits: u32,
    pub pure: bool,
}

fn leaf(shape: Shape, dice: &mut Dice) -> Node {
    let mut probabilities = vec![0.0; shape.classes];
    let class = dice.below(shape.classes as u32) as usize;
    probabilities[class] = 1.0;
    if !shape.pure && shape.classes > 1 {
        let share = f64::from(dice.below(300)) / 300.0;
        probabilities[class] = 1.0 - share;
        probabilities[(class + 1) % shape.classes] = share;
    }
    Node::Leaf {
        weight: f64::from(1 + dice.below(50)),
        probabilities,
    }
}

/// A tree whose thresholds come from `threshold`, given a column.
pub fn tree(
    shape: Shape,
    dice: &mut Dice,
    threshold: &mut impl FnMut(usize, &mut Dice) -> f64,
) -> Tree {
    let mut nodes = vec![leaf(shape, dice)];
    let mut leaves = vec![0];
    for _ in 0..dice.below(shape.splits + 1) {
        let at = leaves.swap_remove(dice.below(leaves.len() as u32) as usize);
        let (left, right) = (nodes.len(), nodes.len() + 1);
        leaves.extend([left, right]);
        nodes.push(leaf(shape, dice));
        nodes.push(leaf(shape, dice));
        let column = dice.below(shape.columns as u32) as usize;
        nodes[at] = Node::Split {
            column,
            threshold: threshold(column, dice),
            left,
            right,
        };
    }
    Tree::new(nodes).unwrap()
}

/// Forests of so many trees each.
pub fn ensemble(
    shape: Shape,
    sizes: &[usize],
    dice: &mut Dice,
    mut threshold: impl FnMut(usize, &mut Dice) -> f64,
) -> Ensemble {
    let forests = sizes.iter().map(|&size| {
        let trees = (0..size)
            .map(|_| tree(shape, dice, &mut threshold))
            .collect();
        Forest::new(trees, shape.columns, shape.classes, false).unwrap()
    });
    Ensemble::new(forests.collect()).unwrap()
}
