//! Names of an array's axes.

use std::fmt;

/// The axes that an image can have, in the order in which images are worked on.
pub(crate) const WORKING: [char; 5] = ['t', 'c', 'z', 'y', 'x'];

/// The axes of an array, first to last: a few of `t`, `c`, `z`, `y`, `x`, each once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axes(String);

impl Axes {
    /// Parses axes such as `tzyxc`.
    ///
    /// # Errors
    /// In words, if a letter is unknown or comes twice, or `y` or `x` is missing.
    pub fn parse(text: &str) -> Result<Self, String> {
        let lower = text.trim().to_ascii_lowercase();
        let twice = lower.char_indices().any(|(i, c)| lower[..i].contains(c));
        let unknown = lower.chars().find(|c| !WORKING.contains(c));
        if let Some(unknown) = unknown {
            return Err(format!(
                "`{text}` has an unknown axis `{unknown}`; there are t, c, z, y and x"
            ));
        }
        if twice || !lower.contains('y') || !lower.contains('x') {
            return Err(format!("`{text}` must name y, x and each axis once"));
        }
        Ok(Self(lower))
    }

    /// The axes that ilastik assumes of an array that does not name them.
    #[must_use]
    pub fn assumed(shape: &[usize]) -> Option<Self> {
        let few = |axis: usize| shape[axis] <= 4;
        let axes = match shape.len() {
            2 => "yx",
            3 if few(2) => "yxc",
            3 => "zyx",
            4 if few(3) => "zyxc",
            4 => "tzyx",
            5 => "tzyxc",
            _ => return None,
        };
        Some(Self(axes.to_owned()))
    }

    /// Reads VIGRA's axis tags, a JSON text.
    #[must_use]
    pub fn from_tags(json: &str) -> Option<Self> {
        let tags: serde_json::Value = serde_json::from_str(json).ok()?;
        let keys = tags.get("axes")?.as_array()?.iter();
        let keys: Option<String> = keys.map(|axis| axis.get("key")?.as_str()).collect();
        Self::parse(&keys?).ok()
    }

    /// As VIGRA's axis tags.
    #[must_use]
    pub fn to_tags(&self) -> String {
        let axes: Vec<serde_json::Value> = self
            .0
            .chars()
            .map(|axis| {
                let flags = match axis {
                    'c' => 1,
                    't' => 8,
                    _ => 2,
                };
                serde_json::json!({"key": axis, "typeFlags": flags, "resolution": 0, "description": ""})
            })
            .collect();
        serde_json::json!({ "axes": axes }).to_string()
    }

    /// The same axes with `c` last, added if need be: the order of ilastik's results.
    #[must_use]
    pub fn with_channel_last(&self) -> Self {
        let mut axes: String = self.0.chars().filter(|&a| a != 'c').collect();
        axes.push('c');
        Self(axes)
    }

    /// The letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Position of an axis.
    #[must_use]
    pub fn position(&self, axis: char) -> Option<usize> {
        self.0.find(axis)
    }

    /// Number of axes.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Never: there are y and x.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Axes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
