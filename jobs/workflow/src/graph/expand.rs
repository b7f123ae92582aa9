//! Jobs for each channel of a kind: a plate says in its mapping how many serum channels it has, a workflow is written once.
//!
//! `each = "serum_*"` makes one job of every channel role that fits, with `{each}` in its id and names replaced by the role.
//! In a list of names, `"images/{serum_*}"` stands for one name of every role that fits.

use std::collections::{BTreeMap, BTreeSet};

use config::{JobConfig, Names};

use crate::error::WorkflowError;

const EACH: &str = "{each}";

/// The jobs as they are run, and the id of the job in the file that each came from.
pub(super) fn expand<'j>(
    jobs: impl Iterator<Item = &'j JobConfig>,
    roles: &BTreeSet<String>,
) -> Result<Vec<JobConfig>, Vec<WorkflowError>> {
    let jobs: Vec<&JobConfig> = jobs.collect();
    let mut errors = Vec::new();
    let mut out: Vec<JobConfig> = Vec::new();
    // Jobs that others name in `after`: of each channel.
    let mut made_of: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for job in jobs {
        let fitting: Vec<Option<&String>> = match &job.each {
            None => vec![None],
            Some(pattern) => {
                let fitting: Vec<_> = roles
                    .iter()
                    .filter(|r| fits(pattern, r))
                    .map(Some)
                    .collect();
                if fitting.is_empty() {
                    errors.push(error(
                        job,
                        format!(
                            "`each`: no channel is called `{pattern}`; there are {}",
                            list(roles)
                        ),
                    ));
                }
                if !job.id.contains(EACH) {
                    errors.push(error(
                        job,
                        format!("`each` makes several jobs: write `{EACH}` into the id"),
                    ));
                }
                fitting
            }
        };
        for role in fitting {
            let mut one = (*job).clone();
            // Of the job that is made, the role itself.
            one.each = role.cloned();
            if let Some(role) = role {
                one.id = one.id.replace(EACH, role);
                one.status_name = one.status_name.map(|name| name.replace(EACH, role));
            }
            for names in [&mut one.input, &mut one.output].into_iter().flatten() {
                if let Err(pattern) = replace(names, role, roles) {
                    errors.push(error(
                        job,
                        format!(
                            "`{{{pattern}}}`: no channel fits; there are {}",
                            list(roles)
                        ),
                    ));
                }
            }
            made_of.entry(&job.id).or_default().push(one.id.clone());
            out.push(one);
        }
    }
    for job in &mut out {
        job.after = job
            .after
            .iter()
            .flat_map(|id| {
                made_of
                    .get(id.as_str())
                    .cloned()
                    .unwrap_or_else(|| vec![id.clone()])
            })
            .collect();
    }
    if errors.is_empty() {
        Ok(out)
    } else {
        Err(errors)
    }
}

fn error(job: &JobConfig, message: String) -> WorkflowError {
    WorkflowError {
        job: job.id.clone(),
        message,
    }
}

fn list(roles: &BTreeSet<String>) -> String {
    if roles.is_empty() {
        "none in [channels]".to_owned()
    } else {
        roles.iter().cloned().collect::<Vec<_>>().join(", ")
    }
}

/// Whether a role fits a pattern with at most one `*`.
fn fits(pattern: &str, role: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == role,
        Some((before, after)) => {
            role.len() >= before.len() + after.len()
                && role.starts_with(before)
                && role.ends_with(after)
        }
    }
}

/// The part of a name in braces that has a `*` in it: before, pattern, after.
fn pattern_in(name: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = name.split_once('{')?;
    let (pattern, after) = rest.split_once('}')?;
    pattern.contains('*').then_some((before, pattern, after))
}

fn replace(
    names: &mut Names,
    role: Option<&String>,
    roles: &BTreeSet<String>,
) -> Result<(), String> {
    let expand_list = |list: &mut Vec<String>| -> Result<(), String> {
        let mut out = Vec::new();
        for name in list.drain(..) {
            let name = match role {
                Some(role) => name.replace(EACH, role),
                None => name,
            };
            match pattern_in(&name) {
                None => out.push(name),
                Some((before, pattern, after)) => {
                    let count = out.len();
                    let fitting = roles.iter().filter(|r| fits(pattern, r));
                    out.extend(fitting.map(|r| format!("{before}{r}{after}")));
                    if out.len() == count {
                        return Err(pattern.to_owned());
                    }
                }
            }
        }
        *list = out;
        Ok(())
    };
    match names {
        Names::One(name) => {
            let mut list = vec![std::mem::take(name)];
            expand_list(&mut list)?;
            *names = if let [one] = list.as_slice() {
                Names::One(one.clone())
            } else {
                Names::Many(list)
            };
            Ok(())
        }
        Names::Many(list) => expand_list(list),
        Names::Ports(ports) => ports.values_mut().try_for_each(expand_list),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn jobs(text: &str) -> Vec<JobConfig> {
        let text = format!("name = \"t\"\nversion = \"1\"\n{text}");
        config::WorkflowFile::from_str(&text, std::path::Path::new("/"))
            .unwrap()
            .jobs
    }

    fn roles() -> BTreeSet<String> {
        ["nuclei", "serum_IgA", "serum_IgG", "marker"]
            .map(str::to_owned)
            .into()
    }

    #[test]
    fn a_job_for_each_channel_and_lists_of_channels() {
        let jobs = jobs(
            r#"
[[job]]
id = "qc-{each}"
kind = "qc.cells"
each = "serum_*"
input = "cells/{each}"
output = "cells_{each}/outliers"
[[job]]
id = "features"
kind = "measure.instances"
input = { images = ["{serum_*}", "marker"], labels = "cells" }
output = "cells/{}"
after = ["qc-{each}"]
"#,
        );
        let expanded = expand(jobs.iter(), &roles()).unwrap();
        let ids: Vec<&str> = expanded.iter().map(|j| j.id.as_str()).collect();
        assert_eq!(ids, ["qc-serum_IgA", "qc-serum_IgG", "features"]);
        assert_eq!(
            expanded[1].input,
            Some(Names::One("cells/serum_IgG".to_owned()))
        );
        let images: Vec<&str> = expanded[2].input.as_ref().unwrap().iter().collect();
        assert_eq!(images, ["serum_IgA", "serum_IgG", "marker", "cells"]);
        assert_eq!(expanded[2].after, ["qc-serum_IgA", "qc-serum_IgG"]);
        // The template for outputs of lists stays as it is.
        assert_eq!(expanded[2].output, Some(Names::One("cells/{}".to_owned())));
    }

    #[test]
    fn what_fits_no_channel_is_told() {
        for text in [
            "[[job]]\nid = \"a-{each}\"\nkind = \"k\"\neach = \"virus_*\"\n",
            "[[job]]\nid = \"a\"\nkind = \"k\"\ninput = [\"{virus_*}\"]\n",
            "[[job]]\nid = \"a\"\nkind = \"k\"\neach = \"serum_*\"\n",
        ] {
            let errors = expand(jobs(text).iter(), &roles()).unwrap_err();
            assert_eq!(errors.len(), 1, "{errors:?}");
        }
    }
}
