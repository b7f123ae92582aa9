//! Reading foreign text and XML within bounds.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use roxmltree::{Document, Node};

use super::bad;
use crate::foreign::{self, XmlLimits};
use crate::{Error, Result};

/// The largest XML manifest that is read: Harmony's index of a plate with 130 000 images has 250 MB.
pub(super) const XML_LIMIT: u64 = 256 << 20;

/// The largest `.HTD` that is read: real ones have some kilobytes.
pub(super) const HTD_LIMIT: u64 = 4 << 20;

/// Harmony's index has about 50 elements and texts an image; the tree then takes less than 1 GiB of memory.
const XML: XmlLimits = XmlLimits {
    bytes: 256 << 20,
    nodes: 12 << 20,
};

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
pub(super) fn read(path: &Path, limit: u64) -> Result<String> {
    let bytes = foreign::read_limited(path, limit).map_err(|refused| match refused {
        Ok(bytes) => Error::TooLarge {
            path: path.to_path_buf(),
            bytes,
            limit,
        },
        Err(source) => Error::Io {
            doing: "read",
            path: path.to_path_buf(),
            source,
        },
    })?;
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

/// Parses XML within bounds.
pub(super) fn xml<'t>(path: &Path, text: &'t str) -> Result<Document<'t>> {
    foreign::parse_xml(text, &XML).map_err(|why| bad(path, why))
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
}
