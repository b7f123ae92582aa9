//! Walking through a parsed document, with the place of what is wrong.

use std::path::Path;

use serde_json::Value;

use super::mistake;
use crate::error::{Error, Result};

/// A value and how one comes to it: `inputs[0].axes`.
#[derive(Clone)]
pub(super) struct Spot<'d> {
    pub value: &'d Value,
    pub path: &'d Path,
    pub place: String,
}

impl<'d> Spot<'d> {
    pub fn root(path: &'d Path, value: &'d Value) -> Self {
        Self {
            value,
            path,
            place: String::new(),
        }
    }

    /// A member, unless it is absent or null.
    pub fn get(&self, key: &str) -> Option<Self> {
        let value = self.value.get(key).filter(|v| !v.is_null())?;
        let dot = if self.place.is_empty() { "" } else { "." };
        Some(Self {
            value,
            path: self.path,
            place: format!("{}{dot}{key}", self.place),
        })
    }

    /// A member that must be there.
    pub fn need(&self, key: &str) -> Result<Self> {
        self.get(key)
            .ok_or_else(|| self.wrong(format!("lacks `{key}`")))
    }

    pub fn items(&self) -> Result<Vec<Self>> {
        let list = self
            .value
            .as_array()
            .ok_or_else(|| self.wrong("must be a list".to_owned()))?;
        Ok(list
            .iter()
            .enumerate()
            .map(|(i, value)| Self {
                value,
                path: self.path,
                place: format!("{}[{i}]", self.place),
            })
            .collect())
    }

    pub fn text(&self) -> Result<&'d str> {
        self.value
            .as_str()
            .ok_or_else(|| self.wrong("must be a text".to_owned()))
    }

    pub fn number(&self) -> Result<f64> {
        self.value
            .as_f64()
            .ok_or_else(|| self.wrong("must be a number".to_owned()))
    }

    pub fn whole(&self) -> Result<usize> {
        self.value
            .as_u64()
            .and_then(|v| usize::try_from(v).ok())
            .ok_or_else(|| self.wrong("must be a whole number".to_owned()))
    }

    pub fn texts(&self) -> Result<Vec<String>> {
        self.items()?
            .iter()
            .map(|item| item.text().map(str::to_owned))
            .collect()
    }

    pub fn wrong(&self, message: String) -> Error {
        let place = if self.place.is_empty() {
            String::new()
        } else {
            format!("{}: ", self.place)
        };
        mistake(self.path, &place, message)
    }
}
