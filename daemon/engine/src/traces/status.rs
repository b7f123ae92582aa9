//! The states of jobs in BatchLib's words, and the text of its `.status` files.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use queue::{TaskRow, TaskState};
use serde::Serialize;
use serde_json::Value;
use workflow::Scope;

use super::facts::Facts;
use crate::blame::Blame;

/// What became of the tasks of the jobs of one name.
#[derive(Debug, Default)]
pub(super) struct JobStatus {
    /// BatchLib's name of the job.
    pub name: String,
    /// Containers and tables that were not made.
    failed: BTreeSet<String>,
    /// Images, and containers without the image that the job reads.
    invalid: BTreeSet<String>,
    /// A worker died over a task three times, or a person stopped one.
    errored: bool,
    tasks: usize,
    /// Tasks that have not ended.
    pending: usize,
}

impl JobStatus {
    /// BatchLib's word; none for a job that has not ended. It has one word for a job, so the worst counts.
    fn state(&self) -> Option<&'static str> {
        if self.pending > 0 {
            return None;
        }
        Some(if self.errored {
            "errored"
        } else if !self.failed.is_empty() {
            "failed_outputs"
        } else if !self.invalid.is_empty() {
            "invalid_inputs"
        } else {
            "processed"
        })
    }

    /// The text of its file; none where the job has not ended, or had nothing to do.
    pub fn json(&self) -> Option<String> {
        let state = self.state()?;
        if self.tasks == 0 && state == "processed" {
            return None;
        }
        let mut object: BTreeMap<&str, Value> = BTreeMap::new();
        for (key, files) in [
            ("failed_outputs", &self.failed),
            ("invalid_inputs", &self.invalid),
        ] {
            if !files.is_empty() {
                object.insert(key, files.iter().map(String::as_str).collect());
            }
        }
        object.insert("state", state.into());
        Some(python_json(&object))
    }

    fn count(&mut self, facts: &Facts, task: &TaskRow) {
        self.tasks += 1;
        let container = || facts.container(task).display().to_string();
        match Blame::of(task, &facts.root.path, &facts.plate.output) {
            Some(Blame::Input) => {
                let named = task.error.as_ref().and_then(|e| e.path.clone());
                let all = facts.inputs(task).iter().map(|p| p.display().to_string());
                match named {
                    Some(path) => drop(self.invalid.insert(path)),
                    None => self.invalid.extend(all),
                }
            }
            Some(Blame::Output) => drop(self.failed.insert(container())),
            Some(Blame::Stopped) => {
                self.errored = true;
                self.failed.insert(container());
            }
            // What it reads was not made: for BatchLib the container is no valid input.
            None if task.blocked => drop(self.invalid.insert(container())),
            None if task.state == TaskState::Succeeded => {}
            None => self.pending += 1,
        }
    }
}

/// The jobs of a plate's workflow, in its order. Jobs of one name are one.
pub(super) fn of_jobs(facts: &Facts) -> Vec<JobStatus> {
    let workflow = &facts.prepared.workflow;
    let mut by_job: BTreeMap<&str, Vec<&TaskRow>> = BTreeMap::new();
    for task in facts.tasks.values() {
        by_job.entry(&task.job).or_default().push(task);
    }
    let mut out: Vec<JobStatus> = Vec::new();
    let mut left_out = Some(left_out(facts));
    for job in &workflow.jobs {
        let name = &job.status_name;
        let position = out.iter().position(|status| status.name == *name);
        let position = position.unwrap_or_else(|| {
            out.push(JobStatus {
                name: name.clone(),
                ..JobStatus::default()
            });
            out.len() - 1
        });
        let status = &mut out[position];
        for task in by_job.get(job.id.as_str()).into_iter().flatten() {
            status.count(facts, task);
        }
        // As in BatchLib the first job meets the files; later ones see only what it made.
        if job.kind.scope == Scope::ImageSet {
            status.invalid.extend(left_out.take().unwrap_or_default());
        }
    }
    out
}

/// Files that never became tasks.
fn left_out(facts: &Facts) -> Vec<String> {
    let unusable = facts.left_out.iter().map(|f| facts.root.path.join(&f.path));
    let incomplete = facts.incomplete();
    let of_sets = incomplete.iter().flat_map(|set| set.inputs.iter().cloned());
    unusable
        .chain(of_sets)
        .map(|path| path.display().to_string())
        .collect()
}

/// The text of the workflow's file: the jobs that have ended, in their order.
pub(super) fn of_workflow(jobs: &[JobStatus]) -> String {
    struct InOrder<'a>(Vec<(&'a str, &'a str)>);
    impl Serialize for InOrder<'_> {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map(self.0.iter().copied())
        }
    }
    let ended = jobs
        .iter()
        .filter_map(|j| Some((j.name.as_str(), j.state()?)));
    python_json(&InOrder(ended.collect()))
}

/// JSON as Python's `json.dump(…, indent=2)` writes it: no newline at the end, and only ASCII.
fn python_json(value: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    let mut out = String::with_capacity(text.len());
    let mut units = [0; 2];
    for c in text.chars() {
        if c.is_ascii() && c != '\u{7f}' {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut units) {
            // Writing to a string cannot fail.
            let _ = write!(out, "\\u{unit:04x}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn status(name: &str) -> JobStatus {
        JobStatus {
            name: name.to_owned(),
            tasks: 3,
            ..JobStatus::default()
        }
    }

    #[test]
    fn files_are_written_as_python_writes_them() {
        let mut job = status("Preprocess");
        assert_eq!(job.json().unwrap(), "{\n  \"state\": \"processed\"\n}");
        job.invalid.insert("/data/µ-𝕏.tiff".to_owned());
        assert_eq!(
            job.json().unwrap(),
            "{\n  \"invalid_inputs\": [\n    \"/data/\\u00b5-\\ud835\\udd4f.tiff\"\n  ],\n  \"state\": \"invalid_inputs\"\n}"
        );
        job.failed.insert("/r/a.h5".to_owned());
        let text = job.json().unwrap();
        assert!(text.ends_with("\"state\": \"failed_outputs\"\n}"), "{text}");
        assert!(
            text.starts_with("{\n  \"failed_outputs\": [\n    \"/r/a.h5\"\n  ],\n"),
            "{text}"
        );
        job.errored = true;
        assert!(job.json().unwrap().ends_with("\"state\": \"errored\"\n}"));
    }

    #[test]
    fn the_workflow_keeps_the_order_of_its_jobs_and_leaves_out_those_that_have_not_ended() {
        let mut running = status("Running");
        running.pending = 1;
        assert_eq!(running.json(), None);
        let mut failed = status("Alpha");
        failed.failed.insert("/r/a.h5".to_owned());
        assert_eq!(
            of_workflow(&[status("Zeta"), running, failed]),
            "{\n  \"Zeta\": \"processed\",\n  \"Alpha\": \"failed_outputs\"\n}"
        );
        assert_eq!(of_workflow(&[]), "{}");
    }

    #[test]
    fn a_job_with_nothing_to_do_leaves_no_file() {
        let nothing = JobStatus::default();
        assert_eq!((nothing.json(), nothing.state()), (None, Some("processed")));
    }
}
