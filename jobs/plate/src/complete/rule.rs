//! The rules as people write them.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use globset::{GlobBuilder, GlobMatcher};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Error, Result};

/// One way to know that a plate is complete.
///
/// Written `manifest`, `expected`, `sentinel:GLOB`, `quiet:SECONDS` or `manual`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CompleteRule {
    /// All planes of the vendor's manifest are there, and it does not say that it goes on.
    Manifest,
    /// As many planes are there as the configured [`super::Layout`] has.
    Expected,
    /// A file that matches the glob is in the acquisition's folder.
    Sentinel(SentinelGlob),
    /// Nothing arrived for so long.
    Quiet {
        /// Seconds since the last file, at least 1.
        seconds: u64,
    },
    /// Only a person says so.
    Manual,
}

/// The glob of a sentinel file, matched against the path relative to the acquisition's folder: `FINISHED`, `*.done`,
/// `log/end-*.txt`. A `*` does not cross folders, case matters.
#[derive(Clone)]
pub struct SentinelGlob {
    text: String,
    matcher: GlobMatcher,
}

impl SentinelGlob {
    /// The glob as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Compiles a glob.
    ///
    /// # Errors
    /// [`Error::BadRule`] when it is empty or no glob.
    pub fn new(text: &str) -> Result<Self> {
        let bad = |why: String| Error::BadRule {
            text: format!("sentinel:{text}"),
            why,
        };
        if text.is_empty() {
            return Err(bad("the name of the sentinel file is missing".into()));
        }
        let glob = GlobBuilder::new(text)
            .literal_separator(true)
            .build()
            .map_err(|error| bad(error.kind().to_string()))?;
        Ok(Self {
            text: text.to_owned(),
            matcher: glob.compile_matcher(),
        })
    }

    /// Whether a file is the sentinel; the path is relative to the acquisition's folder.
    #[must_use]
    pub fn matches(&self, relative: &Path) -> bool {
        self.matcher.is_match(relative)
    }
}

impl PartialEq for SentinelGlob {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for SentinelGlob {}

impl fmt::Debug for SentinelGlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl FromStr for CompleteRule {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let bad = |why: String| Error::BadRule {
            text: text.to_owned(),
            why,
        };
        let (word, argument) = text
            .split_once(':')
            .map_or((text, None), |(word, argument)| (word, Some(argument)));
        match (word, argument) {
            ("manifest", None) => Ok(Self::Manifest),
            ("expected", None) => Ok(Self::Expected),
            ("manual", None) => Ok(Self::Manual),
            ("sentinel", Some(glob)) => SentinelGlob::new(glob).map(Self::Sentinel),
            ("quiet", Some(seconds)) => match seconds.parse() {
                Ok(0) | Err(_) => Err(bad(
                    "after `quiet:` a number of seconds, at least 1, is needed".into(),
                )),
                Ok(seconds) => Ok(Self::Quiet { seconds }),
            },
            ("sentinel", None) => Err(bad("the name of the file is missing: sentinel:GLOB".into())),
            ("quiet", None) => Err(bad("the number of seconds is missing: quiet:SECONDS".into())),
            ("manifest" | "expected" | "manual", Some(_)) => {
                Err(bad(format!("`{word}` takes nothing after it")))
            }
            _ => {
                let words = ["manifest", "expected", "sentinel", "quiet", "manual"];
                let near = words
                    .into_iter()
                    .find(|w| strsim::damerau_levenshtein(w, word) <= 2);
                Err(bad(near.map_or("the word is not known".into(), |near| {
                    format!("did you mean `{near}`?")
                })))
            }
        }
    }
}

impl fmt::Display for CompleteRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Manifest => f.write_str("manifest"),
            Self::Expected => f.write_str("expected"),
            Self::Sentinel(glob) => write!(f, "sentinel:{}", glob.text),
            Self::Quiet { seconds } => write!(f, "quiet:{seconds}"),
            Self::Manual => f.write_str("manual"),
        }
    }
}

impl Serialize for CompleteRule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CompleteRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn rules_round_trip() {
        for text in [
            "manifest",
            "expected",
            "manual",
            "quiet:900",
            "sentinel:FINISHED",
            "sentinel:log/end:*.txt",
        ] {
            let rule: CompleteRule = text.parse().unwrap();
            assert_eq!(rule.to_string(), text);
            assert_eq!(
                serde_json::from_str::<CompleteRule>(&serde_json::to_string(&rule).unwrap())
                    .unwrap(),
                rule
            );
        }
    }

    #[test]
    fn errors_say_what_to_write() {
        for (text, part) in [
            ("quiet", "quiet:SECONDS"),
            ("quiet:", "at least 1"),
            ("quiet:0", "at least 1"),
            ("quiet:15m", "at least 1"),
            ("sentinel", "sentinel:GLOB"),
            ("sentinel:", "missing"),
            ("sentinel:[a", "unclosed"),
            ("manifset", "did you mean `manifest`?"),
            ("manual:x", "takes nothing"),
            ("", "not known"),
        ] {
            let error = text.parse::<CompleteRule>().unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn sentinels_match_within_the_acquisition() {
        let glob = SentinelGlob::new("*.done").unwrap();
        assert!(glob.matches(Path::new("plate.done")));
        assert!(!glob.matches(Path::new("a/plate.done")));
        assert!(
            SentinelGlob::new("**/FINISHED")
                .unwrap()
                .matches(Path::new("a/FINISHED"))
        );
    }
}
