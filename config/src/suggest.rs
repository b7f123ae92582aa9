//! "Did you mean": the known word nearest to a mistyped one.

/// Below this similarity a suggestion is more confusing than none.
const NEAR_ENOUGH: f64 = 0.8;

/// Finds the word in `known` that `word` was most likely meant to be; `None` where nothing is near.
///
/// Similarity is Jaro-Winkler on the lower-case words, which favours a common beginning (`settle` for `settle_secs`).
#[must_use]
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    known
        .into_iter()
        .map(|candidate| {
            (
                strsim::jaro_winkler(&word, &candidate.to_lowercase()),
                candidate,
            )
        })
        .filter(|(similarity, _)| *similarity >= NEAR_ENOUGH)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::did_you_mean;

    const KEYS: [&str; 5] = ["settle_secs", "poll_secs", "rescan_secs", "output", "path"];

    #[test]
    fn a_slip_of_the_finger_is_understood() {
        assert_eq!(did_you_mean("setle_secs", KEYS), Some("settle_secs"));
        assert_eq!(did_you_mean("settle", KEYS), Some("settle_secs"));
        assert_eq!(did_you_mean("Ouptut", KEYS), Some("output"));
    }

    #[test]
    fn a_foreign_word_gets_no_suggestion() {
        assert_eq!(did_you_mean("kubernetes", KEYS), None);
        assert_eq!(did_you_mean("", KEYS), None);
    }
}
