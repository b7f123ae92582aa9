//! Attributes: small named values on files, groups and datasets.

use serde::Serialize;

/// The value of an attribute, in the forms that BatchLib and h5py write.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Attribute {
    /// Truth value (int8 enumeration FALSE, TRUE).
    Bool(bool),
    /// Whole number (int64).
    Int(i64),
    /// Real number (float64).
    Float(f64),
    /// UTF-8 text of variable length.
    Text(String),
    /// Whole numbers in one dimension. More dimensions are read as one, row by row.
    Ints(Vec<i64>),
    /// Real numbers in one dimension. More dimensions are read as one, row by row.
    Floats(Vec<f64>),
    /// Texts in one dimension. Java readers cannot read such attributes; prefer one JSON text.
    Texts(Vec<String>),
    /// A value that is not read here, in words. Cannot be written.
    Unreadable(String),
}

impl Attribute {
    /// The text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if it is one number.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(*value as f64),
            Self::Float(value) => Some(*value),
            Self::Ints(values) if values.len() == 1 => Some(values[0] as f64),
            Self::Floats(values) if values.len() == 1 => Some(values[0]),
            _ => None,
        }
    }

    /// The whole numbers, if they are that.
    #[must_use]
    pub fn as_ints(&self) -> Option<&[i64]> {
        match self {
            Self::Int(value) => Some(std::slice::from_ref(value)),
            Self::Ints(values) => Some(values),
            _ => None,
        }
    }
}

impl From<&str> for Attribute {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Attribute {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// How a viewer colours an image: the colour names that PlateViewer knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Color {
    /// The default of intensity images.
    White,
    /// Shown as white.
    Gray,
    /// Red.
    Red,
    /// Green.
    Green,
    /// Blue.
    Blue,
    /// A random colour for each label; the default of label images.
    Glasbey,
}

impl Color {
    /// The name that goes into the file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::White => "White",
            Self::Gray => "Gray",
            Self::Red => "Red",
            Self::Green => "Green",
            Self::Blue => "Blue",
            Self::Glasbey => "Glasbey",
        }
    }
}
