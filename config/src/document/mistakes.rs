//! Finds all type errors of a text, although serde stops at the first: what is wrong is noted and taken out, and the
//! rest is tried again.

use std::borrow::Cow;
use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

use super::hidden::is_secret;
use super::key_path::Step;
use super::{Document, KeyPath, Mistake, Tree};
use crate::problem::{Place, Problem};

/// No one reads more.
pub(super) const MAX_MISTAKES: usize = 100;

pub(super) struct Mistakes<'d, 'i> {
    document: &'d Document,
    tree: Tree<'i>,
    problems: Vec<(usize, Problem)>,
}

impl<'d, 'i> Mistakes<'d, 'i> {
    pub(super) fn new(document: &'d Document, tree: Tree<'i>) -> Self {
        Self {
            document,
            tree,
            problems: Vec::new(),
        }
    }

    /// Notes a mistake and takes the value out of the tree, or puts a stand-in where one is missing.
    pub(super) fn add_and_repair(&mut self, mistake: Mistake) {
        match &mistake.stand_in {
            Some((key, text)) => {
                if let Some(table) = table_at(self.tree.get_mut(), mistake.path.steps()) {
                    let value = DeValue::String(Cow::Owned(text.clone()));
                    table.insert(
                        Spanned::new(0..0, Cow::Owned(key.clone())),
                        Spanned::new(0..0, value),
                    );
                }
            }
            None => drop(remove(self.tree.get_mut(), &removable(&mistake.path))),
        }
        self.add(mistake);
    }

    fn add(&mut self, mistake: Mistake) {
        let key = mistake.path.to_string();
        // What serde says quotes the value.
        let message = if is_secret(&key) && mistake.message.starts_with("wrong type") {
            "wrong type: expected text in quotes, or a table of such".to_owned()
        } else {
            mistake.message
        };
        let mut problem =
            Problem::error(key, message).at(Place::File(self.document.location(&mistake.span)));
        problem.remedy = mistake.remedy;
        self.problems.push((mistake.span.start, problem));
    }

    /// Deserialises again and again until nothing is wrong any more. Mistakes come back in the order of the text.
    pub(super) fn collect<T: DeserializeOwned>(mut self) -> Result<T, Vec<Problem>> {
        while self.problems.len() < MAX_MISTAKES {
            let error = match serde_path_to_error::deserialize::<_, T>(Deserializer::from(
                self.tree.clone(),
            )) {
                Ok(typed) if self.problems.is_empty() => return Ok(typed),
                Ok(_) => break,
                Err(error) => error,
            };
            let path = KeyPath::from(error.path());
            let inner = error.inner();
            let span = inner
                .span()
                .or_else(|| find(&self.tree, path.steps()))
                .unwrap_or(0..0);
            let missing = inner.message().starts_with("missing field");
            // A key that is missing now may have been taken out as wrong before.
            if !missing || self.problems.is_empty() {
                self.add(Mistake {
                    path: path.clone(),
                    span,
                    message: in_plain_words(inner.message()),
                    remedy: None,
                    stand_in: None,
                });
            }
            let path = removable(&path);
            if missing || !remove(self.tree.get_mut(), &path) {
                break;
            }
        }
        self.problems.sort_by_key(|(start, _)| *start);
        Err(self
            .problems
            .into_iter()
            .map(|(_, problem)| problem)
            .collect())
    }
}

/// Says what serde says without Rust's words.
fn in_plain_words(message: &str) -> String {
    const WORDS: [(&str, &str); 9] = [
        (
            "expected u64",
            "expected a whole number that is not negative",
        ),
        (
            "expected u32",
            "expected a whole number that is not negative",
        ),
        ("expected a boolean", "expected `true` or `false`"),
        (
            "expected a sequence",
            "expected a list such as [\"a\", \"b\"]",
        ),
        ("expected path string", "expected a path in quotes"),
        ("expected a string", "expected text in quotes"),
        (
            "expected struct",
            "expected a table, for example `[section]` for",
        ),
        ("expected a map", "expected a table"),
        ("invalid type: ", "wrong type: "),
    ];
    WORDS
        .iter()
        .fold(message.trim_end().to_owned(), |text, (rust, plain)| {
            text.replace(rust, plain)
        })
}

fn find(tree: &Spanned<DeTable<'_>>, steps: &[Step]) -> Option<Range<usize>> {
    let (Step::Key(first), rest) = steps.split_first()? else {
        return None;
    };
    let mut value = tree.get_ref().get(first.as_str())?;
    for step in rest {
        value = match (step, value.get_ref()) {
            (Step::Key(key), DeValue::Table(table)) => table.get(key.as_str())?,
            (Step::Index(i), DeValue::Array(items)) => items.get(*i)?,
            _ => return None,
        };
    }
    Some(value.span())
}

/// Only keys are taken out: without an element of a list, the numbers of the others would change.
fn removable(path: &KeyPath) -> KeyPath {
    if matches!(path.steps().last(), Some(Step::Index(_))) {
        path.parent()
    } else {
        path.clone()
    }
}

/// Takes the value of a key out; `false` where there is none.
fn remove(tree: &mut DeTable<'_>, path: &KeyPath) -> bool {
    let Some((Step::Key(key), rest)) = path.steps().split_last() else {
        return false;
    };
    table_at(tree, rest).is_some_and(|table| table.remove(key.as_str()).is_some())
}

fn table_at<'t, 'i>(tree: &'t mut DeTable<'i>, steps: &[Step]) -> Option<&'t mut DeTable<'i>> {
    let Some((Step::Key(first), rest)) = steps.split_first() else {
        return steps.is_empty().then_some(tree);
    };
    let mut value = tree.get_mut(first.as_str())?.get_mut();
    for step in rest {
        value = match (step, value) {
            (Step::Key(key), DeValue::Table(table)) => table.get_mut(key.as_str())?.get_mut(),
            (Step::Index(i), DeValue::Array(items)) => items.get_mut(*i)?.get_mut(),
            _ => return None,
        };
    }
    match value {
        DeValue::Table(table) => Some(table),
        _ => None,
    }
}
