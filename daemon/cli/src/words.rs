//! Numbers, times and texts of others as words.

use jiff::Timestamp;

/// A text that does nothing to a terminal: file names and messages come from anywhere. Control characters, line ends
/// included, become visible ones or blanks.
pub(crate) fn harmless(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' | '\n' | '\r' => ' ',
            // The marks that reorder text can make one name look like another.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// The first part of a text that is too long.
pub(crate) fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(3)).collect();
    format!("{}...", kept.trim_end())
}

/// A number of things.
pub(crate) fn number(count: u64, one: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {one}{plural}")
}

/// Bytes in binary units.
pub(crate) fn bytes(bytes: u64) -> String {
    let mut value = bytes as f64;
    for unit in ["B", "KiB", "MiB", "GiB", "TiB"] {
        if value < 1024.0 {
            let digits = usize::from(value < 10.0 && unit != "B");
            return format!("{value:.digits$} {unit}");
        }
        value /= 1024.0;
    }
    format!("{value:.1} PiB")
}

/// Seconds in the two largest units.
pub(crate) fn span(seconds: i64) -> String {
    let seconds = seconds.max(0);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86400 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {} h", seconds / 86400, seconds % 86400 / 3600),
    }
}

/// How long ago something was.
pub(crate) fn ago(at: Timestamp, now: Timestamp) -> String {
    format!("{} ago", span(now.duration_since(at).as_secs()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn texts_of_others_do_nothing_to_a_terminal() {
        assert_eq!(
            harmless("a\u{1b}[31mb\tc\r\nd\u{202e}"),
            "a\u{fffd}[31mb c  d\u{fffd}"
        );
        assert_eq!(harmless("Zellkern_Ä 1/2 µm"), "Zellkern_Ä 1/2 µm");
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(short("äöüß", 4), "äöüß");
        assert_eq!(short("äöü ßxy", 6), "äöü...");
    }

    #[test]
    fn numbers_have_units() {
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(bytes(64 << 30), "64 GiB");
        assert_eq!(bytes(3 << 50), "3.0 PiB");
        assert_eq!(span(-4), "0 s");
        assert_eq!(span(61), "1 min 1 s");
        assert_eq!(span(7260), "2 h 1 min");
        assert_eq!(span(90_000), "1 d 1 h");
        assert_eq!(
            (number(1, "task"), number(2, "task")),
            ("1 task".into(), "2 tasks".into())
        );
        let at = "2026-01-01T00:00:00Z".parse().unwrap();
        let now = "2026-01-01T00:00:05Z".parse().unwrap();
        assert_eq!(ago(at, now), "5 s ago");
    }
}
