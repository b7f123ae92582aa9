//! Numbers and times as people read them.

use askama::Template;
use jiff::Timestamp;
use serde_json::Value;

/// A time: as machines read it, and how long ago that was.
#[derive(Clone, Debug, PartialEq, Eq, Template)]
#[template(
    ext = "html",
    source = r#"<time datetime="{{ iso }}" title="{{ iso }}">{{ ago }}</time>"#
)]
pub(super) struct When {
    pub iso: String,
    pub ago: String,
}

impl askama::filters::HtmlSafe for When {}

impl When {
    pub(super) fn new(at: Timestamp, now: Timestamp) -> Self {
        let seconds = now.as_second() - at.as_second();
        let ago = match seconds {
            ..0 => format!("in {}", span(seconds.unsigned_abs())),
            0..5 => "just now".to_owned(),
            _ => format!("{} ago", span(seconds.unsigned_abs())),
        };
        Self {
            iso: at.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
            ago,
        }
    }
}

/// The time between two moments.
pub(super) fn duration(from: Timestamp, to: Timestamp) -> String {
    let millis = (to.as_millisecond() - from.as_millisecond()).unsigned_abs();
    if millis < 10_000 {
        format!("{}.{:02} s", millis / 1000, millis % 1000 / 10)
    } else {
        span(millis / 1000)
    }
}

fn span(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
        86_400.. => format!("{} d", seconds / 86_400),
    }
}

/// Digits in groups of three, with thin spaces.
pub(super) fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push('\u{2009}');
        }
        text.push(digit);
    }
    text
}

/// A size in the largest unit that leaves something before the point.
pub(super) fn bytes(n: u64) -> String {
    const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut size = n as f64;
    let mut unit = 0;
    while size >= 1024.0 && unit + 1 < UNITS.len() {
        size /= 1024.0;
        unit += 1;
    }
    if unit == 0 || size >= 100.0 {
        format!("{size:.0} {}", UNITS[unit])
    } else {
        format!("{size:.1} {}", UNITS[unit])
    }
}

/// A JSON object as dotted names and values, in order.
pub(super) fn flatten(value: &Value) -> Vec<(String, String)> {
    fn visit(name: &str, value: &Value, rows: &mut Vec<(String, String)>) {
        match value {
            Value::Object(members) if !members.is_empty() => {
                for (key, member) in members {
                    let name = if name.is_empty() {
                        key.clone()
                    } else {
                        format!("{name}.{key}")
                    };
                    visit(&name, member, rows);
                }
            }
            Value::String(text) => rows.push((name.to_owned(), text.clone())),
            other => rows.push((name.to_owned(), other.to_string())),
        }
    }
    let mut rows = Vec::new();
    if !value.is_null() {
        visit("", value, &mut rows);
    }
    rows
}

/// Bytes that may not stand in a query string as they are, as `%XX`.
pub(super) fn encode(text: &str) -> String {
    crate::percent::encode(text.as_bytes())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn times_are_told_in_words() {
        let now: Timestamp = "2026-01-02T00:00:00Z".parse().unwrap();
        let ago = |text: &str| When::new(text.parse().unwrap(), now).ago;
        assert_eq!(ago("2026-01-01T23:59:58Z"), "just now");
        assert_eq!(ago("2026-01-01T23:59:18Z"), "42 s ago");
        assert_eq!(ago("2026-01-01T23:00:01Z"), "59 min ago");
        assert_eq!(ago("2026-01-01T21:55:00Z"), "2 h 05 min ago");
        assert_eq!(ago("2025-12-30T00:00:00Z"), "3 d ago");
        assert_eq!(ago("2026-01-02T00:00:30Z"), "in 30 s");
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(number(0), "0");
        assert_eq!(number(999), "999");
        assert_eq!(number(1_234_567), "1\u{2009}234\u{2009}567");
    }

    #[test]
    fn sizes_have_units() {
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(bytes(250 * 1024 * 1024 * 1024), "250 GiB");
    }

    #[test]
    fn objects_become_dotted_names() {
        let value = serde_json::json!({ "inputs": "h0", "parameters": { "sigma": 1.0, "list": [1, 2] }, "empty": {} });
        let rows = flatten(&value);
        let rows: Vec<_> = rows
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(
            rows,
            [
                ("empty", "{}"),
                ("inputs", "h0"),
                ("parameters.list", "[1,2]"),
                ("parameters.sigma", "1.0")
            ]
        );
        assert!(flatten(&Value::Null).is_empty());
    }

    #[test]
    fn queries_are_encoded() {
        assert_eq!(encode("a&b=c/ü"), "a%26b%3Dc%2F%C3%BC");
        assert_eq!(encode("failed,quarantined"), "failed,quarantined");
    }
}
