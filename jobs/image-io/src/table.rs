//! A table: named columns of equal length.

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

/// Named columns of equal length.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// The columns, in order.
    pub columns: Vec<Column>,
}
