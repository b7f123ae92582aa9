//! Percent-encoding of bytes: paths are bytes, and neither a query nor JSON has another place for those that are not UTF-8.

/// Bytes as the value of a query parameter.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b',' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// The bytes of a query parameter; `None` where it is not there. What is no valid escape stands for itself.
pub(crate) fn parameter(query: &str, name: &str) -> Option<Vec<u8>> {
    let value = query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        (decode(key) == name.as_bytes()).then_some(value)
    })?;
    Some(decode(value))
}

/// A text without its escapes. Bytes that are no UTF-8 become U+FFFD.
pub(crate) fn decode_text(text: &str) -> String {
    // A plus sign was turned into a space where the query was read.
    String::from_utf8_lossy(&decode(&text.replace('+', "%2B"))).into_owned()
}

fn decode(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let digit = |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16));
        let mut ahead = bytes.clone();
        out.push(match (byte, digit(ahead.next()), digit(ahead.next())) {
            (b'%', Some(high), Some(low)) => {
                bytes = ahead;
                u8::try_from(high * 16 + low).unwrap_or_default()
            }
            (b'+', ..) => b' ',
            _ => byte,
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_survive() {
        let bytes: Vec<u8> = (0..=255).collect();
        let query = format!("a=1&path={}&b=%", encode(&bytes));
        assert_eq!(parameter(&query, "path"), Some(bytes));
        assert_eq!(parameter(&query, "b"), Some(b"%".to_vec()));
        assert_eq!(parameter(&query, "c"), None);
        assert_eq!(
            parameter("path=a+b%2Bc%zz", "path"),
            Some(b"a b+c%zz".to_vec())
        );
    }
}
