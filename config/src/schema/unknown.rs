//! Unknown keys, unknown words and missing keys of a parsed text, all of them, with suggestions.

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::option::{options, section, words};
use super::order::properties;
use crate::document::{KeyPath, Mistake};
use crate::suggest::did_you_mean;

/// Compares a text with its schema.
pub(crate) fn unknown_keys(schema: &Value, root: &DeTable<'_>) -> Vec<Mistake> {
    let mut search = Search {
        top: schema,
        found: Vec::new(),
    };
    search.table(schema, root, None, &KeyPath::root());
    search.found
}

struct Search<'s> {
    top: &'s Value,
    found: Vec<Mistake>,
}

impl Search<'_> {
    fn table(
        &mut self,
        schema: &Value,
        table: &DeTable<'_>,
        header: Option<&std::ops::Range<usize>>,
        at: &KeyPath,
    ) {
        let known = properties(schema);
        let others = schema.get("additionalProperties");
        for (key, value) in table {
            let name: &str = key.get_ref();
            let path = at.key(name);
            match known.iter().find(|(k, _)| *k == name) {
                Some((_, property)) => self.value(property, value, &path),
                None if others == Some(&Value::Bool(false)) => {
                    let remedy = self.suggestion(name, &known, at);
                    self.found.push(Mistake {
                        path,
                        span: key.span(),
                        message: format!("unknown key `{name}`"),
                        remedy: Some(remedy),
                        stand_in: None,
                    });
                }
                None => {
                    if let Some(open) = others.filter(|o| o.is_object()) {
                        self.value(open, value, &path);
                    }
                }
            }
        }
        let required = schema
            .get("required")
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default();
        for name in required
            .iter()
            .filter_map(Value::as_str)
            .filter(|name| !table.contains_key(*name))
        {
            let example = known
                .iter()
                .find(|(k, _)| *k == name)
                .and_then(|(_, s)| s.get("examples"))
                .and_then(|e| e.get(0));
            let remedy = example.map(|e| format!("add a line such as `{name} = {e}`"));
            let stand_in = example
                .and_then(Value::as_str)
                .map(|text| (name.to_owned(), text.to_owned()));
            self.found.push(Mistake {
                path: at.clone(),
                span: header.cloned().unwrap_or(0..0),
                message: format!("`{name}` is missing"),
                remedy,
                stand_in,
            });
        }
    }

    fn value(&mut self, schema: &Value, value: &Spanned<DeValue<'_>>, path: &KeyPath) {
        match value.get_ref() {
            DeValue::Table(table) => {
                if let Some(schema) = section(schema) {
                    self.table(schema, table, Some(&value.span()), path);
                } else if schema.get("additionalProperties").is_some() {
                    self.table(schema, table, Some(&value.span()), path);
                }
            }
            DeValue::Array(items) => {
                if let Some(schema) = schema.get("items") {
                    items
                        .iter()
                        .enumerate()
                        .for_each(|(i, item)| self.value(schema, item, &path.index(i)));
                }
            }
            DeValue::String(word) => {
                let Some(words) =
                    words(schema).filter(|words| !words.iter().any(|(w, _)| w == word))
                else {
                    return;
                };
                let names: Vec<&str> = words.iter().map(|(w, _)| *w).collect();
                let remedy = did_you_mean(word, names.iter().copied()).map_or_else(
                    || format!("use one of {}", quoted(&names)),
                    |near| format!("did you mean `{near}`? (one of {})", quoted(&names)),
                );
                self.found.push(Mistake {
                    path: path.clone(),
                    span: value.span(),
                    message: format!("unknown value `{word}`"),
                    remedy: Some(remedy),
                    stand_in: None,
                });
            }
            _ => {}
        }
    }

    /// The nearest key here; else the section in which the key belongs; else all the keys.
    fn suggestion(&self, name: &str, known: &[(&str, &Value)], at: &KeyPath) -> String {
        let names: Vec<&str> = known.iter().map(|(k, _)| *k).collect();
        if let Some(near) = did_you_mean(name, names.iter().copied()) {
            return format!("did you mean `{near}`?");
        }
        let elsewhere = options(self.top)
            .into_iter()
            .find(|option| option.name() == name);
        if let Some(option) = elsewhere {
            let place = option
                .key
                .strip_suffix(name)
                .and_then(|p| p.strip_suffix('.'))
                .unwrap_or_default();
            return match (place, place.strip_suffix("[]")) {
                ("", _) => {
                    format!("`{name}` belongs at the top of the file, before the first `[section]`")
                }
                (_, Some(list)) => format!("`{name}` belongs in `[[{list}]]`"),
                _ => format!("`{name}` belongs in `[{place}]`"),
            };
        }
        let place = if at.steps().is_empty() {
            String::new()
        } else {
            format!(" of `{at}`")
        };
        format!("the keys{place} are {}", quoted(&names))
    }
}

fn quoted(names: &[&str]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}
