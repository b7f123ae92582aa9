//! Columns by name or wildcard, and which columns say that a row is an outlier.

use image_io::table::{Table, Values};

/// Whether a name fits a pattern: `*` stands for any text, `?` for one character, everything else for itself.
#[must_use]
pub fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut p, mut n) = (0, 0);
    // Where the last star stands, and where in the name its text ends so far.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == '?' || *c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((at, end)) => {
                    star = Some((at, end + 1));
                    p = at + 1;
                    n = end + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// What a list of names and wildcards asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Columns of numbers, each once: in the order of the patterns, below one pattern in the order of the tables.
    pub columns: Vec<String>,
    /// Names without wildcards that no table has.
    pub absent: Vec<String>,
    /// Wildcards that fit no column of numbers.
    pub empty: Vec<String>,
}

/// Finds the columns that `patterns` ask for. A name is taken also if its column holds text, so that the picture says so;
/// wildcards find only numbers.
#[must_use]
pub fn wanted_columns(patterns: &[String], tables: &[&Table]) -> Wanted {
    let mut wanted = Wanted::default();
    let all = || tables.iter().flat_map(|t| &t.columns);
    for pattern in patterns {
        if !pattern.contains(['*', '?']) {
            let list = if all().any(|c| c.name == *pattern) {
                &mut wanted.columns
            } else {
                &mut wanted.absent
            };
            if !list.contains(pattern) {
                list.push(pattern.clone());
            }
            continue;
        }
        let mut found = false;
        for column in all() {
            if !matches!(column.values, Values::Text(_)) && matches(pattern, &column.name) {
                found = true;
                if !wanted.columns.contains(&column.name) {
                    wanted.columns.push(column.name.clone());
                }
            }
        }
        if !found {
            wanted.empty.push(pattern.clone());
        }
    }
    wanted
}

const IS_OUTLIER: &str = "is_outlier";

/// Names of the columns that say whether a row is an outlier, and why, for a column of values: those with the same prefix
/// (`IgG_is_outlier` for `IgG_ratio…`), else without any, else the first.
pub(crate) fn outlier_columns(table: &Table, column: &str) -> Option<(String, String)> {
    let prefixes = table
        .columns
        .iter()
        .filter_map(|c| c.name.strip_suffix(IS_OUTLIER));
    let own = prefixes
        .clone()
        .filter(|p| column.starts_with(p))
        .max_by_key(|p| p.len());
    let prefix = own.or_else(|| prefixes.clone().next())?;
    Some((
        format!("{prefix}{IS_OUTLIER}"),
        format!("{prefix}outlier_type"),
    ))
}

/// A cell as a number; `None` for text.
pub(crate) fn number(values: &Values, row: usize) -> Option<f64> {
    match values {
        Values::Int(v) => v.get(row).map(|v| *v as f64),
        Values::Float(v) => v.get(row).copied(),
        Values::Text(_) => None,
    }
}

/// A cell as text, as BatchLib writes it.
pub(crate) fn text(values: &Values, row: usize) -> Option<String> {
    match values {
        Values::Text(v) => v.get(row).cloned(),
        Values::Int(v) => v.get(row).map(ToString::to_string),
        Values::Float(v) => v.get(row).map(|v| image_io::table::float_text(*v)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image_io::table::Column;

    #[test]
    fn wildcards() {
        for (pattern, name, fits) in [
            ("IgG_*of_means", "IgG_ratio_of_q0.5_of_means", true),
            ("IgG_*of_means", "IgG_ratio_of_q0.5_of_sums", false),
            ("*", "", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("**b*", "aab", true),
            ("*ab*ab", "abab", true),
            ("*ab*ab", "ab", false),
            ("[a]", "a", false),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn wanted_and_absent() {
        let images = Table {
            columns: vec![
                Column::text("site_name", vec![]),
                Column::float("IgG_b", vec![]),
                Column::float("IgG_a", vec![]),
            ],
        };
        let wells = Table {
            columns: vec![Column::int("n", vec![]), Column::float("IgG_a", vec![])],
        };
        let patterns = ["n", "IgG_*", "IgA_*", "score", "n", "site_name"].map(str::to_owned);
        let wanted = wanted_columns(&patterns, &[&images, &wells]);
        assert_eq!(wanted.columns, ["n", "IgG_b", "IgG_a", "site_name"]);
        assert_eq!(wanted.absent, ["score"]);
        assert_eq!(wanted.empty, ["IgA_*"]);
    }

    #[test]
    fn the_outlier_column_of_a_channel() {
        let names = |list: &[&str]| Table {
            columns: list.iter().map(|n| Column::int(*n, vec![])).collect(),
        };
        let is = |table: &Table, column: &str| outlier_columns(table, column).map(|c| c.0);
        let two = names(&["IgG_is_outlier", "IgA_is_outlier"]);
        assert_eq!(is(&two, "IgA_ratio").as_deref(), Some("IgA_is_outlier"));
        assert_eq!(is(&two, "n_cells").as_deref(), Some("IgG_is_outlier"));
        let plain = names(&["IgG_is_outlier", "is_outlier"]);
        assert_eq!(is(&plain, "n_cells").as_deref(), Some("is_outlier"));
        assert_eq!(is(&plain, "IgG_x").as_deref(), Some("IgG_is_outlier"));
        assert_eq!(is(&names(&["a"]), "a"), None);
    }
}
