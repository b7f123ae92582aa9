//! One decision tree.

use crate::{Error, Result};

/// A node of a tree. Children are indices into the tree's list of nodes.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// Samples whose value in the column is below the threshold go left.
    Split {
        /// Feature column.
        column: usize,
        /// The threshold, as stored.
        threshold: f64,
        /// Node for values below the threshold.
        left: usize,
        /// Node for all others.
        right: usize,
    },
    /// An answer.
    Leaf {
        /// Number of training samples that ended here.
        weight: f64,
        /// Share of each class among them.
        probabilities: Vec<f64>,
    },
}

/// A tree whose shape has been checked: the first node is the root, and every other node has exactly one parent.
#[derive(Clone, Debug)]
pub struct Tree {
    nodes: Vec<Node>,
    classes: usize,
    /// One more than the largest column that is asked for.
    reach: usize,
}

/// Where a sample ends.
pub(super) struct Answer<'a> {
    pub weight: f64,
    pub probabilities: &'a [f64],
}

impl Tree {
    /// Checks a tree.
    ///
    /// # Errors
    /// [`Error::Parameter`] for nodes that lead nowhere, form a circle, or hold probabilities of different numbers of classes.
    pub fn new(nodes: Vec<Node>) -> Result<Self> {
        let broken = |value: String| Error::Parameter {
            name: "tree",
            value,
            expected: "a tree: each node but the first with one parent, leaves of equally many classes",
        };
        let mut reached = vec![false; nodes.len()];
        let mut open = vec![0];
        let (mut classes, mut reach) = (None, 0);
        while let Some(index) = open.pop() {
            let node = nodes
                .get(index)
                .ok_or_else(|| broken(format!("leads to a node {index} of {}", nodes.len())))?;
            if std::mem::replace(&mut reached[index], true) {
                return Err(broken(format!("comes to node {index} twice")));
            }
            match node {
                Node::Split {
                    column,
                    left,
                    right,
                    ..
                } => {
                    reach = reach.max(column + 1);
                    open.extend([*left, *right]);
                }
                Node::Leaf { probabilities, .. } => {
                    let found = probabilities.len();
                    if found == 0 || *classes.get_or_insert(found) != found {
                        return Err(broken(format!("has a leaf of {found} classes")));
                    }
                }
            }
        }
        Ok(Self {
            nodes,
            classes: classes.unwrap_or(0),
            reach,
        })
    }

    /// The nodes, the root first.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Number of classes.
    #[must_use]
    pub const fn classes(&self) -> usize {
        self.classes
    }

    pub(super) const fn fits(&self, columns: usize, classes: usize) -> bool {
        self.reach <= columns && self.classes == classes
    }

    /// Walks from the root to the leaf of a sample.
    pub(super) fn leaf(&self, value: impl Fn(usize) -> f32) -> Answer<'_> {
        let mut at = 0;
        loop {
            match &self.nodes[at] {
                Node::Split {
                    column,
                    threshold,
                    left,
                    right,
                } => {
                    at = if f64::from(value(*column)) < *threshold {
                        *left
                    } else {
                        *right
                    };
                }
                Node::Leaf {
                    weight,
                    probabilities,
                } => {
                    return Answer {
                        weight: *weight,
                        probabilities,
                    };
                }
            }
        }
    }
}
