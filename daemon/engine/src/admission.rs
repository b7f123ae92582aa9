//! What runs at the same time: by memory, by threads and by named limits, not only by the number of workers.
//!
//! What a pass will need is estimated from the size of its images and the number of its outputs, and from what the same
//! jobs on images of the same size were seen to need before. A pass that needs more than there is runs alone.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex};

use queue::Admission;
use workflow::Workflow;

use crate::image_set::ImageSet;
use crate::lock::lock;

/// Share of the machine's memory that passes may use where nothing is configured, in percent.
const MEMORY_SHARE: u64 = 80;
/// What a worker needs before it has read anything: the program, its libraries and thread stacks.
const BASE: u64 = 64 << 20;
/// Copies of one plane that the most demanding job holds at a time, as 32-bit floats (distance transforms, watersheds).
const WORKING_PLANES: u64 = 8;
/// Bytes of a pixel in memory, as most jobs hold it.
const PIXEL: u64 = 4;
/// Kinds of pass whose need is remembered; far more than a laboratory has.
const REMEMBERED: usize = 4096;

/// What all passes together may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Capacity {
    /// Bytes of memory.
    pub memory: u64,
    /// Threads.
    pub threads: usize,
    /// How many passes may run at a time that have a job with this limit.
    pub limits: BTreeMap<String, u32>,
}

/// What one pass needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Need {
    /// Bytes of memory.
    pub memory: u64,
    /// Threads at least.
    pub threads: usize,
    /// Threads that it could use.
    pub threads_wanted: usize,
    /// Named limits of its jobs.
    pub limits: BTreeSet<String>,
    /// Under which its real need is remembered.
    pub shape: Shape,
}

/// Passes of one shape need about the same: workflow, jobs, pixels of a plane, planes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Shape {
    workflow: String,
    jobs: Vec<String>,
    pixels: u64,
    planes: usize,
}

#[derive(Debug, Default)]
struct Used {
    memory: u64,
    threads: usize,
    passes: usize,
    limits: BTreeMap<String, u32>,
}

/// Keeps account of what is in use.
#[derive(Debug)]
pub(crate) struct Admissions {
    capacity: Mutex<Capacity>,
    used: Arc<Mutex<Used>>,
    seen: Mutex<HashMap<Shape, u64>>,
    /// Why the pass that would be next has to wait.
    waiting: Mutex<Option<String>>,
}

/// Room that is taken until this is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    need: Need,
    /// Threads that the pass may use.
    pub threads: usize,
    used: Arc<Mutex<Used>>,
}

impl Admissions {
    pub fn new(capacity: Capacity) -> Self {
        Self {
            capacity: Mutex::new(capacity),
            used: Arc::default(),
            seen: Mutex::default(),
            waiting: Mutex::default(),
        }
    }

    /// From now on this much may be used.
    pub fn resize(&self, capacity: Capacity) {
        *lock(&self.capacity) = capacity;
    }

    /// Takes room for a pass.
    ///
    /// # Errors
    /// What to do instead: look for another pass, or wait.
    pub fn admit(&self, mut need: Need) -> Result<Permit, Admission> {
        let capacity = lock(&self.capacity).clone();
        let full = |limit: &String, used: &Used| {
            let most = capacity.limits.get(limit).copied().unwrap_or(u32::MAX);
            used.limits.get(limit).copied().unwrap_or(0) >= most
        };
        if let Some(seen) = lock(&self.seen).get(&need.shape) {
            need.memory = *seen;
        }
        let mut used = lock(&self.used);
        if need.limits.iter().any(|limit| full(limit, &used)) {
            return Err(Admission::Skip);
        }
        let free_threads = capacity.threads.saturating_sub(used.threads);
        let fits = used.memory.saturating_add(need.memory) <= capacity.memory
            && need.threads <= free_threads;
        if used.passes > 0 && !fits {
            *lock(&self.waiting) = Some(format!(
                "the next pass needs about {} MiB of memory and {} threads; {} of {} MiB and {free_threads} of {} threads are free",
                need.memory >> 20,
                need.threads,
                capacity.memory.saturating_sub(used.memory) >> 20,
                capacity.memory >> 20,
                capacity.threads
            ));
            return Err(Admission::Wait);
        }
        *lock(&self.waiting) = None;
        let threads = need.threads_wanted.min(free_threads).max(need.threads);
        used.memory += need.memory;
        used.threads += threads;
        used.passes += 1;
        for limit in &need.limits {
            *used.limits.entry(limit.clone()).or_default() += 1;
        }
        drop(used);
        Ok(Permit {
            need,
            threads,
            used: Arc::clone(&self.used),
        })
    }

    /// What a ready task with this named limit waits for, besides its turn.
    pub fn waiting_for(&self, limit: Option<&str>) -> Option<String> {
        if let Some(limit) = limit {
            let most = lock(&self.capacity).limits.get(limit).copied();
            let running = lock(&self.used).limits.get(limit).copied().unwrap_or(0);
            if let Some(most) = most.filter(|most| running >= *most) {
                return Some(format!(
                    "{running} of {most} passes with the limit `{limit}` are running"
                ));
            }
        }
        lock(&self.waiting).clone()
    }

    /// Remembers what a pass really needed at its worst, in bytes.
    pub fn learn(&self, permit: &Permit, peak: u64) {
        let mut seen = lock(&self.seen);
        if seen.len() >= REMEMBERED {
            seen.clear();
        }
        let known = seen.entry(permit.need.shape.clone()).or_default();
        *known = peak.max(*known);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut used = lock(&self.used);
        used.memory -= self.need.memory;
        used.threads -= self.threads;
        used.passes -= 1;
        for limit in &self.need.limits {
            if let Some(n) = used.limits.get_mut(limit) {
                *n -= 1;
            }
        }
    }
}

