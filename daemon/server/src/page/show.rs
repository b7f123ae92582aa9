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
    milliseconds(millis as f64)
}

/// A time in milliseconds with the digits that mean something.
pub(super) fn milliseconds(millis: f64) -> String {
    match millis {
        ..10.0 => "under 10 ms".to_owned(),
        ..999.5 => format!("{millis:.0} ms"),
        ..10_000.0 => format!("{:.2} s", millis / 1000.0),
        _ => span((millis / 1000.0) as u64),
    }
}

/// The values of an object: times and sizes, which their names tell, with their units; the rest as it is.
pub(super) fn with_units(value: &Value) -> Vec<(String, String)> {
    let mut rows = flatten(value);
    for (name, text) in &mut rows {
        let Ok(number) = text.parse::<f64>() else {
            continue;
        };
        let is = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
        if is(&["_ms"]) {
            *text = milliseconds(number);
        } else if is(&["_s", "_secs", "seconds"]) {
            *text = milliseconds(number * 1000.0);
        } else if is(&["bytes"]) && number >= 0.0 {
            *text = bytes(number as u64);
        }
    }
    rows
}

/// A sentence in which what stands between backticks is code.
#[derive(Clone, Debug, Default, PartialEq, Eq, Template)]
#[template(
    ext = "html",
    source = r#"{% for (is_code, part) in parts %}{% if *is_code %}<code>{{ part }}</code>{% else %}{{ part }}{% endif %}{% endfor %}"#
)]
pub(super) struct Prose {
    parts: Vec<(bool, String)>,
}

impl askama::filters::HtmlSafe for Prose {}

/// A sentence with backticks, as a page shows it.
pub(super) fn prose(text: &str) -> Prose {
    let mut parts: Vec<(bool, String)> = Vec::new();
    let mut is_code = false;
    for part in text.split('`') {
        parts.push((is_code, part.to_owned()));
        is_code = !is_code;
    }
    // One that is never closed is a backtick.
    if is_code || parts.len() < 2 {
        return Prose { parts };
    }
    if let Some((_, last)) = parts.pop()
        && let Some((_, before)) = parts.last_mut()
    {
        before.push('`');
        before.push_str(&last);
    }
    Prose { parts }
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

/// A name in the list of channels or labels of a picture's address.
pub(super) fn escape(name: &str) -> String {
    name.replace('%', "%25")
        .replace(',', "%2C")
        .replace(':', "%3A")
        .replace('+', "%2B")
}

/// As a shell takes it for one word.
pub(super) fn quoted(value: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,".contains(c);
    if !value.is_empty() && value.chars().all(is_plain) {
        value.to_owned()
    } else {
        format!("'{}'", value.replace('\'', r"'\''"))
    }
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
    fn times_have_the_digits_that_mean_something() {
        for (millis, text) in [
            (0.317_063, "under 10 ms"),
            (12.4, "12 ms"),
            (999.4, "999 ms"),
            (1234.5, "1.23 s"),
            (75_000.0, "1 min"),
        ] {
            assert_eq!(milliseconds(millis), text);
        }
        let told = with_units(
            &serde_json::json!({ "read_ms": 12, "bytes": 2048, "wait_s": 1.5, "objects": 7 }),
        );
        let told: Vec<_> = told.iter().map(|(_, value)| value.as_str()).collect();
        assert_eq!(told, ["2.0 KiB", "7", "12 ms", "1.50 s"]);
    }

    #[test]
    fn backticks_become_code_and_the_rest_stays_text() {
        let html = |text: &str| prose(text).to_string();
        assert_eq!(html("`a<b` is & bad"), "<code>a&#60;b</code> is &#38; bad");
        assert_eq!(html("plain"), "plain");
        assert_eq!(html("a ` b"), "a ` b");
        assert_eq!(html("`a` ` b"), "<code>a</code> ` b");
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
