//! Times and numbers as an estimate says them: no more digits than it knows.

use std::time::Duration;

/// A time, rounded: `under a minute`, `12 min`, `3.5 h`, `2 days`.
pub(super) fn span(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    let minutes = seconds / 60.0;
    match seconds {
        ..50.0 => "a minute".to_owned(),
        ..570.0 => format!("{:.0} min", minutes.max(1.0)),
        // Nobody knows the minute of an hour ahead.
        ..5400.0 => format!("{:.0} min", (minutes / 5.0).round() * 5.0),
        ..129_600.0 => {
            let hours = (seconds / 1800.0).round() / 2.0;
            format!("{hours} h")
        }
        _ => format!("{:.0} days", (seconds / 86_400.0).max(2.0)),
    }
}

/// A number with its noun.
pub(super) fn plural(n: u64, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// The first few of some names.
pub(super) fn list(names: &[&str]) -> String {
    const SHOWN: usize = 3;
    let shown: Vec<String> = names.iter().take(SHOWN).map(|n| format!("`{n}`")).collect();
    let rest = names.len().saturating_sub(SHOWN);
    match rest {
        0 => shown.join(", "),
        _ => format!("{} and {rest} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_as_exact_as_they_can_be() {
        let told: Vec<String> = [3, 70, 400, 1000, 4000, 6000, 50_000, 300_000]
            .map(|seconds| span(Duration::from_secs(seconds)))
            .into();
        assert_eq!(
            told,
            [
                "a minute", "1 min", "7 min", "15 min", "65 min", "1.5 h", "14 h", "3 days"
            ]
        );
    }

    #[test]
    fn only_the_first_names_are_told() {
        assert_eq!(list(&["a"]), "`a`");
        assert_eq!(list(&["a", "b", "c", "d", "e"]), "`a`, `b`, `c` and 2 more");
    }
}
