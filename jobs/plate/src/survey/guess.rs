//! Which preset fits a folder best.

use std::path::Path;

use serde::Serialize;

use super::walk;
use crate::{NamingScheme, Result, Verdict, presets};

/// Enough names to tell instruments apart; a folder of a million images should not keep a person waiting.
const FILES: usize = 20_000;

/// How well a preset reads a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Guess {
    /// The preset.
    pub preset: &'static str,
    /// Images that it reads.
    pub matched: usize,
    /// Images in the folder, without those that the preset ignores by a rule.
    pub total: usize,
}

/// How well each preset reads the first 20,000 files under `dir`, best first.
///
/// Of two that read the same number the one that fewer other instruments' names fit comes first. Presets that read
/// nothing are listed too, at the end.
///
/// # Errors
/// As [`super::survey`].
pub fn guess(dir: &Path) -> Result<Vec<Guess>> {
    let files = walk::files(dir, FILES)?.files;
    let mut guesses = Vec::new();
    for preset in presets() {
        let scheme = NamingScheme::preset(preset.name)?;
        let mut guess = Guess {
            preset: preset.name,
            matched: 0,
            total: 0,
        };
        for file in &files {
            match scheme.parse(file) {
                Verdict::Image(_) => {
                    guess.matched += 1;
                    guess.total += 1;
                }
                Verdict::Unmatched(_) => guess.total += 1,
                Verdict::Ignored(_) => {}
            }
        }
        guesses.push(guess);
    }
    // The sort is stable: equal ones keep the order of the presets.
    guesses.sort_by_key(|guess| std::cmp::Reverse(guess.matched));
    Ok(guesses)
}
