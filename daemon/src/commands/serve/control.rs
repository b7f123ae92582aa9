//! What the server asks of the engine.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use engine::Engine;
use queue::{PassId, PlateId, RootId, RootState};
use serde_json::json;
use server::{Check, Control, DiskInfo, Problem, WorkerInfo};
use watch::FileStatus;

/// The engine behind the server's trait.
pub struct EngineControl {
    engine: Arc<Engine>,
    /// Why the configuration that lies on the disk is not the one that runs.
    reload_error: Mutex<Option<String>>,
}

impl EngineControl {
    /// The control of an engine.
    pub const fn new(engine: Arc<Engine>) -> Self {
        Self {
            engine,
            reload_error: Mutex::new(None),
        }
    }

    /// Notes how the last reload ended.
    pub fn reloaded(&self, error: Option<String>) {
        *self
            .reload_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = error;
    }
}

impl EngineControl {
    /// What became of a file that the queue knows: it need not have become an image.
    fn recorded(&self, root: RootId, path: &Path) -> (&'static str, String) {
        let store = self.engine.store();
        let roots = store.roots().unwrap_or_default();
        let file = roots
            .iter()
            .find(|r| r.id == root)
            .and_then(|r| path.strip_prefix(&r.path).ok())
            .and_then(|relative| store.find_file(root, relative).ok().flatten());
        match file {
            Some(file) => {
                let parts = [file.reason, file.remedy];
                let detail = parts.into_iter().flatten().collect::<Vec<_>>().join("; ");
                (file.state.as_str(), detail)
            }
            None => ("registered", "registered in this state".to_owned()),
        }
    }
}

impl Control for EngineControl {
    fn rescan(&self, root: RootId) -> Result<(), Problem> {
        match self.engine.rescan(root) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Problem::not_found("root", root.0)),
            Err(error) => Err(problem(error)),
        }
    }

    fn finalize(&self, plate: PlateId) -> Result<(), Problem> {
        self.engine.finalize(plate).map_err(problem)
    }

    fn prioritise(&self, plate: PlateId, priority: i64) -> Result<bool, Problem> {
        self.engine.prioritise(plate, priority).map_err(problem)
    }

    fn workers(&self) -> Vec<WorkerInfo> {
        let convert = |w: engine::WorkerState| WorkerInfo {
            id: w.id as u64,
            pid: w.pid,
            pass: w.pass,
            plate: w.plate,
            subject: w.subject,
            job: w.job,
            since: w.since,
        };
        self.engine.workers().into_iter().map(convert).collect()
    }

    fn explain_path(&self, path: &Path) -> Option<serde_json::Value> {
        let (root, status) = self.engine.explain_path(path)?;
        let (state, detail) = match status {
            FileStatus::Known { .. } => self.recorded(root, path),
            other => words(&other),
        };
        Some(
            json!({ "root": root, "path": path.display().to_string(), "state": state, "detail": detail }),
        )
    }

    fn readiness(&self) -> Vec<Check> {
        let mut checks = Vec::new();
        let check = |name: String, ok: bool, detail: String, remedy: &str| Check {
            name,
            ok,
            detail,
            remedy: (!ok).then(|| remedy.to_owned()),
        };
        let reload_error = self
            .reload_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(error) = reload_error {
            checks.push(check(
                "configuration".to_owned(),
                false,
                format!("the file cannot be used, the daemon runs with the one before: {error}"),
                "correct it and reload: systemctl reload wellspring",
            ));
        }
        match self.engine.store().roots() {
            Ok(roots) => {
                for root in roots.iter().filter(|r| r.state != RootState::Removed) {
                    let detail = root.detail.clone().unwrap_or_default();
                    checks.push(check(
                        format!("root {}", root.name),
                        root.state == RootState::Online,
                        detail,
                        "mount the share; it is taken up again by itself",
                    ));
                }
            }
            Err(error) => checks.push(check(
                "queue".to_owned(),
                false,
                error.to_string(),
                "look at the daemon's log",
            )),
        }
        for disk in self.disks() {
            let ok = disk.free_bytes >= self.engine.min_free();
            checks.push(check(
                format!("disk {}", disk.path),
                ok,
                format!("{} MiB free", disk.free_bytes >> 20),
                "free some space",
            ));
        }
        checks
    }

    fn settling(&self, root: RootId) -> u64 {
        self.engine.settling(root) as u64
    }

    fn stop_passes(&self, passes: &[PassId]) {
        self.engine.stop_passes(passes);
    }

    fn disks(&self) -> Vec<DiskInfo> {
        let convert = |v: engine::Volume| DiskInfo {
            path: v.folder.display().to_string(),
            free_bytes: v.free,
            total_bytes: v.total,
        };
        self.engine.volumes().into_iter().map(convert).collect()
    }
}

fn problem(error: engine::Error) -> Problem {
    match error {
        engine::Error::Queue(error) => Problem::from(error),
        other => Problem::internal(other.to_string()),
    }
}

/// Where a file stands, as a word for programs and a sentence for people.
fn words(status: &FileStatus) -> (&'static str, String) {
    match status {
        FileStatus::UnknownRoot => ("unknown", "the root is not watched".to_owned()),
        FileStatus::OutsideRoot => (
            "outside",
            "the path does not lie inside the root".to_owned(),
        ),
        FileStatus::RootOffline { reason } => ("offline", format!("the root is offline: {reason}")),
        FileStatus::Ignored { rule } => ("ignored", format!("ignored: {rule}")),
        FileStatus::Missing => ("missing", "there is no such file".to_owned()),
        FileStatus::NotAFile => (
            "not_a_file",
            "it is a folder, a socket or a device".to_owned(),
        ),
        FileStatus::Inaccessible { reason } => ("inaccessible", reason.clone()),
        FileStatus::Settling { waiting_for, .. } => ("settling", waiting_for.to_string()),
        FileStatus::Unreadable { reason } => {
            ("unreadable", format!("given up until it changes: {reason}"))
        }
        FileStatus::Reported => ("reported", "whole; it is being registered".to_owned()),
        FileStatus::Known { .. } => ("registered", "registered in this state".to_owned()),
        _ => ("unseen", "not seen yet; the next scan finds it".to_owned()),
    }
}
