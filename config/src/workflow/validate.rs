//! What the types alone cannot say about a workflow. Parameters, ports and edges are the workflow crate's business.

use std::collections::{BTreeMap, BTreeSet};

use super::{JobConfig, WorkflowFile};
use crate::problem::{Location, Place, Problem};
use crate::suggest::did_you_mean;

/// Longest name of an input or output.
const LONGEST_NAME: usize = 256;
/// Longest name, version or id; they become parts of file names.
const MAX_NAME: usize = 64;

impl WorkflowFile {
    /// Everything that is wrong or doubtful, errors and warnings.
    #[must_use]
    pub fn validate(&self) -> Vec<Problem> {
        let mut found = Vec::new();
        self.check_names(&mut found);
        self.check_channels(&mut found);
        self.check_scales(&mut found);
        let mut ids = BTreeSet::new();
        for (i, job) in self.jobs.iter().enumerate() {
            let mut of_job = Vec::new();
            check_job(job, &mut of_job);
            self.check_after(job, &mut of_job);
            if !ids.insert(job.id.as_str()) {
                of_job.push(
                    Problem::error("id", format!("the job id `{}` is used twice", job.id))
                        .remedy("give each job an id of its own"),
                );
            }
            found.extend(
                of_job
                    .into_iter()
                    .map(|problem| placed_in_job(problem, job, i)),
            );
        }
        if let Some(circle) = self.circle() {
            found.push(
                Problem::error(
                    "job",
                    format!("jobs wait for each other in a circle: {circle}"),
                )
                .remedy("take one of them out of `after`"),
            );
        }
        if !self.jobs.iter().any(|job| job.enabled) {
            found.push(
                Problem::warning("job", "no job is enabled; only the raw images are stored")
                    .remedy("add a `[[job]]` block"),
            );
        }
        found
    }

    fn at(&self, problem: Problem) -> Problem {
        let place = nearest(&self.places.0, &problem.key);
        match place {
            Some(location) => problem.at(Place::File(location)),
            None => problem,
        }
    }

    fn check_names(&self, found: &mut Vec<Problem>) {
        for (key, value) in [("name", &self.name), ("version", &self.version)] {
            if value.trim().is_empty() {
                found.push(
                    self.at(Problem::error(key, format!("the workflow has no {key}"))
                        .remedy(format!("add `{key} = \"…\"` at the top"))),
                );
            } else if value.len() > MAX_NAME
                || value.starts_with('.')
                || !value
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
            {
                found.push(self.at(
                    Problem::error(key, format!("`{value}` cannot be a {key}")).remedy(format!("use at most {MAX_NAME} letters, digits, `-`, `_` and `.`, not beginning with `.`")),
                ));
            }
        }
        if let Some(name) = &self.status_name {
            found.extend(check_status_name(name).map(|problem| self.at(problem)));
        }
    }

    fn check_channels(&self, found: &mut Vec<Problem>) {
        let mut taken: BTreeMap<&str, &str> = BTreeMap::new();
        for (channel, role) in &self.channels {
            let Some(role) = role.role() else { continue };
            let key = format!("channels.{channel}");
            if !is_name(role) {
                found.push(self.at(
                    Problem::error(&key, format!("`{role}` cannot be a role")).remedy(
                        "use letters, digits, `-`, `_` and `.`, or `false` to drop the channel",
                    ),
                ));
            }
            if let Some(other) = taken.insert(role, channel) {
                found.push(
                    self.at(Problem::error(
                        &key,
                        format!("`{channel}` and `{other}` have the same role `{role}`"),
                    )
                    .remedy("give each channel a role of its own, or `false` to drop it")),
                );
            }
        }
    }

    fn check_scales(&self, found: &mut Vec<Problem>) {
        let factors = &self.container.scale_factors;
        let begins = factors.first() == Some(&1);
        let rises = factors
            .windows(2)
            .all(|pair| pair[1] > pair[0] && pair[0] > 0 && pair[1].is_multiple_of(pair[0]));
        if !begins || !rises {
            found.push(
                self.at(Problem::error("container.scale_factors", format!("{factors:?} is not a pyramid"))
                    .remedy("begin with 1, and let each factor be a multiple of the one before: `[1, 2, 4, 8, 16]`")),
            );
        }
    }

    fn check_after(&self, job: &JobConfig, found: &mut Vec<Problem>) {
        for (k, id) in job.after.iter().enumerate() {
            let key = format!("after[{k}]");
            if *id == job.id {
                found.push(
                    Problem::error(key, format!("`{id}` cannot run after itself"))
                        .remedy("take it out of `after`"),
                );
            } else if self.job(id).is_none() {
                let near = did_you_mean(
                    id,
                    self.jobs
                        .iter()
                        .map(|other| other.id.as_str())
                        .filter(|other| *other != job.id),
                );
                let remedy = near.map_or_else(
                    || "name the `id` of another job".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                );
                found.push(Problem::error(key, format!("there is no job `{id}`")).remedy(remedy));
            }
        }
    }

    /// A circle of `after`, if there is one. Edges through inputs and outputs are not known here.
    fn circle(&self) -> Option<String> {
        let mut open: Vec<&JobConfig> = self.jobs.iter().collect();
        loop {
            let before = open.len();
            let ids: BTreeSet<&str> = open.iter().map(|job| job.id.as_str()).collect();
            // A job after itself is reported on its own.
            open.retain(|job| {
                job.after
                    .iter()
                    .any(|id| *id != job.id && ids.contains(id.as_str()))
            });
            if open.is_empty() {
                return None;
            }
            if open.len() == before {
                let mut walk = vec![open[0].id.as_str()];
                loop {
                    let last = walk[walk.len() - 1];
                    let job = open.iter().find(|job| job.id == last)?;
                    let next = job
                        .after
                        .iter()
                        .find(|id| **id != job.id && ids.contains(id.as_str()))?;
                    if let Some(start) = walk.iter().position(|id| id == next) {
                        let names: Vec<String> = walk[start..]
                            .iter()
                            .chain([&next.as_str()])
                            .map(|id| format!("`{id}`"))
                            .collect();
                        return Some(names.join(" after "));
                    }
                    walk.push(next);
                }
            }
        }
    }
}