/// What a pass on an image set, or on a plate whose largest image set is `set`, will need.
pub(crate) fn need(
    workflow: &Workflow,
    jobs: &[String],
    set: &ImageSet,
    threads: (usize, usize),
) -> Need {
    let planes = || set.files.iter().flat_map(|f| &f.planes);
    let pixels = planes().map(|p| p.pixels).max().unwrap_or(0);
    let jobs_of_pass = || workflow.jobs.iter().filter(|job| jobs.contains(&job.id));
    let outputs = jobs_of_pass()
        .flat_map(|job| job.outputs.values().flatten())
        .count() as u64;
    let read = planes().count() as u64;
    // Read planes and outputs stay in memory until they are published, and once more as compressed chunks.
    let copies = read + 2 * outputs + WORKING_PLANES;
    Need {
        memory: BASE + copies * pixels * PIXEL,
        threads: threads.0,
        threads_wanted: threads.1,
        limits: jobs_of_pass()
            .filter_map(|job| job.limits.name.clone())
            .collect(),
        shape: Shape {
            workflow: workflow.name.clone(),
            jobs: jobs.to_vec(),
            pixels,
            planes: planes().count(),
        },
    }
}

/// Memory that passes may use on this machine, in bytes: a share of what the machine, or the control group, has.
pub(crate) fn memory_of_machine() -> u64 {
    let total = std::fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| kilobytes(&text, "MemTotal:"))
        .unwrap_or(u64::MAX / 100);
    let group = std::fs::read_to_string("/proc/self/cgroup")
        .ok()
        .and_then(|text| Some(text.lines().find_map(|l| l.strip_prefix("0::"))?.to_owned()))
        .map_or(u64::MAX, |group| group_limit(&group));
    total.min(group) / 100 * MEMORY_SHARE
}

fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|l| l.strip_prefix(name))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

/// The smallest `memory.max` or `memory.high` of a control group and those above it.
fn group_limit(group: &str) -> u64 {
    let folder = Path::new("/sys/fs/cgroup").join(group.trim_start_matches('/'));
    let limit = |file: std::path::PathBuf| {
        std::fs::read_to_string(file)
            .ok()?
            .trim()
            .parse::<u64>()
            .ok()
    };
    folder
        .ancestors()
        .take_while(|f| f.starts_with("/sys/fs/cgroup"))
        .flat_map(|f| ["memory.max", "memory.high"].map(|name| f.join(name)))
        .filter_map(limit)
        .min()
        .unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn admissions() -> Admissions {
        Admissions::new(Capacity {
            memory: 1000,
            threads: 4,
            limits: BTreeMap::from([("licence".to_owned(), 1)]),
        })
    }

    fn wants(memory: u64, limit: Option<&str>) -> Need {
        Need {
            memory,
            threads: 1,
            threads_wanted: 1,
            limits: limit.map(str::to_owned).into_iter().collect(),
            shape: Shape {
                pixels: memory,
                ..Shape::default()
            },
        }
    }

    #[test]
    fn memory_is_shared_and_given_back() {
        let all = admissions();
        let first = all.admit(wants(600, None)).unwrap();
        assert_eq!(all.admit(wants(500, None)).unwrap_err(), Admission::Wait);
        let second = all.admit(wants(400, None)).unwrap();
        drop(first);
        assert!(all.admit(wants(600, None)).is_ok());
        drop(second);
    }

    #[test]
    fn what_is_larger_than_everything_runs_alone() {
        let all = admissions();
        let huge = all.admit(wants(5000, None)).unwrap();
        assert_eq!(all.admit(wants(1, None)).unwrap_err(), Admission::Wait);
        drop(huge);
        let small = all.admit(wants(1, None)).unwrap();
        assert_eq!(all.admit(wants(5000, None)).unwrap_err(), Admission::Wait);
        drop(small);
    }

    #[test]
    fn a_full_limit_lets_others_pass() {
        let all = admissions();
        let held = all.admit(wants(1, Some("licence"))).unwrap();
        assert_eq!(
            all.admit(wants(1, Some("licence"))).unwrap_err(),
            Admission::Skip
        );
        assert!(all.admit(wants(1, None)).is_ok());
        drop(held);
        assert!(all.admit(wants(1, Some("licence"))).is_ok());
    }

    #[test]
    fn a_pass_takes_the_threads_that_are_free() {
        let all = admissions();
        let one = all.admit(wants(1, None)).unwrap();
        let plate = Need {
            threads_wanted: 8,
            ..wants(1, None)
        };
        assert_eq!(all.admit(plate.clone()).unwrap().threads, 3);
        drop(one);
        assert_eq!(all.admit(plate).unwrap().threads, 4);
    }

    #[test]
    fn what_was_seen_counts_more_than_what_was_guessed() {
        let all = admissions();
        let guess = all.admit(wants(100, None)).unwrap();
        all.learn(&guess, 900);
        drop(guess);
        let held = all.admit(wants(100, None)).unwrap();
        assert_eq!(all.admit(wants(200, None)).unwrap_err(), Admission::Wait);
        drop(held);
        assert!(all.admit(wants(200, None)).is_ok());
    }

    #[test]
    fn the_machine_has_memory() {
        let memory = memory_of_machine();
        assert!(memory > 64 << 20 && memory < 1 << 60, "{memory}");
    }
}
