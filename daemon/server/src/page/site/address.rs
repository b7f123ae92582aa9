//! The address of the page: it has all that a person chose, so that it can be sent to somebody else.

use super::super::show::encode;

/// What the query of the address says, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::page) struct Address {
    path: String,
    pairs: Vec<(String, String)>,
}

impl Address {
    pub(in crate::page) fn new(path: String, pairs: Vec<(String, String)>) -> Self {
        Self { path, pairs }
    }

    pub(in crate::page) fn path(&self) -> &str {
        &self.path
    }

    /// The last value of a name; empty where it has none.
    pub(in crate::page) fn get(&self, name: &str) -> &str {
        let found = self.pairs.iter().rev().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value)
    }

    pub(in crate::page) fn has(&self, name: &str) -> bool {
        self.pairs.iter().any(|(key, _)| key == name)
    }

    /// The address of the same page with other values; an empty one is left out.
    pub(in crate::page) fn with(&self, changes: &[(&str, &str)]) -> String {
        let kept = self
            .pairs
            .iter()
            .filter(|(key, value)| {
                !value.is_empty() && !changes.iter().any(|(name, _)| name == key)
            })
            .map(|(key, value)| (key.as_str(), value.as_str()));
        let changed = changes
            .iter()
            .copied()
            .filter(|(_, value)| !value.is_empty());
        let pairs: Vec<String> = kept
            .chain(changed)
            .map(|(key, value)| format!("{}={}", encode(key), encode(value)))
            .collect();
        match pairs.is_empty() {
            true => self.path.clone(),
            false => format!("{}?{}", self.path, pairs.join("&")),
        }
    }

    /// What a form must hand on that does not change it.
    pub(in crate::page) fn others(
        &self,
        is_of_form: impl Fn(&str) -> bool,
    ) -> Vec<(String, String)> {
        self.pairs
            .iter()
            .filter(|(key, value)| !value.is_empty() && !is_of_form(key))
            .cloned()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_keep_what_they_do_not_change() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let pairs = vec![pair("low.a b", "1"), pair("sort", "x"), pair("table", "")];
        let address = Address::new("/s".into(), pairs);
        assert_eq!(address.get("sort"), "x");
        assert_eq!(address.get("nothing"), "");
        assert_eq!(
            address.with(&[("sort", "-x"), ("after", "")]),
            "/s?low.a%20b=1&sort=-x"
        );
        assert_eq!(
            address.with(&[("sort", ""), ("low.a b", "")]),
            "/s",
            "what is empty is left out"
        );
        assert_eq!(
            address.others(|name| name == "sort"),
            [pair("low.a b", "1")]
        );
    }
}
