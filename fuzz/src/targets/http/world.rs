//! A server with something to show.

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use queue::{
    Gate, NewPlate, NewRoot, NewSubject, NewTask, PassId, Plan, PlateId, RootId, Store,
    SubjectKind, SubjectState,
};
use serde_json::json;
use server::{AppState, Check, Control, DiskInfo, Options, Problem, WorkerInfo};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// The token of the guarded server.
pub(super) const TOKEN: &str = "correct-horse-battery-staple";

/// A queue, its server, and what drives them.
pub(super) struct World {
    pub guarded: bool,
    router: Router,
    runtime: Runtime,
    _folder: tempfile::TempDir,
}

impl World {
    pub(super) fn new(token: Option<&str>) -> Self {
        match Self::build(token) {
            Ok(world) => world,
            Err(error) => panic!("no server to ask: {error}"),
        }
    }

    fn build(token: Option<&str>) -> Result<Self, Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let store = Store::open(folder.path().join("queue.db"), queue::Options::default())?;
        store.boot()?;
        fill(&store)?;
        let state = AppState {
            control: Arc::new(Engine(store.clone())),
            store,
            // Containers are read by another program: what it answers is fuzzed at the readers of files.
            viewer: viewer::Viewer::new(
                viewer::SpawnOptions {
                    program: "/nonexistent".into(),
                    arguments: Vec::new(),
                    patience: std::time::Duration::from_secs(1),
                },
                1,
            ),
            options: Options {
                token: token.map(str::to_owned),
                allowed_hosts: Vec::new(),
                max_body: 64 << 10,
                version: "0.0.0".into(),
            },
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let address = "127.0.0.1:8787".parse()?;
        Ok(Self {
            guarded: token.is_some(),
            router: server::router(state, address, CancellationToken::new()),
            runtime,
            _folder: folder,
        })
    }

    pub(super) fn answer(&self, request: Request<Body>) -> Response<Body> {
        match self.block_on(self.router.clone().oneshot(request)) {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }

    pub(super) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }
}

/// A plate with an image set and two tasks.
fn fill(store: &Store) -> queue::Result<()> {
    let root = store
        .upsert_root(&NewRoot {
            path: "/data/acquisition".into(),
            name: "microscope".into(),
            output: "/data/results".into(),
            workflow: "cells".into(),
            mode: "native".into(),
        })?
        .id();
    let plate = store
        .upsert_plate(&NewPlate {
            root,
            key: "p".into(),
            name: "plate <script>alert(1)</script>".into(),
            directory: "p".into(),
            output: "/data/results/p".into(),
            expected: Some(96),
            rows: Some(8),
            columns: Some(12),
        })?
        .id();
    let subject = store
        .upsert_subject(&NewSubject {
            plate,
            kind: SubjectKind::ImageSet,
            name: "A01-0001".into(),
            site: Some(1),
            well: Some("A01".into()),
            timepoint: None,
            state: SubjectState::Complete,
            missing: json!([]),
            inputs: json!([]),
            input_hash: Some("9a0364b9".into()),
        })?
        .id();
    let task = |job: &str, position| NewTask {
        job: job.into(),
        kind: "filter.gaussian".into(),
        scope: "image_set".into(),
        gate: Gate::None,
        position,
        priority: 0,
        max_attempts: 3,
        key: Some(format!("{job}-5f1d7c")),
        ingredients: json!({ "inputs": "9a0364b9" }),
        upstream: Vec::new(),
        done: None,
    };
    store.put_tasks(&Plan {
        subject,
        workflow: "cells".into(),
        workflow_version: "1".into(),
        tasks: vec![task("blur", 1), task("measure", 2)],
        retire_missing: false,
    })?;
    Ok(())
}

/// The part of the daemon that has no engine here.
struct Engine(Store);

impl Control for Engine {
    fn rescan(&self, root: RootId) -> Result<(), Problem> {
        if self.0.roots()?.iter().all(|row| row.id != root) {
            return Err(Problem::not_found("root", root.0));
        }
        Ok(())
    }

    fn finalize(&self, plate: PlateId) -> Result<(), Problem> {
        Ok(self.0.complete_plate(plate, "user", None)?)
    }

    fn prioritise(&self, plate: PlateId, priority: i64) -> Result<bool, Problem> {
        let tasks = queue::TaskFilter::plate(plate);
        Ok(self.0.prioritise(&tasks, priority)? > 0)
    }

    fn write_status_files(&self, _: PlateId) -> Result<server::StatusFilesInfo, Problem> {
        Ok(server::StatusFilesInfo {
            folder: "/data/results/plate/batchlib".to_owned(),
            names: Vec::new(),
        })
    }

    fn waiting_for(&self, _: &queue::TaskRow) -> Option<String> {
        None
    }

    fn workers(&self) -> Vec<WorkerInfo> {
        Vec::new()
    }

    fn explain_path(&self, path: &Path) -> Option<serde_json::Value> {
        path.starts_with("/data/acquisition")
            .then(|| json!({ "path": path.to_string_lossy() }))
    }

    fn readiness(&self) -> Vec<Check> {
        Vec::new()
    }

    fn settling(&self, _: RootId) -> u64 {
        0
    }

    fn stop_passes(&self, _: &[PassId]) {}

    fn disks(&self) -> Vec<DiskInfo> {
        Vec::new()
    }
}
