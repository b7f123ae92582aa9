//! Rows on their way into files: a schema that all parts share, and parts of it.

use std::collections::BTreeSet;

use image_io::table::{Table, Values};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Whole numbers.
    Int,
    /// Real numbers.
    Float,
    /// Text.
    Text,
}

impl Kind {
    pub fn of(values: &Values) -> Self {
        match values {
            Values::Int(_) => Self::Int,
            Values::Float(_) => Self::Float,
            Values::Text(_) => Self::Text,
        }
    }

    /// What holds both.
    fn join(self, other: Self) -> Self {
        match (self, other) {
            (Self::Text, _) | (_, Self::Text) => Self::Text,
            (Self::Int, Self::Int) => Self::Int,
            _ => Self::Float,
        }
    }

    /// Whether values of this kind may stand in a column of that kind.
    pub fn fits(self, column: Self) -> bool {
        self.join(column) == column
    }
}

/// Names and kinds of the columns. BatchLib's cell tables have names twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schema {
    pub columns: Vec<(String, Kind)>,
}

impl Schema {
    pub fn of(table: &Table) -> Self {
        let columns = table
            .columns
            .iter()
            .map(|c| (c.name.clone(), Kind::of(&c.values)));
        Self {
            columns: columns.collect(),
        }
    }

    /// Takes in the columns of another part. A part without rows says nothing of the kinds.
    pub fn extend(&mut self, table: &Table) {
        for column in &table.columns {
            let kind = Kind::of(&column.values);
            match self
                .columns
                .iter_mut()
                .find(|(name, _)| *name == column.name)
            {
                Some((_, known)) if table.rows() > 0 => *known = known.join(kind),
                Some(_) => {}
                None => self.columns.push((column.name.clone(), kind)),
            }
        }
    }

    /// The names, each once: the second `x` is `x.1`, as pandas calls it.
    pub fn unique_names(&self) -> Vec<String> {
        let mut taken: BTreeSet<String> = BTreeSet::new();
        let mut unique = |name: &String| {
            let numbered = (1..).map(|i| format!("{name}.{i}"));
            let free = std::iter::once(name.clone())
                .chain(numbered)
                .find(|n| !taken.contains(n));
            let free = free.unwrap_or_else(|| name.clone());
            taken.insert(free.clone());
            free
        };
        self.columns.iter().map(|(name, _)| unique(name)).collect()
    }
}

/// One value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    Empty,
    Int(i64),
    Float(f64),
    Text(&'a str),
}

/// The cells of one column of a part.
#[derive(Clone, Debug)]
pub enum Cells<'a> {
    /// A column of a table.
    Table(&'a Values),
    /// Numbers made for the export.
    Made(Vec<f64>),
    /// The same text in each row.
    Same(&'a str),
    /// No value in any row.
    Absent,
}

impl Cells<'_> {
    /// A value as the column's kind wants it; NaN is [`Cell::Empty`].
    pub fn get(&self, row: usize, kind: Kind) -> Cell<'_> {
        let float = |v: f64| {
            if v.is_nan() {
                Cell::Empty
            } else {
                Cell::Float(v)
            }
        };
        let cell = match self {
            Self::Table(Values::Int(v)) if kind == Kind::Float => {
                v.get(row).map(|v| Cell::Float(*v as f64))
            }
            Self::Table(Values::Int(v)) => v.get(row).map(|v| Cell::Int(*v)),
            Self::Table(Values::Float(v)) => v.get(row).map(|v| float(*v)),
            Self::Table(Values::Text(v)) => v.get(row).map(|v| Cell::Text(v)),
            Self::Made(v) => v.get(row).map(|v| float(*v)),
            Self::Same(text) => Some(Cell::Text(text)),
            Self::Absent => None,
        };
        cell.unwrap_or(Cell::Empty)
    }
}

/// Some rows: one entry a column of the schema.
#[derive(Clone, Debug)]
pub struct Part<'a> {
    pub rows: usize,
    pub columns: Vec<Cells<'a>>,
}

impl<'a> Part<'a> {
    pub fn of(table: &'a Table) -> Self {
        Self {
            rows: table.rows(),
            columns: table
                .columns
                .iter()
                .map(|c| Cells::Table(&c.values))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image_io::table::Column;

    #[test]
    fn kinds_of_parts_are_joined() {
        let part = |columns: Vec<Column>| Table { columns };
        let mut schema = Schema::default();
        schema.extend(&part(vec![
            Column::int("a", vec![1]),
            Column::int("b", vec![1]),
        ]));
        schema.extend(&part(vec![Column::float("a", vec![1.5])]));
        schema.extend(&part(vec![
            Column::text("b", vec!["x".to_owned()]),
            Column::int("c", vec![1]),
        ]));
        // No rows: BatchLib's reader calls an empty column whole numbers.
        schema.extend(&part(vec![Column::text("c", vec![])]));
        let kinds: Vec<Kind> = schema.columns.iter().map(|c| c.1).collect();
        assert_eq!(kinds, [Kind::Float, Kind::Text, Kind::Int]);
        assert!(Kind::Int.fits(Kind::Float) && !Kind::Float.fits(Kind::Int));
    }

    #[test]
    fn second_names_are_numbered_as_by_pandas() {
        let column = |n: &str| (n.to_owned(), Kind::Int);
        let schema = Schema {
            columns: ["a", "b", "a", "a.1", "a"].map(column).to_vec(),
        };
        assert_eq!(schema.unique_names(), ["a", "b", "a.1", "a.1.1", "a.2"]);
    }
}
