//! What the server asks of the engine.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use config::DaemonConfig;
use engine::Engine;
use queue::{PassId, PlateId, RootId, RootState};
use server::{Check, Control, DiskInfo, Problem, Watching, WorkerInfo};

/// The engine behind the server's trait.
pub struct EngineControl {
    engine: Arc<Engine>,
    /// Folders whose free space matters.
    folders: Vec<PathBuf>,
    min_free: u64,
}

impl EngineControl {
    /// The control of an engine.
    pub fn new(engine: Arc<Engine>, config: &DaemonConfig) -> Self {
        let mut folders = vec![config.state.dir.clone()];
        folders.extend(config.roots.iter().map(|r| r.output.clone()));
        folders.dedup();
        Self {
            engine,
            folders,
            min_free: config.state.min_free.bytes(),
        }
    }
}

impl Control for EngineControl {
    fn rescan(&self, root: RootId) -> Result<(), Problem> {
        if self.engine.rescan(root) {
            Ok(())
        } else {
            Err(Problem::not_found("root", root.0))
        }
    }

    fn finalize(&self, plate: PlateId) -> Result<(), Problem> {
        self.engine.finalize(plate).map_err(|error| match error {
            engine::Error::Queue(error) => Problem::from(error),
            other => Problem::internal(other.to_string()),
        })
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
            let ok = disk.free_bytes >= self.min_free;
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

    fn stop_passes(&self, passes: &[PassId]) {
        self.engine.stop_passes(passes);
    }

    fn disks(&self) -> Vec<DiskInfo> {
        let space = |path: &PathBuf| {
            let existing = path.ancestors().find(|p| p.exists())?;
            let stat = rustix::fs::statvfs(existing).ok()?;
            Some(DiskInfo {
                path: path.display().to_string(),
                free_bytes: stat.f_bavail * stat.f_frsize,
                total_bytes: stat.f_blocks * stat.f_frsize,
            })
        };
        self.folders.iter().filter_map(space).collect()
    }
}
