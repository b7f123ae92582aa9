//! Random forests as VIGRA trains and ilastik stores them.
//!
//! Reproduces VIGRA's `RandomForest::predictProbabilities` and the sum over forests of ilastik's
//! `ParallelVigraRfLazyflowClassifier`, bit for bit (ilastik adds its forests in the order in which threads end; here they are added in
//! the order of their names).

mod tree;
mod vote;

pub use tree::{Node, Tree};
pub use vote::{not_below, pure};

use multiversion::multiversion;

use crate::{Error, Result};
use vote::Ballot;

/// Values that are evaluated at a time.
pub(crate) const LANES: usize = 128;

/// One forest: trees over the same columns and classes.
#[derive(Clone, Debug)]
pub struct Forest {
    trees: Vec<Tree>,
    columns: usize,
    classes: usize,
    weighted: bool,
    /// The same trees for fast voting, if all leaves are pure.
    ballot: Option<Ballot>,
}

impl Forest {
    /// Puts trees together. `weighted` weighs a tree's answer with the number of training samples in its leaf.
    ///
    /// # Errors
    /// [`Error::Parameter`] for no trees, no classes, or trees that ask for other columns or classes than there are.
    pub fn new(trees: Vec<Tree>, columns: usize, classes: usize, weighted: bool) -> Result<Self> {
        let wrong = |name, value: String, expected| {
            Err(Error::Parameter {
                name,
                value,
                expected,
            })
        };
        if trees.is_empty() || classes == 0 {
            return wrong(
                "forest",
                format!("{} trees of {classes} classes", trees.len()),
                "at least one tree and one class",
            );
        }
        if let Some(tree) = trees.iter().find(|t| !t.fits(columns, classes)) {
            return wrong(
                "tree",
                format!("of {} classes", tree.classes()),
                "a tree over the forest's columns and classes",
            );
        }
        let ballot = if weighted {
            None
        } else {
            Ballot::new(&trees, classes)
        };
        Ok(Self {
            trees,
            columns,
            classes,
            weighted,
            ballot,
        })
    }

    /// The trees, in the order in which their answers are added.
    #[must_use]
    pub fn trees(&self) -> &[Tree] {
        &self.trees
    }

    /// Whether a tree's answer is weighed with the number of training samples in its leaf.
    #[must_use]
    pub const fn weighted(&self) -> bool {
        self.weighted
    }

    /// Number of feature columns.
    #[must_use]
    pub const fn columns(&self) -> usize {
        self.columns
    }

    /// Number of classes.
    #[must_use]
    pub const fn classes(&self) -> usize {
        self.classes
    }

    /// Number of trees.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.trees.len()
    }

    /// Never: a forest has a tree.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.trees.is_empty()
    }

    /// Probability of each class, class after class, for `rows` samples whose features lie column after column.
    ///
    /// A sample with a value that is not a number gets 0 for every class, as in VIGRA.
    ///
    /// # Panics
    /// If `features` does not hold `columns * rows` values.
    #[must_use]
    pub fn probabilities(&self, features: &[f32], rows: usize) -> Vec<f32> {
        let mut out = self.answers(features, rows);
        clear_unknown(features, rows, &mut out);
        out
    }

    /// As [`Self::probabilities`], with anything for samples with a value that is not a number.
    fn answers(&self, features: &[f32], rows: usize) -> Vec<f32> {
        assert_eq!(features.len(), self.columns * rows);
        let mut out = vec![0f32; self.classes * rows];
        match &self.ballot {
            Some(ballot) => {
                ballot.count(features, rows, &mut out);
                let trees = self.trees.len() as f32;
                out.iter_mut().for_each(|votes| *votes /= trees);
            }
            None => self.walk(features, rows, &mut out),
        }
        out
    }

    /// Tree by tree and sample by sample, in VIGRA's order of additions.
    fn walk(&self, features: &[f32], rows: usize, out: &mut [f32]) {
        let mut sums = vec![0f32; self.classes];
        for row in 0..rows {
            sums.fill(0.0);
            let mut total = 0f64;
            for tree in &self.trees {
                let leaf = tree.leaf(|column| features[column * rows + row]);
                let weight = if self.weighted { leaf.weight } else { 1.0 };
                for (sum, probability) in sums.iter_mut().zip(leaf.probabilities) {
                    let vote = probability * weight;
                    *sum += vote as f32;
                    total += vote;
                }
            }
            for (class, sum) in sums.iter().enumerate() {
                out[class * rows + row] = sum / total as f32;
            }
        }
    }
}

/// Samples with a value that is not a number belong to no class.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn clear_unknown(features: &[f32], rows: usize, out: &mut [f32]) {
    // A sum is not a number if a part is not; infinities of both signs are found too and looked at more closely.
    let mut unknown = vec![0f32; rows];
    for column in features.chunks_exact(rows.max(1)) {
        for (sum, value) in unknown.iter_mut().zip(column) {
            *sum += value * 0.0;
        }
    }
    if unknown.iter().all(|v| *v == 0.0) {
        return;
    }
    for row in (0..rows).filter(|&row| unknown[row] != 0.0 || unknown[row].is_nan()) {
        if features
            .chunks_exact(rows)
            .any(|column| column[row].is_nan())
        {
            out.chunks_exact_mut(rows)
                .for_each(|class| class[row] = 0.0);
        }
    }
}

/// Forests that were trained beside each other and answer together.
#[derive(Clone, Debug)]
pub struct Ensemble {
    forests: Vec<Forest>,
}

impl Ensemble {
    /// Puts forests together.
    ///
    /// # Errors
    /// [`Error::Parameter`] for no forests, or forests of different columns or classes.
    pub fn new(forests: Vec<Forest>) -> Result<Self> {
        let same = |f: &Forest| (f.columns, f.classes) == (forests[0].columns, forests[0].classes);
        if forests.is_empty() || !forests.iter().all(same) {
            return Err(Error::Parameter {
                name: "forests",
                value: forests.len().to_string(),
                expected: "at least one, all of the same columns and classes",
            });
        }
        Ok(Self { forests })
    }

    /// The forests, in the order in which their answers are added.
    #[must_use]
    pub fn forests(&self) -> &[Forest] {
        &self.forests
    }

    /// Number of feature columns.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.forests[0].columns
    }

    /// Number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.forests[0].classes
    }

    /// Number of trees in all forests.
    #[must_use]
    pub fn trees(&self) -> usize {
        self.forests.iter().map(Forest::len).sum()
    }

    /// As [`Forest::probabilities`]: the mean over the forests, each weighted by its number of trees.
    #[must_use]
    pub fn probabilities(&self, features: &[f32], rows: usize) -> Vec<f32> {
        let mut sums = vec![0f32; self.classes() * rows];
        for forest in &self.forests {
            let trees = forest.len() as f32;
            for (sum, p) in sums.iter_mut().zip(forest.answers(features, rows)) {
                *sum += p * trees;
            }
        }
        let trees = self.trees() as f32;
        sums.iter_mut().for_each(|sum| *sum /= trees);
        clear_unknown(features, rows, &mut sums);
        sums
    }
}

#[cfg(test)]
mod tests;
