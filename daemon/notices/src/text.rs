//! Foreign texts, cut and made harmless.

/// The text on one line, without control characters, at most `most` characters long.
pub(crate) fn line(text: &str, most: usize) -> String {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    clip(&words.join(" "), most)
}

/// The text, at most `most` characters long; what is cut off is shown by an ellipsis.
pub(crate) fn clip(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(most.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

/// The text without any of the secrets.
pub(crate) fn without(text: &str, secrets: &[&str]) -> String {
    // Shorter ones would be found everywhere.
    const SHORTEST: usize = 4;
    secrets
        .iter()
        .filter(|secret| secret.len() >= SHORTEST)
        .fold(text.to_owned(), |text, secret| {
            text.replace(secret, "(hidden)")
        })
}

/// A time span as people say it: `1 h 07 min`, `3 min`, `12 s`.
pub(crate) fn span(seconds: i64) -> String {
    match seconds.max(0) {
        s @ 0..60 => format!("{s} s"),
        s @ 60..3600 => format!("{} min", s / 60),
        s @ 3600..172_800 => format!("{} h {:02} min", s / 3600, s % 3600 / 60),
        s => format!("{} days {} h", s / 86_400, s % 86_400 / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_by_characters_and_stay_on_one_line() {
        assert_eq!(line("a\r\nb\u{1b}[31m  c\0", 100), "a b [31m c");
        assert_eq!(clip("äöü", 3), "äöü");
        assert_eq!(clip("äöüß", 3), "äö…");
    }

    #[test]
    fn secrets_are_taken_out() {
        let said = without("no /services/T1/B2 at T1", &["/services/T1/B2", "T1"]);
        assert_eq!(said, "no (hidden) at T1");
    }

    #[test]
    fn spans() {
        let said: Vec<_> = [-5, 59, 60, 3599, 4020, 200_000].map(span).into();
        assert_eq!(
            said,
            ["0 s", "59 s", "1 min", "59 min", "1 h 07 min", "2 days 7 h"]
        );
    }
}
