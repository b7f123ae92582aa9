//! Forests as flat arrays.

use analysis::forest::{Ensemble, Forest, Node, Tree, not_below, pure};

use crate::error::{Error, Result};

/// Bits of a node for the distance to its right child; the others are its column.
const DISTANCE: u32 = 20;

/// The column of a leaf.
const NO_COLUMN: u32 = 0xfff;

/// The arrays that `walk.wgsl` reads.
pub(super) struct Arrays {
    pub nodes: Vec<[u32; 2]>,
    /// Forests, then trees.
    pub trees: Vec<[u32; 2]>,
    pub numbers: Vec<f32>,
    pub pure: bool,
}

/// Lays out all forests.
pub(super) fn pack(ensemble: &Ensemble) -> Result<Arrays> {
    let forests = ensemble.forests();
    if forests.iter().any(Forest::weighted) {
        return Err(Error::Unsupported("forests with weighted leaves"));
    }
    if ensemble.columns() >= NO_COLUMN as usize {
        return Err(Error::Unsupported("forests of more than 4,094 columns"));
    }
    let trees = || forests.iter().flat_map(Forest::trees);
    let pure = trees().flat_map(leaves).all(|leaf| pure(leaf).is_some());
    if !pure && !trees().flat_map(leaves).all(adds_up) {
        return Err(Error::Unsupported("leaves whose shares do not add up to 1"));
    }
    let mut arrays = Arrays {
        nodes: Vec::new(),
        trees: Vec::new(),
        numbers: Vec::new(),
        pure,
    };
    let mut end = 0;
    for forest in forests {
        end += forest.len();
        let table = index(arrays.numbers.len())?;
        if pure {
            // What the CPU adds for so many votes, with its roundings.
            let trees = forest.len() as f32;
            let votes = (0..=forest.len()).map(|votes| votes as f32 / trees * trees);
            arrays.numbers.extend(votes);
        }
        arrays.trees.push([index(end)?, table]);
    }
    for tree in trees() {
        arrays.trees.push([index(arrays.nodes.len())?, 0]);
        arrays.lay(tree)?;
    }
    if arrays.numbers.is_empty() {
        arrays.numbers.push(0.0);
    }
    Ok(arrays)
}

impl Arrays {
    /// Appends a tree, each left child right after its parent.
    fn lay(&mut self, tree: &Tree) -> Result<()> {
        // A node, and the parent of which it is the right child.
        let mut open = vec![(0, None::<usize>)];
        while let Some((node, parent)) = open.pop() {
            let at = self.nodes.len();
            if let Some(parent) = parent {
                let distance = at - parent;
                if distance >= 1 << DISTANCE {
                    return Err(Error::Unsupported("trees of more than a million nodes"));
                }
                self.nodes[parent][1] |= index(distance)?;
            }
            match &tree.nodes()[node] {
                Node::Split {
                    column,
                    threshold,
                    left,
                    right,
                } => {
                    self.nodes
                        .push([key(*threshold), index(*column)? << DISTANCE]);
                    open.push((*right, Some(at)));
                    open.push((*left, None));
                }
                Node::Leaf { probabilities, .. } => {
                    let answer = match pure(probabilities) {
                        Some(class) if self.pure => class,
                        _ => {
                            let place = self.numbers.len();
                            let shares = probabilities.iter().map(|&p| p as f32);
                            self.numbers.extend(shares);
                            place
                        }
                    };
                    self.nodes.push([index(answer)?, NO_COLUMN << DISTANCE]);
                }
            }
        }
        Ok(())
    }
}

fn index(value: usize) -> Result<u32> {
    u32::try_from(value).map_err(|_| Error::Unsupported("forests of more than 2^32 values"))
}

/// The order of single-precision numbers as unsigned integers; `walk.wgsl` has the same.
fn key(threshold: f64) -> u32 {
    if threshold.is_nan() {
        // Nothing is below it.
        return 0;
    }
    // Adding 0 makes a negative zero positive.
    let bits = (not_below(threshold) + 0.0).to_bits();
    bits ^ if bits >> 31 == 1 { u32::MAX } else { 1 << 31 }
}

fn leaves(tree: &Tree) -> impl Iterator<Item = &[f64]> {
    tree.nodes().iter().filter_map(|node| match node {
        Node::Leaf { probabilities, .. } => Some(probabilities.as_slice()),
        Node::Split { .. } => None,
    })
}

/// Whether the sum of all votes of a forest, in single precision, is its number of trees.
fn adds_up(probabilities: &[f64]) -> bool {
    (probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-9
}
