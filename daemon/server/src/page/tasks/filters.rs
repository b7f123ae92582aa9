//! The filters of the list of tasks: in its form, in its address, as chips, and on the command line.

use queue::RootRow;

use super::super::show::{encode, quoted};
use crate::api::TaskQuery;

/// (value, what the form says)
const STATES: [(&str, &str); 8] = [
    ("", "any state"),
    ("failed,quarantined", "failed"),
    ("running", "running"),
    ("ready,retrying", "ready"),
    ("waiting", "waiting"),
    ("succeeded", "succeeded"),
    ("cancelled", "cancelled"),
    ("waiting,ready,retrying", "all that will run"),
];

/// A value of a list of choices.
pub(in crate::page) struct Choice {
    pub value: String,
    pub label: String,
    pub is_selected: bool,
}

/// A filter that can be taken away.
pub(in crate::page) struct Chip {
    pub name: &'static str,
    pub value: String,
    /// The list without it.
    pub without: String,
}

/// The filters of the list.
pub(in crate::page) struct Filters {
    pub states: Vec<Choice>,
    pub roots: Vec<Choice>,
    pub plate: String,
    pub root: String,
    pub subject: String,
    pub workflow: String,
    pub job: String,
    pub kind: String,
    pub well: String,
    pub q: String,
    state: String,
    limit: String,
}

impl Filters {
    pub(in crate::page) fn new(query: &TaskQuery, roots: &[RootRow]) -> Self {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let words: Vec<_> = query.state.iter().map(|state| state.as_str()).collect();
        let state = words.join(",");
        let mut states: Vec<_> = STATES
            .iter()
            .map(|(value, label)| Choice {
                value: (*value).to_owned(),
                label: (*label).to_owned(),
                is_selected: *value == state,
            })
            .collect();
        if !states.iter().any(|choice| choice.is_selected) {
            states.push(Choice {
                value: state.clone(),
                label: state.replace(',', ", "),
                is_selected: true,
            });
        }
        let any = Choice {
            value: String::new(),
            label: "any folder".to_owned(),
            is_selected: query.root.is_none(),
        };
        let of_root = |root: &RootRow| Choice {
            value: root.id.to_string(),
            label: root.name.clone(),
            is_selected: query.root == Some(root.id),
        };
        Self {
            states,
            roots: std::iter::once(any)
                .chain(roots.iter().map(of_root))
                .collect(),
            plate: query.plate.map(|id| id.to_string()).unwrap_or_default(),
            root: query.root.map(|id| id.to_string()).unwrap_or_default(),
            subject: query.subject.map(|id| id.to_string()).unwrap_or_default(),
            workflow: text(&query.workflow),
            job: text(&query.job),
            kind: text(&query.kind),
            well: text(&query.well),
            q: text(&query.q),
            state,
            limit: query.limit.map(|n| n.to_string()).unwrap_or_default(),
        }
    }

    /// Those that are set, by their names in the address.
    fn set(&self) -> Vec<(&'static str, &str)> {
        let all = [
            ("plate", &self.plate),
            ("root", &self.root),
            ("subject", &self.subject),
            ("state", &self.state),
            ("workflow", &self.workflow),
            ("job", &self.job),
            ("kind", &self.kind),
            ("well", &self.well),
            ("q", &self.q),
        ];
        all.into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name, value.as_str()))
            .collect()
    }

    /// The list with these filters, and where it starts.
    pub(in crate::page) fn address(&self, start: Option<(&str, &str)>) -> String {
        let limit = (!self.limit.is_empty()).then_some(("limit", self.limit.as_str()));
        address(self.set().into_iter().chain(limit).chain(start))
    }

    pub(in crate::page) fn chips(&self) -> Vec<Chip> {
        let set = self.set();
        let chip = |(name, value): &(&'static str, &str)| Chip {
            name: if *name == "q" { "text" } else { name },
            value: self.shown(name, value),
            without: address(set.iter().copied().filter(|(other, _)| other != name)),
        };
        set.iter().map(chip).collect()
    }

    fn shown(&self, name: &str, value: &str) -> String {
        let choices = match name {
            "state" => &self.states,
            "root" => &self.roots,
            _ => return value.to_owned(),
        };
        let selected = choices.iter().find(|choice| choice.value == value);
        selected.map_or_else(|| value.to_owned(), |choice| choice.label.clone())
    }

    /// The command that requeues the failed tasks of the list; `None` where it has no such filter.
    pub(in crate::page) fn command(&self) -> Option<String> {
        let mut command = "wellspring tasks requeue --failed".to_owned();
        for (name, value) in self.set() {
            match name {
                "plate" | "job" | "well" => {
                    command.push_str(&format!(" --{name} {}", quoted(value)));
                }
                "state" => {}
                _ => return None,
            }
        }
        Some(command)
    }
}

fn address<'a>(filters: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let pairs: Vec<_> = filters
        .map(|(name, value)| format!("{name}={}", encode(value)))
        .collect();
    match pairs.as_slice() {
        [] => "/tasks".to_owned(),
        pairs => format!("/tasks?{}", pairs.join("&")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filters() -> Filters {
        let query = TaskQuery {
            plate: Some(queue::PlateId(3)),
            state: vec![queue::TaskState::Failed, queue::TaskState::Quarantined],
            job: Some("it's".to_owned()),
            ..TaskQuery::default()
        };
        Filters::new(&query, &[])
    }

    #[test]
    fn each_chip_leads_to_the_list_without_it() {
        let chips = filters().chips();
        let told: Vec<_> = chips
            .iter()
            .map(|chip| (chip.name, chip.value.as_str(), chip.without.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                ("plate", "3", "/tasks?state=failed,quarantined&job=it%27s"),
                ("state", "failed", "/tasks?plate=3&job=it%27s"),
                ("job", "it's", "/tasks?plate=3&state=failed,quarantined"),
            ]
        );
    }

    #[test]
    fn the_command_does_what_the_form_does() {
        let mut filters = filters();
        let wanted = r"wellspring tasks requeue --failed --plate 3 --job 'it'\''s'";
        assert_eq!(filters.command().as_deref(), Some(wanted));
        filters.q = "tiff".to_owned();
        assert_eq!(filters.command(), None, "it has no such filter");
    }
}
