//! Texts with places to fill in: `--project={files.project}`. A literal brace is doubled.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use crate::error::{Failure, did_you_mean};

/// Words about the image set and the region.
const WORDS: [&str; 13] = [
    "threads",
    "plate",
    "set",
    "well",
    "site",
    "timepoint",
    "region",
    "y0",
    "y1",
    "x0",
    "x1",
    "height",
    "width",
];

/// What a place stands for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Name {
    /// The working folder.
    Dir,
    /// The folder with a file for each input.
    Inputs,
    /// The file with all images of the first port.
    Stack,
    /// The file of one input.
    Input(String),
    /// The acquisition file of a raw channel.
    Original(String),
    /// One of `files`.
    File(String),
    /// A word about the image set or the region.
    Word(&'static str),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Name(Name),
}

/// A parsed template.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Template {
    text: String,
    pieces: Vec<Piece>,
}

impl Template {
    /// The names in it.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Text(_) => None,
            Piece::Name(name) => Some(name),
        })
    }

    /// The text, if there are no places in it.
    pub fn plain(&self) -> Option<String> {
        self.pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => Some(text.as_str()),
                Piece::Name(_) => None,
            })
            .collect()
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Fills it in. Values are bytes, because paths are.
    pub fn fill(
        &self,
        value: impl Fn(&Name) -> Result<OsString, Failure>,
    ) -> Result<OsString, Failure> {
        let mut out = Vec::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text.as_bytes()),
                Piece::Name(name) => out.extend(value(name)?.into_vec()),
            }
        }
        Ok(OsString::from_vec(out))
    }
}

impl TryFrom<String> for Template {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text.as_str();
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            let doubled = ["{{", "}}"].iter().any(|d| rest[at..].starts_with(d));
            if doubled {
                plain.push_str(&rest[at..=at]);
                rest = &rest[at + 2..];
                continue;
            }
            let inside = rest[at + 1..]
                .split_once('}')
                .filter(|_| rest[at..].starts_with('{'));
            let Some((word, after)) = inside else {
                return Err(format!(
                    "`{text}` has a single brace; a literal one is doubled: `{{{{` or `}}}}`"
                ));
            };
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(Piece::Name(name(word, &text)?));
            rest = after;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        if text.contains('\0') {
            return Err("a text with the character NUL cannot be passed to a program".to_owned());
        }
        Ok(Self { text, pieces })
    }
}

impl From<Template> for String {
    fn from(template: Template) -> Self {
        template.text
    }
}

fn name(word: &str, text: &str) -> Result<Name, String> {
    if let Some((kind, what)) = word.split_once('.') {
        match kind {
            "input" => return Ok(Name::Input(what.to_owned())),
            "original" => return Ok(Name::Original(what.to_owned())),
            "files" => return Ok(Name::File(what.to_owned())),
            _ => {}
        }
    }
    match word {
        "dir" => Ok(Name::Dir),
        "inputs" => Ok(Name::Inputs),
        "stack" => Ok(Name::Stack),
        _ => WORDS
            .iter()
            .find(|known| **known == word)
            .map(|known| Name::Word(known))
            .ok_or_else(|| {
                let known = WORDS.into_iter().chain(["dir", "inputs", "stack"]);
                format!(
                    "`{text}`: there is no `{{{word}}}`{}; a literal brace is doubled: `{{{{`",
                    did_you_mean(word, known)
                )
            }),
    }
}

impl JsonSchema for Template {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "template".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": "string" })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn fill(text: &str) -> String {
        let template = Template::try_from(text.to_owned()).unwrap();
        let filled = template.fill(|name| {
            Ok(match name {
                Name::Dir => OsString::from("/tmp/a b"),
                Name::Input(of) => format!("[{of}]").into(),
                Name::File(of) => format!("<{of}>").into(),
                Name::Word(word) => (*word).to_uppercase().into(),
                other => format!("{other:?}").into(),
            })
        });
        filled.unwrap().into_string().unwrap()
    }

    #[test]
    fn places_are_filled_and_doubled_braces_are_literal() {
        for (text, filled) in [
            ("", ""),
            ("--headless", "--headless"),
            ("{dir}/a.h5", "/tmp/a b/a.h5"),
            (
                "{dir}/{{nickname}}_{well}.h5",
                "/tmp/a b/{nickname}_WELL.h5",
            ),
            ("{{{dir}}}", "{/tmp/a b}"),
            ("{input.serum IgG}{files.p}", "[serum IgG]<p>"),
            ("[({y0},{x0},0)]", "[(Y0,X0,0)]"),
            ("$HOME `x` \"q\" 'é\n", "$HOME `x` \"q\" 'é\n"),
        ] {
            assert_eq!(fill(text), filled);
            assert_eq!(
                Template::try_from(text.to_owned())
                    .unwrap()
                    .plain()
                    .is_some(),
                !text.replace("{{", "").contains('{')
            );
        }
    }

    #[test]
    fn mistakes_are_found() {
        for (text, word) in [
            ("{", "single brace"),
            ("a}", "single brace"),
            ("}{", "single brace"),
            ("{dir", "single brace"),
            ("{}", "no `{}`"),
            ("{wel}", "did you mean `well`"),
            ("{file.a}", "no `{file.a}`"),
            ("a\0b", "NUL"),
        ] {
            let mistake = Template::try_from(text.to_owned()).unwrap_err();
            assert!(mistake.contains(word), "{text}: {mistake}");
        }
    }
}
