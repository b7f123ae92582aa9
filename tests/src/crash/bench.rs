//! A daemon with one worker and one plate of two images, for tests that cause one fault and look at what becomes of it.

use std::fs;
use std::path::PathBuf;

use faults::{Action, Plan, Point, Role};
use serde_json::{Value, json};

use super::Victim;
use crate::synthetic::{PlateSpec, render, sites};

/// The plate.
pub const SPEC: PlateSpec = PlateSpec {
    rows: 1,
    columns: 2,
    sites: 1,
    side: 96,
    nuclei: 3,
    dead_well: None,
    seed: 11,
};

/// A daemon with one worker, so that it is known which one is meant.
pub struct Bench {
    /// The daemon.
    pub victim: Victim,
    _folder: tempfile::TempDir,
}

impl Bench {
    /// Starts it, with the plate's folder.
    ///
    /// # Panics
    /// It does not start.
    #[must_use]
    pub fn start() -> Self {
        let Ok(folder) = tempfile::tempdir() else {
            panic!("no temporary folder")
        };
        let mut victim = Victim::new(folder.path(), 1);
        victim.launch_and_wait();
        assert!(
            fs::create_dir(victim.folder("drop/plate-1")).is_ok(),
            "no folder"
        );
        Self {
            victim,
            _folder: folder,
        }
    }

    /// Where an image lies, or will.
    #[must_use]
    pub fn path(&self, index: usize) -> PathBuf {
        let file = &sites(&SPEC)[index].file;
        self.victim.folder("drop/plate-1").join(file)
    }

    /// An image comes.
    ///
    /// # Panics
    /// It cannot be written.
    pub fn image(&self, index: usize) {
        let aside = self.victim.folder("aside").join("image");
        let came = render(&SPEC, index)
            .and_then(|bytes| fs::write(&aside, bytes))
            .and_then(|()| fs::rename(aside, self.path(index)));
        assert!(came.is_ok(), "{came:?}");
    }

    /// Plants a fault in a worker or the daemon. Returns how many happened before.
    pub fn plant(&self, point: Point, action: Action, role: Role) -> usize {
        self.victim.plans().plant(
            point,
            Plan {
                action,
                after: 0,
                role: Some(role),
            },
        )
    }

    /// Waits for the next fault.
    ///
    /// # Panics
    /// It does not happen.
    pub fn wait_for_hit(&self, before: usize) {
        self.victim.wait("the fault has happened", |v| {
            v.plans().hits().len() > before
        });
    }

    /// Tasks of an image set that can run before the plate is complete.
    #[must_use]
    pub fn tasks(&self, index: usize) -> Vec<Value> {
        let page = self.victim.get("/api/v1/tasks?limit=1000");
        let mine = |t: &&Value| {
            t["subject_name"] == sites(&SPEC)[index].site.as_str() && t["job"] != "correct"
        };
        page["items"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(mine)
            .cloned()
            .collect()
    }

    /// Waits until all of them are in a state.
    ///
    /// # Panics
    /// They do not get there.
    pub fn wait_for(&self, index: usize, state: &str) -> Vec<Value> {
        self.victim
            .wait(&format!("all of image {index} is {state}"), |_| {
                let tasks = self.tasks(index);
                tasks.len() == 5 && tasks.iter().all(|t| t["state"] == state)
            });
        self.tasks(index)
    }

    /// (attempts, interruptions, crashes) of each.
    #[must_use]
    pub fn counters(&self, index: usize) -> Vec<(u64, u64, u64)> {
        let number = |t: &Value, what: &str| t[what].as_u64().unwrap_or(u64::MAX);
        let of = |t: &Value| {
            (
                number(t, "attempts"),
                number(t, "interruptions"),
                number(t, "crashes"),
            )
        };
        self.tasks(index).iter().map(of).collect()
    }

    /// Everything in the plate's results, hidden files too.
    #[must_use]
    pub fn output(&self) -> Vec<String> {
        let folder = self.victim.folder("results/plate-1");
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries
            .map(|e| e.file_name().to_string_lossy().into_owned())
            .collect()
    }

    /// Runs tasks again. Returns whether that was accepted.
    #[must_use]
    pub fn requeue(&self, filter: &Value) -> bool {
        let body = json!({ "filter": filter, "dry_run": false });
        self.victim.post("/api/v1/tasks/requeue", &body)
    }
}
