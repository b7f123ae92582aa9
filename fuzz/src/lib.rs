//! Fuzz targets: one function for each kind of bytes that come from outside.
//!
//! A target takes any bytes. It panics when the code under test panics or does what it must not do; [`run`] adds that no input may
//! take much memory or time. The same targets run in two ways:
//!
//! - `cargo test -p fuzz`: every file of `corpus/`, and a fixed number of changed copies of each;
//! - `make fuzz`: guided by coverage, for as long as one likes (see CONTRIBUTING.md).

mod allocator;
mod mutate;
mod targets;

use std::path::PathBuf;
use std::time::{Duration, Instant};

pub use mutate::Mutator;
pub use targets::TARGETS;

/// Longest time for one input. Generous: the build may be without optimisation, and the machine busy.
const LONGEST: Duration = Duration::from_secs(15);

/// One kind of foreign bytes.
pub struct Target {
    /// Its name, which is also its folder in the corpus.
    pub name: &'static str,
    /// Takes an input.
    pub run: fn(&[u8]),
    /// Most bytes that may be allocated at a time while it runs.
    pub memory: usize,
    /// Changed copies of each file of the corpus that the ordinary tests try.
    pub mutations: usize,
    /// Whether the code under test is partly in C: then it runs in a process of its own, as the product's workers do.
    pub apart: bool,
}

/// The target with this name.
#[must_use]
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

/// Runs a target on one input.
///
/// # Panics
/// The input does what it must not: that is the finding.
pub fn run(target: &Target, input: &[u8]) {
    let begin = Instant::now();
    allocator::watch();
    (target.run)(input);
    let peak = allocator::peak();
    assert!(
        peak <= target.memory,
        "{}: an input of {} bytes took {peak} bytes of memory",
        target.name,
        input.len()
    );
    let took = begin.elapsed();
    assert!(
        took <= LONGEST,
        "{}: an input of {} bytes took {took:?}",
        target.name,
        input.len()
    );
}

/// The folder of the corpus.
#[must_use]
pub fn corpus() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus")
}
