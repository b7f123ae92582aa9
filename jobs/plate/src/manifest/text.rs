//! Reading foreign text and XML within bounds.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use roxmltree::{Document, Node, ParsingOptions};

use super::bad;
use crate::{Error, Result};

/// The largest manifest that is read.
const LIMIT: u64 = 256 << 20;
/// Each nested namespace declaration copies the ones around it: real files have a handful.
const NAMESPACE_LIMIT: usize = 1000;

/// The names in a folder, sorted.
pub(super) fn list(dir: &Path) -> Result<Vec<OsString>> {
    let io = |source| Error::Io {
        doing: "list",
        path: dir.to_path_buf(),
        source,
    };
    let mut names = fs::read_dir(dir)
        .map_err(io)?
        .map(|entry| entry.map(|e| e.file_name()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(io)?;
    names.sort();
    Ok(names)
}

/// The whole file as text: UTF-8, UTF-16 with a byte order mark, or else Latin-1, without the mark.
pub(super) fn read(path: &Path) -> Result<String> {
    let io = |source| Error::Io {
        doing: "read",
        path: path.to_path_buf(),
        source,
    };
    let file = File::open(path).map_err(io)?;
    let mut bytes = Vec::new();
    // The size is asked of the bytes that come, not of the metadata: the file may grow while it is read.
    file.take(LIMIT + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > LIMIT {
        return Err(Error::TooLarge {
            path: path.to_path_buf(),
            bytes: fs::metadata(path).map_or(bytes.len() as u64, |m| m.len()),
            limit: LIMIT,
        });
    }
    Ok(decode(bytes))
}

fn decode(bytes: Vec<u8>) -> String {
    let utf16 = |bytes: &[u8], word: fn([u8; 2]) -> u16| {
        let words: Vec<u16> = bytes
            .chunks_exact(2)
            .map(|pair| word([pair[0], pair[1]]))
            .collect();
        String::from_utf16_lossy(&words)
    };
    match bytes[..] {
        [0xff, 0xfe, ref rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, ref rest @ ..] => utf16(rest, u16::from_be_bytes),
        _ => match String::from_utf8(bytes) {
            Ok(mut text) => {
                if text.starts_with('\u{feff}') {
                    text.drain(..'\u{feff}'.len_utf8());
                }
                text
            }
            // ScanR writes Latin-1 without saying so.
            Err(error) => error.into_bytes().into_iter().map(char::from).collect(),
        },
    }
}

/// Parses XML without DTD and entities of its own.
pub(super) fn xml<'t>(path: &Path, text: &'t str) -> Result<Document<'t>> {
    if text.match_indices("xmlns").nth(NAMESPACE_LIMIT).is_some() {
        return Err(bad(
            path,
            format!("it has more than {NAMESPACE_LIMIT} namespace declarations"),
        ));
    }
    let options = ParsingOptions {
        allow_dtd: false,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(text.trim_start(), options)
        .map_err(|error| bad(path, error.to_string()))
}

/// The attribute with this local name, in whatever namespace.
pub(super) fn attribute<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    node.attributes()
        .find(|a| a.name() == name)
        .map(|a| a.value().trim())
        .filter(|value| !value.is_empty())
}

/// The attribute as a number.
pub(super) fn number<T: std::str::FromStr>(node: Node<'_, '_>, name: &str) -> Option<T> {
    attribute(node, name)?.parse().ok()
}

/// The text of the child element with this local name.
pub(super) fn child<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    let child = node.children().find(|c| c.has_tag_name_local(name))?;
    child.text().map(str::trim).filter(|text| !text.is_empty())
}

/// The text of the child element as a number.
pub(super) fn child_number<T: std::str::FromStr>(node: Node<'_, '_>, name: &str) -> Option<T> {
    child(node, name)?.parse().ok()
}

/// Elements by local name: vendors change the namespace with each version.
pub(super) trait LocalName {
    /// Whether this is an element with this local name.
    fn has_tag_name_local(&self, name: &str) -> bool;
}

impl LocalName for Node<'_, '_> {
    fn has_tag_name_local(&self, name: &str) -> bool {
        self.is_element() && self.tag_name().name() == name
    }
}

/// All elements below `node` with this local name, in document order.
pub(super) fn elements<'a, 'i: 'a>(
    node: Node<'a, 'i>,
    name: &'a str,
) -> impl Iterator<Item = Node<'a, 'i>> {
    node.descendants()
        .filter(move |n| n.has_tag_name_local(name))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn encodings() {
        assert_eq!(decode(b"\xef\xbb\xbfa\xc3\xa4".to_vec()), "aä");
        assert_eq!(decode(b"a\xe4".to_vec()), "aä");
        assert_eq!(decode(b"\xff\xfea\x00\xe4\x00".to_vec()), "aä");
        assert_eq!(decode(b"\xfe\xff\x00a\x00\xe4".to_vec()), "aä");
        assert_eq!(decode(Vec::new()), "");
    }

    #[test]
    fn hostile_xml_is_refused_and_deep_xml_is_survived() {
        let path = Path::new("x.xml");
        let bomb = "<!DOCTYPE a [<!ENTITY b \"bbbb\">]><a>&b;</a>";
        assert!(xml(path, bomb).unwrap_err().to_string().contains("DTD"));
        let external = "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>";
        assert!(xml(path, external).is_err());
        let many: String = (0..2000)
            .map(|i| format!("<a xmlns:n{i}=\"u{i}\">"))
            .collect();
        assert!(
            xml(path, &many)
                .unwrap_err()
                .to_string()
                .contains("namespace")
        );
        let deep = "<a>".repeat(300_000) + &"</a>".repeat(300_000);
        if let Ok(document) = xml(path, &deep) {
            assert_eq!(elements(document.root(), "a").count(), 300_000);
        }
        for text in ["", "<a>", "<a></b>", "no xml", "\0"] {
            assert!(xml(path, text).is_err(), "{text}");
        }
    }
}