fn check_job(job: &JobConfig, found: &mut Vec<Problem>) {
    let id = &job.id;
    let plain = if job.each.is_some() {
        id.replace("{each}", "each")
    } else {
        id.clone()
    };
    let fits = plain.starts_with(|c: char| c.is_ascii_alphabetic())
        && plain.len() <= MAX_NAME
        && plain
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    if !fits {
        found.push(
            Problem::error("id", format!("`{id}` cannot be a job id")).remedy(format!(
                "use at most {MAX_NAME} letters, digits, `-` and `_`, beginning with a letter"
            )),
        );
    }
    if job.kind.trim().is_empty() {
        found.push(
            Problem::error("kind", format!("job `{id}` has no `kind`"))
                .remedy("add `kind = \"…\"`; `wellspring workflow kinds` lists all kinds"),
        );
    }
    if let Some(name) = &job.status_name {
        let each = job.each.is_some();
        let plain = if each {
            name.replace("{each}", "each")
        } else {
            name.clone()
        };
        found.extend(check_status_name(&plain));
    }
    for (key, names) in [("input", &job.input), ("output", &job.output)] {
        for name in names
            .iter()
            .flat_map(|names| names.iter())
            .filter(|name| !is_path_of_names(name))
        {
            found.push(
                Problem::error(key, format!("`{name}` cannot be the name of an {key}"))
                    .remedy("use letters, digits, `-`, `_` and `.`; `/` only between parts"),
            );
        }
    }
    for (key, value) in &job.parameters {
        match foreign_to_json(value) {
            Some("date") => found.push(
                Problem::error(key, format!("`{key}` is a date, which no parameter can be"))
                    .remedy("put it in quotes to make it text"),
            ),
            Some(_) => found.push(
                Problem::error(key, format!("`{key}` is not a finite number"))
                    .remedy("leave it out for no limit, or write a large number"),
            ),
            None => {}
        }
    }
    if job.time_limit_secs == Some(0) {
        found.push(
            Problem::error("time_limit_secs", "no job is done in 0 seconds")
                .remedy("write at least 1, or leave it out for the daemon's limit"),
        );
    }
    if job.max_attempts == Some(0) {
        found.push(
            Problem::error("max_attempts", "a job needs at least 1 attempt")
                .remedy("write at least 1, or `enabled = false` to leave the job out"),
        );
    }
}

/// It becomes the name of a file.
fn check_status_name(name: &str) -> Option<Problem> {
    let fits = !name.is_empty()
        && name.len() <= MAX_NAME
        && !name.starts_with('.')
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    (!fits).then(|| {
        Problem::error("status_name", format!("`{name}` cannot be a status_name")).remedy(format!(
            "use at most {MAX_NAME} letters, digits, `-`, `_` and `.`, not beginning with `.`"
        ))
    })
}

/// What JSON lacks has no place in task keys and in messages to the workers: dates, `nan` and `inf`.
fn foreign_to_json(value: &toml::Value) -> Option<&'static str> {
    match value {
        toml::Value::Float(x) if !x.is_finite() => Some("infinite"),
        toml::Value::Datetime(_) => Some("date"),
        toml::Value::Array(items) => items.iter().find_map(foreign_to_json),
        toml::Value::Table(table) => table.values().find_map(foreign_to_json),
        _ => None,
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name != "."
        && name != ".."
        && name.len() <= LONGEST_NAME
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || "-_. {}".contains(c))
        && name.trim() == name
}

/// Tables have names of several parts; none of them may lead out of the container's group.
fn is_path_of_names(name: &str) -> bool {
    name.split('/')
        .all(|part| is_name(part) || pattern_taken_out(part).is_some_and(|rest| is_name(&rest)))
}

/// A name with `{serum_*}` in it, which stands for the names of channels; `{}` and `{each}` are names' own.
fn pattern_taken_out(name: &str) -> Option<String> {
    // Each pattern copies the rest: a name that is too long anyway is not looked at.
    if name.len() > LONGEST_NAME {
        return None;
    }
    let (before, rest) = name.split_once('{')?;
    let (pattern, after) = rest.split_once('}')?;
    let role = pattern.replacen('*', "x", 1);
    let fits = !role.is_empty()
        && role
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    // What is left may hold `{each}` or another `{}`.
    let rest = format!("{before}x{after}");
    fits.then(|| pattern_taken_out(&rest).unwrap_or(rest))
}

fn placed_in_job(problem: Problem, job: &JobConfig, index: usize) -> Problem {
    let place = nearest(&job.places.0, &problem.key).or_else(|| job.location("").cloned());
    let label = if job.id.is_empty() {
        index.to_string()
    } else {
        job.id.clone()
    };
    let key = format!("job.{label}.{}", problem.key);
    let problem = Problem { key, ..problem };
    match place {
        Some(location) => problem.at(Place::File(location)),
        None => problem,
    }
}

/// The place of a key, else of the nearest table or list around it.
fn nearest(places: &BTreeMap<String, Location>, key: &str) -> Option<Location> {
    let mut key = key;
    loop {
        if let Some(location) = places.get(key) {
            return Some(location.clone());
        }
        key = &key[..key.rfind(['.', '['])?];
    }
}
