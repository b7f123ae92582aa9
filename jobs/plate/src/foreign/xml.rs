//! XML of strangers: what would make the parser slow or large is refused before it is parsed.

use roxmltree::{Document, ParsingOptions};

/// Attributes of one element. The parser compares each with all before it, so a hundred thousand would take a minute; real
/// elements (Yokogawa's channels have the most) have about thirty.
const ATTRIBUTES_OF_ELEMENT: usize = 256;

/// Namespace declarations. Each nested one copies those around it; real files have a handful.
const NAMESPACES: usize = 1000;

/// Elements inside each other. The parser itself does not mind, but real files have about ten.
const DEPTH: usize = 64;

/// How large a document may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct XmlLimits {
    /// Bytes of text.
    pub bytes: usize,
    /// Elements, texts and attributes together. Each takes about 80 bytes of memory.
    pub nodes: usize,
}

/// Parses XML without a DTD, so without entities of its own.
///
/// Time and memory are proportional to the text and bounded by `limits`.
///
/// # Errors
/// Why it cannot be parsed, as a part of a sentence.
pub fn parse_xml<'t>(text: &'t str, limits: &XmlLimits) -> Result<Document<'t>, String> {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if text.len() > limits.bytes {
        return Err(format!(
            "its XML has {} bytes, more than the {} that are read",
            text.len(),
            limits.bytes
        ));
    }
    survey(text, limits)?;
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: u32::try_from(limits.nodes).unwrap_or(u32::MAX),
        ..ParsingOptions::default()
    };
    Document::parse_with_options(text, options).map_err(|error| error.to_string())
}

/// Counts what is going to be parsed. What is no XML at all may be counted wrongly: the parser refuses it then.
fn survey(text: &str, limits: &XmlLimits) -> Result<(), String> {
    if text.match_indices("xmlns").nth(NAMESPACES).is_some() {
        return Err(format!(
            "it has more than {NAMESPACES} namespace declarations"
        ));
    }
    let (mut rest, mut depth, mut nodes) = (text, 0_usize, 0_usize);
    while let Some(at) = rest.find('<') {
        // The text before the tag is a node too.
        nodes += 1 + usize::from(at > 0);
        rest = &rest[at..];
        let end = |mark: &str| rest.find(mark).map(|at| at + mark.len());
        let skip = if rest.starts_with("<!--") {
            end("-->")
        } else if rest.starts_with("<![CDATA[") {
            end("]]>")
        } else if rest.starts_with("<?") {
            end("?>")
        } else if rest.starts_with("</") {
            depth = depth.saturating_sub(1);
            end(">")
        } else {
            let tag = tag(rest);
            if tag.attributes > ATTRIBUTES_OF_ELEMENT {
                return Err(format!(
                    "an element has more than {ATTRIBUTES_OF_ELEMENT} attributes"
                ));
            }
            nodes += tag.attributes;
            if !tag.empty {
                depth += 1;
            }
            if depth > DEPTH {
                return Err(format!("its elements are nested more than {DEPTH} deep"));
            }
            tag.length
        };
        if nodes > limits.nodes {
            return Err(format!(
                "it has more than {} elements, texts and attributes",
                limits.nodes
            ));
        }
        let Some(skip) = skip else {
            return Ok(());
        };
        rest = &rest[skip..];
    }
    Ok(())
}

struct Tag {
    attributes: usize,
    empty: bool,
    /// With both angles; none where the tag does not end.
    length: Option<usize>,
}

/// Reads an opening tag; an angle inside a quoted value does not end it.
fn tag(text: &str) -> Tag {
    let (mut attributes, mut quote, mut before) = (0, None, 0);
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match (quote, byte) {
            (Some(open), _) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'=') => attributes += 1,
            (None, b'>') => {
                return Tag {
                    attributes,
                    empty: before == b'/',
                    length: Some(at + 1),
                };
            }
            (None, _) => {}
        }
        before = byte;
    }
    Tag {
        attributes,
        empty: false,
        length: None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::{Duration, Instant};

    use super::*;

    const LIMITS: XmlLimits = XmlLimits {
        bytes: 32 << 20,
        nodes: 1 << 20,
    };

    fn refusal(text: &str) -> String {
        let begin = Instant::now();
        let error = parse_xml(text, &LIMITS).unwrap_err();
        assert!(
            begin.elapsed() < Duration::from_secs(20),
            "{error} took {:?}",
            begin.elapsed()
        );
        error
    }

    #[test]
    fn what_would_be_slow_or_large_is_refused() {
        let attributes: String = (0..300_000).map(|i| format!(" a{i}='1'")).collect();
        assert!(refusal(&format!("<a{attributes}/>")).contains("attributes"));
        let deep = "<a>".repeat(500_000) + &"</a>".repeat(500_000);
        assert!(refusal(&deep).contains("deep"));
        assert!(refusal(&"<a>".repeat(500_000)).contains("deep"));
        let namespaces: String = (0..2000)
            .map(|i| format!("<a xmlns:n{i}='u{i}'>"))
            .collect();
        assert!(refusal(&namespaces).contains("namespace"));
        let many = format!("<a>{}</a>", "<b/>".repeat(2 << 20));
        assert!(refusal(&many).contains("more than 1048576"));
        let few = format!("<a>{}</a>", "<b c='' d=''/>".repeat(500_000));
        assert!(refusal(&few).contains("more than 1048576"));
        let long = format!("<a b='{}'/>", "x".repeat(33 << 20));
        assert!(refusal(&long).contains("bytes"));
        assert!(refusal("<!DOCTYPE a [<!ENTITY b \"bbbb\">]><a>&b;</a>").contains("DTD"));
        assert!(!refusal("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>").is_empty());
        for text in [
            "",
            "<a>",
            "<a></b>",
            "no xml",
            "\0",
            "<a b='>",
            "<!--",
            "<![CDATA[",
            "<?x",
            "</a>",
        ] {
            assert!(parse_xml(text, &LIMITS).is_err(), "{text}");
        }
    }

    #[test]
    fn real_markup_is_not_miscounted() {
        let text = format!(
            "\u{feff}\n<?xml version='1.0'?><!-- <a <b a=b=c= -->{}<a x='1 > 0 = ==' y=\"'&gt;\">{}<![CDATA[ <x <y =====]]></a>",
            "<!-- < -->".repeat(300),
            "<b/><c></c>".repeat(300),
        );
        let document = parse_xml(&text, &LIMITS).unwrap();
        assert_eq!(document.root_element().attribute("x"), Some("1 > 0 = =="));
        // One value of many megabytes is text like any other.
        let long = format!("<a b='{}'/>", "x=<>".replace('<', "").repeat(4 << 20));
        assert!(parse_xml(&long, &LIMITS).is_ok());
    }
}
