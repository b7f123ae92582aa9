//! Random forests.
//!
//! Equals [`Ensemble::probabilities`] bit for bit, given the same features: thresholds are the smallest single-precision numbers that
//! are not below the stored ones, votes are added in the order of the trees, and everything that needs a division, which devices do
//! not round exactly, comes from a table or is done after the download.
//!
//! One thread walks all trees for one sample. Its features are copied into the group's memory first: lanes that ask for different
//! columns then do not get into each other's way.

mod pack;

use analysis::forest::{Ensemble, Forest};
use bytemuck::{Pod, Zeroable};

use crate::error::{Error, Result};
use crate::gpu::{Batch, Buffer, Gpu, Kernel};

/// Samples of a group.
const THREADS: u32 = 64;

/// Classes of a forest: their votes are kept in a group's memory.
pub const MOST_CLASSES: usize = 32;

/// Groups along one axis.
const ACROSS: u32 = 32_768;

const WALK: Kernel = Kernel {
    name: "forest walk",
    source: &[include_str!("forest/walk.wgsl")],
    entry: "main",
};

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Work {
    rows: u32,
    columns: u32,
    forests: u32,
    across: u32,
}

/// Forests on the device.
pub struct Packed {
    nodes: Buffer,
    trees: Buffer,
    numbers: Buffer,
    pure: bool,
    columns: usize,
    classes: usize,
    /// Trees of each forest.
    sizes: Vec<usize>,
}

impl Packed {
    /// Copies forests to the device.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for weighted leaves, more than [`MOST_CLASSES`] classes, more than 4,094 columns, trees of more than a
    /// million nodes; [`Error::OutOfMemory`].
    pub fn new(gpu: &Gpu, ensemble: &Ensemble) -> Result<Self> {
        if ensemble.classes() > MOST_CLASSES {
            return Err(Error::Unsupported("forests of more than 32 classes"));
        }
        let arrays = pack::pack(ensemble)?;
        Ok(Self {
            nodes: gpu.upload(&arrays.nodes)?,
            trees: gpu.upload(&arrays.trees)?,
            numbers: gpu.upload(&arrays.numbers)?,
            pure: arrays.pure,
            columns: ensemble.columns(),
            classes: ensemble.classes(),
            sizes: ensemble.forests().iter().map(Forest::len).collect(),
        })
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

    /// Bytes that it takes on the device.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.nodes.bytes() + self.trees.bytes() + self.numbers.bytes()
    }

    /// Values that [`Self::answers`] writes for a sample: one a class, or one a class and forest if leaves are of several classes.
    #[must_use]
    pub const fn answers_per_row(&self) -> usize {
        if self.pure {
            self.classes
        } else {
            self.classes * self.sizes.len()
        }
    }

    /// Adds the voting on `rows` samples, whose features lie column after column, to a batch; gives what [`Self::finish`] takes.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`], and as [`Batch::dispatch`].
    pub fn answers(
        &self,
        gpu: &Gpu,
        batch: &mut Batch<'_>,
        features: &Buffer,
        rows: usize,
    ) -> Result<Buffer> {
        let answers = gpu.words(self.answers_per_row() * rows)?;
        // Votes and sums take their share of the group's memory.
        let counted = 2 * self.classes * THREADS as usize;
        let staged = self.columns * THREADS as usize;
        let staging = 4 * (counted + staged) <= gpu.group_memory() as usize;
        let constants = [
            ("CLASSES", self.classes as f64),
            ("STAGED", if staging { staged.max(1) as f64 } else { 1.0 }),
            ("STAGING", f64::from(u8::from(staging))),
            ("PURE", f64::from(u8::from(self.pure))),
        ];
        let narrow = |value| {
            u32::try_from(value).map_err(|_| Error::Unsupported("more than 2^32 samples at once"))
        };
        let groups = narrow(rows)?.div_ceil(THREADS);
        let across = groups.clamp(1, ACROSS);
        let work = Work {
            rows: narrow(rows)?,
            columns: narrow(self.columns)?,
            forests: narrow(self.sizes.len())?,
            across,
        };
        batch.dispatch(
            WALK,
            &constants,
            &work,
            &[features, &self.nodes, &self.trees, &self.numbers, &answers],
            [across, groups.div_ceil(across), 1],
        )?;
        Ok(answers)
    }

    /// Probabilities, class after class, of what the device answered.
    #[must_use]
    pub fn finish(&self, answers: Vec<f32>, rows: usize) -> Vec<f32> {
        let trees = self.sizes.iter().sum::<usize>() as f32;
        let mut sums = if self.pure {
            answers
        } else {
            let mut sums = vec![0f32; self.classes * rows];
            let forests = answers.chunks_exact((self.classes * rows).max(1));
            for (&size, answers) in self.sizes.iter().zip(forests) {
                let size = size as f32;
                for (sum, votes) in sums.iter_mut().zip(answers) {
                    *sum += votes / size * size;
                }
            }
            sums
        };
        sums.iter_mut().for_each(|sum| *sum /= trees);
        sums
    }
}

/// As [`Ensemble::probabilities`]: probability of each class, class after class, of `rows` samples whose features lie column after
/// column.
///
/// # Errors
/// [`Error::Unsupported`] for another number of values, [`Error::OutOfMemory`] if they do not fit at once, and as [`Batch::finish`].
pub fn probabilities(
    gpu: &Gpu,
    packed: &Packed,
    features: &[f32],
    rows: usize,
) -> Result<Vec<f32>> {
    if features.len() != packed.columns * rows {
        return Err(Error::Unsupported("other columns than the forest's"));
    }
    if rows == 0 {
        return Ok(Vec::new());
    }
    let features = gpu.upload(features)?;
    let mut batch = gpu.batch();
    let answers = packed.answers(gpu, &mut batch, &features, rows)?;
    batch.submit()?;
    let answers = gpu.download(&answers, packed.answers_per_row() * rows)?;
    Ok(packed.finish(answers, rows))
}
