//! Every target on every file of the corpus, and on changed copies of them.
//!
//! The changed copies are the same in every run. A finding is kept in a file, whose name the failure tells.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use fuzz::{Mutator, Target};

/// The counting allocator counts for all threads.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Files given to one process of a target that runs apart.
const BATCH: usize = 100;

fn seeds(target: &Target) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = fuzz::corpus().join(target.name);
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "{} has no corpus", target.name);
    paths
        .into_iter()
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect()
}

/// The corpus and its changed copies.
fn inputs(target: &Target) -> Vec<Vec<u8>> {
    let seeds = seeds(target);
    let copies = seeds.iter().enumerate().flat_map(|(number, (_, seed))| {
        let mut mutator = Mutator::new(number as u64);
        let other = &seeds[(number + 1) % seeds.len()].1;
        (0..target.mutations)
            .map(move |_| mutator.change(seed, other))
            .collect::<Vec<_>>()
    });
    let copies: Vec<Vec<u8>> = copies.collect();
    seeds
        .into_iter()
        .map(|(_, seed)| seed)
        .chain(copies)
        .collect()
}

/// Keeps an input that is a finding.
fn keep(target: &Target, input: &[u8]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("findings");
    std::fs::create_dir_all(&folder).unwrap();
    let sum = input.iter().fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let path = folder.join(format!("{}-{sum:016x}", target.name));
    std::fs::write(&path, input).unwrap();
    path
}

fn try_all(name: &str) {
    let target = fuzz::target(name).unwrap();
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let inputs = inputs(target);
    let begin = std::time::Instant::now();
    if target.apart {
        try_apart(target, &inputs);
    } else {
        for input in &inputs {
            if catch_unwind(AssertUnwindSafe(|| fuzz::run(target, input))).is_err() {
                panic!("{name} fails on {}", keep(target, input).display());
            }
        }
    }
    println!("{name}: {} inputs in {:?}", inputs.len(), begin.elapsed());
}

/// Runs inputs in processes of their own. That C code crashes or hangs on some is what the workers are processes for; that it
/// does on many, that Rust code panics, or that one takes long and then ends, is a finding.
fn try_apart(target: &Target, inputs: &[Vec<u8>]) {
    let folder = tempfile::tempdir().unwrap();
    let files: Vec<PathBuf> = (0..inputs.len())
        .map(|i| folder.path().join(i.to_string()))
        .collect();
    for (file, input) in files.iter().zip(inputs) {
        std::fs::write(file, input).unwrap();
    }
    let mut crashes = 0;
    let mut rest = files.as_slice();
    while !rest.is_empty() {
        let batch = &rest[..rest.len().min(BATCH)];
        let output = Command::new(env!("CARGO_BIN_EXE_fuzz-input"))
            .arg(target.name)
            .args(batch)
            .output()
            .unwrap();
        if output.status.success() {
            rest = &rest[batch.len()..];
            continue;
        }
        let begun = String::from_utf8_lossy(&output.stdout).lines().count();
        let culprit = &batch[begun.max(1) - 1];
        let said = String::from_utf8_lossy(&output.stderr);
        let kept = keep(target, &std::fs::read(culprit).unwrap());
        // 101: a panic of Rust code. A signal: C code.
        assert!(
            output.status.code().is_none(),
            "{} fails on {}: {said}",
            target.name,
            kept.display()
        );
        crashes += 1;
        println!("{}: {} on {}", target.name, output.status, kept.display());
        rest = &rest[begun..];
    }
    assert!(
        // The HDF5 library's own assertions, compiled in here, end about 1 in 100 on damaged old superblocks.
        crashes * 50 <= inputs.len(),
        "{}: {crashes} of {} inputs end the process",
        target.name,
        inputs.len()
    );
}

macro_rules! targets {
    ($($name:ident)*) => {
        $(#[test] fn $name() { try_all(stringify!($name)); })*
        const TESTED: &[&str] = &[$(stringify!($name)),*];
    };
}
targets! {
    tiff png ome container n5 project array naming mapping config workflow imagexpress yokogawa operetta incell scanr
    to_worker from_worker http http_token
}

#[test]
fn every_target_is_tested_and_the_corpus_is_small() {
    let tested: BTreeSet<&str> = TESTED.iter().copied().collect();
    let known: BTreeSet<&str> = fuzz::TARGETS.iter().map(|target| target.name).collect();
    assert_eq!(tested, known);
    let folders: BTreeSet<String> = std::fs::read_dir(fuzz::corpus())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(
        folders.iter().all(|folder| known.contains(folder.as_str())),
        "{folders:?}"
    );
    let bytes: usize = fuzz::TARGETS
        .iter()
        .flat_map(|target| seeds(target).into_iter().map(|(_, seed)| seed.len()))
        .sum();
    assert!(bytes < 300_000, "the corpus has {bytes} bytes");
}
