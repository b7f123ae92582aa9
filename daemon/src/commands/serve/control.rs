//! What the server asks of the engine.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use engine::Engine;
use queue::{PassId, PlateId, RootId, RootState};
use server::{
    Check, Control, DiskInfo, GpuInfo, GpuUse, Problem, StatusFilesInfo, Watching, WorkerInfo,
    WorkflowInfo,
};

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

    fn write_status_files(&self, plate: PlateId) -> Result<StatusFilesInfo, Problem> {
        let files = self.engine.write_status_files(plate).map_err(problem)?;
        Ok(StatusFilesInfo {
            folder: files.folder.display().to_string(),
            names: files.names,
        })
    }

    fn waiting_for(&self, task: &queue::TaskRow) -> Option<String> {
        self.engine.waiting_for(task)
    }

    fn running_log(&self, pass: PassId) -> Option<String> {
        self.engine.running_log(pass)
    }

    fn workflows(&self) -> Vec<WorkflowInfo> {
        super::workflows::configured(&self.engine.facility())
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

    fn gpu(&self) -> Option<GpuInfo> {
        let state = self.engine.gpu();
        // What one did before it was switched off is told on.
        if state.host.is_none() && state.tally.is_empty() {
            return None;
        }
        let host = state.host.unwrap_or_default();
        let used = state.tally.used.iter().map(|(operation, used)| {
            let used = GpuUse {
                calls: used.calls,
                dispatches: used.dispatches,
                pixels: used.pixels,
                device_seconds: used.device_seconds,
                wall_seconds: used.wall_seconds,
            };
            (operation.name().to_owned(), used)
        });
        Some(GpuInfo {
            used: used.collect(),
            adapter: state.tally.adapter,
            fallbacks: state.tally.fallbacks,
            starts: host.starts,
            failures: host.failures,
        })
    }

    fn explain_path(&self, path: &Path) -> Option<serde_json::Value> {
        super::explain::explain(&self.engine, path)
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
                    let watching = self.engine.watching(root.id);
                    let how =
                        watching.map(|w| format!("watched: {} ({}; {})", w.0.as_str(), w.2, w.1));
                    let detail = how.or_else(|| root.detail.clone()).unwrap_or_default();
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
        let holds = self.engine.store().status().map(|status| status.holds);
        for hold in holds.unwrap_or_default() {
            if hold.holder == "output" {
                checks.push(check(
                    "output".to_owned(),
                    false,
                    hold.reason,
                    "mount the share; work resumes by itself",
                ));
            }
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

    fn watching(&self, root: RootId) -> Option<Watching> {
        let (mode, reason, file_system) = self.engine.watching(root)?;
        Some(Watching {
            mode: mode.as_str().to_owned(),
            reason,
            file_system,
        })
    }

    fn settling(&self, root: RootId) -> u64 {
        self.engine.settling(root) as u64
    }

    fn settling_below(&self, root: RootId, folder: &Path) -> u64 {
        self.engine.settling_below(root, folder) as u64
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

    fn min_free(&self) -> u64 {
        self.engine.min_free()
    }
}

fn problem(error: engine::Error) -> Problem {
    let remedy = error.remedy();
    let problem = match error {
        engine::Error::Queue(error) => return Problem::from(error),
        engine::Error::NotDone { .. } => Problem::conflict("not_done", error.to_string()),
        engine::Error::StatusFiles { .. } | engine::Error::File(_) | engine::Error::Io { .. } => {
            Problem::unavailable("no_place", error.to_string())
        }
        other => return Problem::internal(other.to_string()),
    };
    Problem { remedy, ..problem }
}
