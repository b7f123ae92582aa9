//! A table: named columns of equal length.

mod cells;

pub use cells::{CELL_BYTES, cell, float_text, parse_column};

use serde::{Deserialize, Serialize};

/// The values of one column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Values {
    /// Whole numbers.
    Int(Vec<i64>),
    /// Real numbers; a missing value is NaN.
    Float(Vec<f64>),
    /// Text; at most 100 bytes a cell survive in a container.
    Text(Vec<String>),
}

impl Values {
    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Int(v) => v.len(),
            Self::Float(v) => v.len(),
            Self::Text(v) => v.len(),
        }
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A named column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// The column's name, as readers see it.
    pub name: String,
    /// Its values, one a row.
    pub values: Values,
    /// Whether a viewer shows the column at first.
    pub visible: bool,
}

impl Column {
    /// A visible column of whole numbers.
    #[must_use]
    pub fn int(name: impl Into<String>, values: Vec<i64>) -> Self {
        Self {
            name: name.into(),
            values: Values::Int(values),
            visible: true,
        }
    }

    /// A visible column of real numbers.
    #[must_use]
    pub fn float(name: impl Into<String>, values: Vec<f64>) -> Self {
        Self {
            name: name.into(),
            values: Values::Float(values),
            visible: true,
        }
    }

    /// A visible column of texts.
    #[must_use]
    pub fn text(name: impl Into<String>, values: Vec<String>) -> Self {
        Self {
            name: name.into(),
            values: Values::Text(values),
            visible: true,
        }
    }

    /// The same column, hidden at first.
    #[must_use]
    pub fn hidden(mut self) -> Self {
        self.visible = false;
        self
    }
}

/// Named columns of equal length.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// The columns, in order.
    pub columns: Vec<Column>,
}

impl Table {
    /// Number of rows: the length of the first column.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |c| c.values.len())
    }

    /// The first column of that name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|c| c.name == name)
    }

    /// Whether all columns are equally long.
    #[must_use]
    pub fn is_rectangular(&self) -> bool {
        self.columns.iter().all(|c| c.values.len() == self.rows())
    }

    /// Whether whole numbers are written with a decimal point ("104.0"), as they are where BatchLib made the table from one
    /// NumPy array of numbers: no column holds text, and one holds real numbers.
    #[must_use]
    pub fn is_float_array(&self) -> bool {
        let is = |f: fn(&Values) -> bool| self.columns.iter().any(|c| f(&c.values));
        is(|v| matches!(v, Values::Float(_))) && !is(|v| matches!(v, Values::Text(_)))
    }
}
