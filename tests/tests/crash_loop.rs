//! Nothing lost, nothing twice: SIGKILL of anything at any moment, and at every named point of publishing and committing.
//!
//! `WELLSPRING_SOAK_KILLS` and `WELLSPRING_SOAK_SEED` make it longer and different; `make soak` sets both.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::io::Write;

use black_box::crash::{Hunt, Options};

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

#[test]
fn whatever_is_killed_every_image_is_processed_exactly_once() {
    let options = Options {
        kills: number("WELLSPRING_SOAK_KILLS").unwrap_or(200) as usize,
        seed: number("WELLSPRING_SOAK_SEED").unwrap_or(1),
    };
    println!("seed {}", options.seed);
    let folder = tempfile::tempdir().unwrap();
    let summary = Hunt::start(folder.path(), options.seed).run(options);
    // Past the test runner, which shows only what failing tests print.
    writeln!(std::io::stderr(), "{summary}").unwrap();
    assert!(summary.kills >= options.kills);
}
