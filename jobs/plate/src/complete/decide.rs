//! The decision itself.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::CompleteRule;

/// What a vendor's manifest says, compared with what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestFacts {
    /// Planes that it announces; 0 when it does not predict any.
    pub expected: u64,
    /// Announced planes that are not there.
    pub missing: u64,
    /// Whether it marks the acquisition as ended; `None` where it has no such mark.
    pub finished: Option<bool>,
}

/// What is known of a plate when the decision is taken.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Planes that are there (a page of a multi-page file is a plane).
    pub seen: u64,
    /// The manifest, when there is one that can be read.
    pub manifest: Option<ManifestFacts>,
    /// Planes of the configured layout, when there is one.
    pub expected: Option<u64>,
    /// Files in the acquisition's folder that are no images, relative to it: the candidates for a sentinel.
    #[serde(with = "crate::portable::list")]
    pub other_files: Vec<PathBuf>,
    /// Seconds since the last file arrived.
    pub quiet_seconds: u64,
    /// A person said that the plate is complete.
    pub by_hand: bool,
}

/// Why a plate is complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The rule that held.
    pub rule: CompleteRule,
    /// The reason, in words.
    pub why: String,
}

/// The first of `rules` that holds, or `None` while the plate is still arriving.
///
/// A person's word counts whatever the rules are. A plate without any image is never complete by itself. The rules are
/// alternatives: `["manifest", "quiet:900"]` takes a plate as complete 15 minutes after the last file even if the
/// manifest announces more, because files that were announced do fail to come; the reason then says what is missing.
#[must_use]
pub fn decide(rules: &[CompleteRule], facts: &Facts) -> Option<Decision> {
    if facts.by_hand {
        return Some(Decision {
            rule: CompleteRule::Manual,
            why: "marked as complete by hand".into(),
        });
    }
    if facts.seen == 0 {
        return None;
    }
    rules.iter().find_map(|rule| {
        let why = holds(rule, facts)?;
        Some(Decision {
            rule: rule.clone(),
            why,
        })
    })
}

fn holds(rule: &CompleteRule, facts: &Facts) -> Option<String> {
    match rule {
        CompleteRule::Manual => None,
        CompleteRule::Manifest => {
            let manifest = facts.manifest?;
            // A list that grows with the plate is complete at every moment; only its end mark counts.
            let ended = manifest.finished != Some(false);
            (manifest.expected > 0 && manifest.missing == 0 && ended)
                .then(|| format!("all {} planes of the manifest are there", manifest.expected))
        }
        CompleteRule::Expected => {
            let expected = facts.expected.filter(|n| *n > 0)?;
            (facts.seen >= expected)
                .then(|| format!("{} of {expected} expected planes are there", facts.seen))
        }
        CompleteRule::Sentinel(glob) => {
            let file = facts.other_files.iter().find(|file| glob.matches(file))?;
            Some(format!("the file {} is there", file.display()))
        }
        CompleteRule::Quiet { seconds } => (facts.quiet_seconds >= *seconds).then(|| {
            let missing = match (facts.manifest, facts.expected) {
                (Some(m), _) if m.missing > 0 => format!(
                    "; {} of {} planes of the manifest are missing",
                    m.missing, m.expected
                ),
                (_, Some(expected)) if expected > facts.seen => {
                    format!(
                        "; {} of {expected} expected planes are missing",
                        expected - facts.seen
                    )
                }
                _ => String::new(),
            };
            format!(
                "nothing arrived for {} seconds{missing}",
                facts.quiet_seconds
            )
        }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn rules(text: &[&str]) -> Vec<CompleteRule> {
        text.iter().map(|rule| rule.parse().unwrap()).collect()
    }

    fn manifest(expected: u64, missing: u64, finished: Option<bool>) -> Option<ManifestFacts> {
        Some(ManifestFacts {
            expected,
            missing,
            finished,
        })
    }

    #[test]
    fn a_manifest_needs_all_its_planes_and_its_end() {
        let rules = rules(&["manifest"]);
        for (facts, complete) in [
            (None, false),
            (manifest(0, 0, None), false),
            (manifest(4, 1, None), false),
            (manifest(4, 0, Some(false)), false),
            (manifest(4, 0, None), true),
            (manifest(4, 0, Some(true)), true),
        ] {
            let facts = Facts {
                seen: 4,
                manifest: facts,
                ..Facts::default()
            };
            assert_eq!(decide(&rules, &facts).is_some(), complete, "{facts:?}");
        }
    }

    #[test]
    fn the_first_rule_that_holds_decides() {
        let rules = rules(&["manifest", "expected", "sentinel:FINISHED", "quiet:900"]);
        let mut facts = Facts {
            seen: 3,
            manifest: manifest(4, 1, None),
            expected: Some(4),
            quiet_seconds: 899,
            ..Facts::default()
        };
        assert_eq!(decide(&rules, &facts), None);
        facts.quiet_seconds = 900;
        let decision = decide(&rules, &facts).unwrap();
        assert_eq!(decision.rule.to_string(), "quiet:900");
        assert_eq!(
            decision.why,
            "nothing arrived for 900 seconds; 1 of 4 planes of the manifest are missing"
        );
        facts.other_files = vec!["x.xml".into(), "FINISHED".into()];
        assert_eq!(
            decide(&rules, &facts).unwrap().rule.to_string(),
            "sentinel:FINISHED"
        );
        facts.seen = 4;
        assert_eq!(
            decide(&rules, &facts).unwrap().why,
            "4 of 4 expected planes are there"
        );
        facts.manifest = manifest(4, 0, None);
        assert_eq!(decide(&rules, &facts).unwrap().rule, CompleteRule::Manifest);
    }

    #[test]
    fn nothing_is_complete_without_images_or_rules_but_a_person_decides() {
        let mut facts = Facts {
            seen: 0,
            quiet_seconds: 10_000,
            expected: Some(0),
            ..Facts::default()
        };
        assert_eq!(decide(&rules(&["quiet:1", "expected"]), &facts), None);
        facts.seen = 1;
        assert_eq!(decide(&[], &facts), None);
        assert_eq!(decide(&rules(&["manual"]), &facts), None);
        facts.by_hand = true;
        assert_eq!(decide(&[], &facts).unwrap().rule, CompleteRule::Manual);
        let json = serde_json::to_string(&facts).unwrap();
        assert_eq!(serde_json::from_str::<Facts>(&json).unwrap(), facts);
    }
}
