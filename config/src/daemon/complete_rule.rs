//! Whether a rule of `plate_complete` can be understood. What it means is the crate `plate`'s business; here only its form
//! is known, so that a mistake is shown with the line in which it stands.

use crate::suggest::did_you_mean;

const NAMES: [&str; 5] = ["manifest", "expected", "sentinel", "quiet", "manual"];

/// Says what is wrong with a rule.
pub(super) fn check(text: &str) -> Result<(), String> {
    let (name, argument) = text
        .split_once(':')
        .map_or((text, None), |(name, argument)| (name, Some(argument)));
    match (name, argument) {
        ("manifest" | "expected" | "manual", None) => Ok(()),
        ("manifest" | "expected" | "manual", Some(_)) => {
            Err(format!("`{name}` takes nothing after it; write `{name}`"))
        }
        ("sentinel", Some(glob)) if !glob.trim().is_empty() => Ok(()),
        ("sentinel", _) => {
            Err("`sentinel` needs the name of a file, for example `sentinel:FINISHED*`".to_owned())
        }
        ("quiet", Some(seconds)) if seconds.parse::<u64>().is_ok_and(|s| s > 0) => Ok(()),
        ("quiet", Some(seconds)) => Err(format!(
            "`{seconds}` is not a number of seconds; write for example `quiet:900`"
        )),
        ("quiet", None) => {
            Err("`quiet` needs a number of seconds, for example `quiet:900`".to_owned())
        }
        _ => Err(match did_you_mean(name, NAMES) {
            Some(near) => format!("`{name}` is not a rule; did you mean `{near}`?"),
            None => format!(
                "`{name}` is not a rule; use manifest, expected, sentinel:<glob>, quiet:<seconds> or manual"
            ),
        }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::check;

    #[test]
    fn all_rules_are_known() {
        for text in [
            "manifest",
            "expected",
            "manual",
            "sentinel:FINISHED*",
            "sentinel:a:b",
            "quiet:900",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn a_wrong_rule_says_what_is_right() {
        for (text, said) in [
            ("manifst", "did you mean `manifest`?"),
            ("quiet", "needs a number"),
            ("quiet:5m", "not a number of seconds"),
            ("quiet:0", "not a number of seconds"),
            ("sentinel:", "needs the name"),
            ("manifest:x", "takes nothing"),
            ("whenever", "is not a rule; use"),
        ] {
            let error = check(text).unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
