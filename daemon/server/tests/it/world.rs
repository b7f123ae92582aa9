//! A queue in a temporary folder, filled through its own methods, and a daemon that remembers what it was asked.
#![allow(dead_code, clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use queue::{
    ClaimRequest, Failure, FailureClass, Gate, NewPlate, NewRoot, NewSubject, NewTask, Outcome,
    Pass, PassId, Plan, PlateId, RootId, RootState, Store, SubjectId, SubjectKind, SubjectState,
    TaskFilter, TaskId, TaskReport, Upstream,
};
use serde_json::{Value, json};
use server::{
    Check, Control, DiskInfo, EdgeInfo, GpuInfo, GpuUse, JobInfo, Problem, WorkerInfo, WorkflowInfo,
};
use tempfile::TempDir;

pub struct World {
    pub folder: TempDir,
    pub store: Store,
    pub root: RootId,
}

impl World {
    /// A root, and nothing in it.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("queue.db"), queue::Options::default()).unwrap();
        store.boot().unwrap();
        let root = store
            .upsert_root(&NewRoot {
                path: "/data/acquisition".into(),
                name: "microscope 1".into(),
                output: "/data/results".into(),
                workflow: "cell-analysis".into(),
                mode: "native".into(),
            })
            .unwrap()
            .id();
        Self {
            folder,
            store,
            root,
        }
    }

    pub fn plate(&self, name: &str, rows: u32, columns: u32) -> PlateId {
        self.store
            .upsert_plate(&NewPlate {
                root: self.root,
                key: name.into(),
                name: name.into(),
                directory: name.into(),
                output: format!("/data/results/{name}").into(),
                expected: Some(rows * columns),
                rows: Some(rows),
                columns: Some(columns),
            })
            .unwrap()
            .id()
    }

    pub fn subject(
        &self,
        plate: PlateId,
        kind: SubjectKind,
        name: &str,
        state: SubjectState,
    ) -> SubjectId {
        let well = name.split_once('-').map(|(well, _)| well.to_owned());
        self.store
            .upsert_subject(&NewSubject {
                plate,
                kind,
                name: name.into(),
                site: well.is_some().then_some(1),
                well,
                timepoint: None,
                state,
                missing: match state {
                    SubjectState::Complete => json!([]),
                    _ => json!(["TRITC"]),
                },
                inputs: json!([format!("{name}_DAPI.tif")]),
                input_hash: Some("9a0364b9".into()),
            })
            .unwrap()
            .id()
    }

    /// An image set with the tasks nuclei -> cells -> measure.
    pub fn image_set(&self, plate: PlateId, name: &str, state: SubjectState) -> Vec<TaskId> {
        let subject = self.subject(plate, SubjectKind::ImageSet, name, state);
        let plan = Plan {
            subject,
            workflow: "cell-analysis".into(),
            workflow_version: "1".into(),
            tasks: vec![
                task("nuclei", "predict.stardist", 1, &[]),
                task("cells", "segment.watershed", 2, &["nuclei"]),
                task("measure", "measure.intensity", 3, &["cells"]),
            ],
            retire_missing: false,
        };
        let planned = self.store.put_tasks(&plan).unwrap();
        planned.into_iter().map(|task| task.id).collect()
    }

    /// The task that scores the whole plate.
    pub fn scores(&self, plate: PlateId) -> TaskId {
        let subject = self.subject(plate, SubjectKind::Plate, "plate", SubjectState::Complete);
        let plan = Plan {
            subject,
            workflow: "cell-analysis".into(),
            workflow_version: "1".into(),
            tasks: vec![NewTask {
                scope: "plate".into(),
                gate: Gate::PlateComplete,
                upstream: vec![Upstream::Plate {
                    job: "measure".into(),
                    require: queue::Require::Settled,
                }],
                ..task("scores", "analyse.cell_level", 4, &[])
            }],
            retire_missing: false,
        };
        self.store.put_tasks(&plan).unwrap()[0].id
    }

    pub fn claim(&self) -> Pass {
        let request = ClaimRequest {
            worker: "w1".into(),
            pid: Some(4242),
            lease: Duration::from_secs(600),
            ..ClaimRequest::default()
        };
        self.store
            .claim_pass(&request)
            .unwrap()
            .expect("something is ready")
    }

    pub fn succeed(&self) {
        let pass = self.claim();
        let report = |task: &queue::TaskRow| {
            let result = json!({ "objects": 118, "seconds": 0.84 });
            TaskReport {
                log: Some(format!(
                    "{}: reading 4 planes\n{}: 118 objects\n",
                    task.job, task.job
                )),
                timings: Some(json!({ "read_ms": 12, "compute_ms": 840 })),
                peak_rss: Some(412 * 1024 * 1024),
                ..TaskReport::new(task.id, Outcome::Succeeded { result })
            }
        };
        let reports: Vec<_> = pass.tasks.iter().map(report).collect();
        self.store
            .finish_pass(pass.id, &reports, Some(Path::new("/data/results/c.h5")))
            .unwrap();
    }

    /// Fails the first task of the next pass for good; the rest is skipped.
    pub fn fail(&self) -> TaskId {
        let pass = self.claim();
        let failure = Failure::new(
            FailureClass::Permanent,
            "tiff_truncated",
            "the file ends before its last strip <1 of 2>",
        )
        .with_remedy("copy it again from the microscope, then requeue")
        .with_path(format!("/data/acquisition/{}_DAPI.tif", pass.subject.name));
        let mut reports: Vec<_> = pass
            .tasks
            .iter()
            .map(|task| TaskReport::new(task.id, Outcome::Skipped))
            .collect();
        reports[0].outcome = Outcome::Failed { failure };
        reports[0].log = Some("reading A01\nstrip 41 of 64 is cut off\n".into());
        self.store.finish_pass(pass.id, &reports, None).unwrap();
        pass.tasks[0].id
    }

    /// One of each: A01 succeeded, A02 failed, A03 waits, B01 is still arriving.
    pub fn small() -> (Self, PlateId) {
        let world = Self::new();
        let plate = world.plate("plate-2026-07", 8, 12);
        for name in ["A01-0001", "A02-0001", "A03-0001"] {
            world.image_set(plate, name, SubjectState::Complete);
        }
        world.subject(
            plate,
            SubjectKind::ImageSet,
            "B01-0001",
            SubjectState::Arriving,
        );
        world.scores(plate);
        world.succeed();
        world.fail();
        (world, plate)
    }

    /// Something to look at.
    pub fn large() -> Self {
        let world = Self::new();
        world
            .store
            .upsert_root(&NewRoot {
                path: "/mnt/em/stacks".into(),
                name: "em stacks".into(),
                output: "/data/em".into(),
                workflow: "em-align".into(),
                mode: "polling".into(),
            })
            .map(|root| {
                let why = "the share is not mounted; it is taken up again by itself";
                world
                    .store
                    .set_root_state(root.id(), RootState::Offline, Some(why))
                    .unwrap();
            })
            .unwrap();
        let done = world.plate("20260731_screen_A", 8, 12);
        fill(&world, done, 8, 12, |_| SubjectState::Complete);
        world.scores(done);
        for _ in 0..96 {
            world.succeed();
        }
        world.store.complete_plate(done, "manifest", None).unwrap();
        world.succeed();
        let mixed = world.plate("20260801_screen_B", 16, 24);
        fill(&world, mixed, 16, 24, |i| match i {
            40..48 | 371 => SubjectState::Arriving,
            300.. => SubjectState::Arriving,
            _ => SubjectState::Complete,
        });
        world.scores(mixed);
        for i in 0..190 {
            match i {
                17 | 18 | 61 | 140 => drop(world.fail()),
                _ => world.succeed(),
            }
        }
        let big = world.plate(
            "20260802_kinase_library_1536_with_a_rather_long_name",
            32,
            48,
        );
        fill(&world, big, 31, 48, |_| SubjectState::Complete);
        let request = ClaimRequest {
            worker: "w2".into(),
            pid: Some(4243),
            lease: Duration::from_secs(600),
            ..ClaimRequest::default()
        };
        for _ in 0..4 {
            world.store.claim_pass(&request).unwrap();
        }
        world
            .store
            .complete_plate(
                mixed,
                "user",
                Some("finalized while the microscope was broken"),
            )
            .unwrap();
        world
    }
}

fn fill(
    world: &World,
    plate: PlateId,
    rows: u16,
    columns: u16,
    state: impl Fn(u16) -> SubjectState,
) {
    for row in 0..rows {
        for column in 1..=columns {
            let well = plate::WellName::from_row_column(row, column).unwrap();
            let i = row * columns + column - 1;
            match state(i) {
                SubjectState::Complete => {
                    world.image_set(plate, &format!("{well}-0001"), SubjectState::Complete);
                }
                other => {
                    let name = format!("{well}-0001");
                    world.subject(plate, SubjectKind::ImageSet, &name, other);
                }
            }
        }
    }
}

fn task(job: &str, kind: &str, position: i64, upstream: &[&str]) -> NewTask {
    NewTask {
        job: job.into(),
        kind: kind.into(),
        scope: "image_set".into(),
        gate: Gate::None,
        position,
        priority: 0,
        max_attempts: 3,
        key: Some(format!("{job}-5f1d7c")),
        ingredients: json!({ "inputs": "9a0364b9", "kind": kind, "parameters": { "sigma": 1.5, "channel": "DAPI" } }),
        upstream: upstream
            .iter()
            .map(|job| Upstream::Job((*job).to_owned()))
            .collect(),
        done: None,
    }
}

/// The workflow of `World::image_set` and `World::scores`, as it is configured.
fn workflow() -> WorkflowInfo {
    let job = |id: &str, kind: &str, scope: &str, needs: &[&str], output: &str| JobInfo {
        id: id.into(),
        kind: kind.into(),
        about: format!("What {kind} does."),
        scope: scope.into(),
        inputs: match needs {
            [] => BTreeMap::from([("image".into(), vec!["nuclei".into()])]),
            needs => {
                let names = needs.iter().map(|need| format!("{need}_out")).collect();
                BTreeMap::from([("labels".into(), names)])
            }
        },
        outputs: BTreeMap::from([("labels".into(), vec![output.into()])]),
        needs: needs
            .iter()
            .map(|need| EdgeInfo {
                job: (*need).into(),
                names: vec![format!("{need}_out")],
            })
            .collect(),
        parameters: json!({ "sigma": 1.5, "channel": "DAPI" }),
        keep: true,
        time_limit_secs: None,
        limit: None,
    };
    let set = "image_set";
    WorkflowInfo {
        name: "cell-analysis".into(),
        version: "1".into(),
        roots: vec![1],
        channels: BTreeMap::from([
            ("DAPI".into(), Some("nuclei".into())),
            ("TRITC".into(), None),
        ]),
        jobs: vec![
            job("nuclei", "predict.stardist", set, &[], "nuclei_out"),
            job("quality", "quality.image", set, &[], "quality_out"),
            job("cells", "segment.watershed", set, &["nuclei"], "cells_out"),
            job(
                "measure",
                "measure.intensity",
                set,
                &["cells", "quality"],
                "measure_out",
            ),
            JobInfo {
                needs: vec![
                    EdgeInfo {
                        job: "measure".into(),
                        names: vec!["measure_out".into()],
                    },
                    EdgeInfo {
                        job: "quality".into(),
                        names: Vec::new(),
                    },
                ],
                ..job(
                    "scores",
                    "analyse.cell_level",
                    "plate",
                    &["measure"],
                    "scores_out",
                )
            },
        ],
    }
}

/// What the engine would do; it remembers what it was asked.
pub struct Daemon {
    store: Store,
    pub asked: Mutex<Vec<String>>,
    pub ready: Mutex<bool>,
    /// What running passes have written.
    pub running_log: Mutex<Option<String>>,
}

impl Daemon {
    pub fn new(store: &Store) -> Self {
        Self {
            store: store.clone(),
            asked: Mutex::default(),
            ready: Mutex::new(true),
            running_log: Mutex::default(),
        }
    }

    fn note(&self, what: String) {
        self.asked.lock().unwrap().push(what);
    }
}

impl Control for Daemon {
    fn rescan(&self, root: RootId) -> Result<(), Problem> {
        if self.store.roots()?.iter().all(|row| row.id != root) {
            return Err(Problem::not_found("root", root.0));
        }
        self.note(format!("rescan {root}"));
        Ok(())
    }

    fn finalize(&self, plate: PlateId) -> Result<(), Problem> {
        self.note(format!("finalize {plate}"));
        Ok(self.store.complete_plate(plate, "user", None)?)
    }

    fn prioritise(&self, plate: PlateId, priority: i64) -> Result<bool, Problem> {
        self.note(format!("prioritise {plate} {priority}"));
        Ok(self.store.prioritise(&TaskFilter::plate(plate), priority)? > 0)
    }

    fn write_status_files(&self, plate: PlateId) -> Result<server::StatusFilesInfo, Problem> {
        self.note(format!("status files {plate}"));
        Ok(server::StatusFilesInfo {
            folder: "/data/results/plate/batchlib".into(),
            names: vec!["nuclei.status".into(), "w.status".into(), "w.log".into()],
        })
    }

    fn waiting_for(&self, _: &queue::TaskRow) -> Option<String> {
        None
    }

    fn running_log(&self, pass: PassId) -> Option<String> {
        let log = self.running_log.lock().unwrap().clone();
        log.map(|log| format!("pass {pass}: {log}"))
    }

    fn workflows(&self) -> Vec<WorkflowInfo> {
        vec![workflow()]
    }

    fn gpu(&self) -> Option<GpuInfo> {
        Some(GpuInfo {
            adapter: Some("A card".into()),
            used: [(
                "grey".to_owned(),
                GpuUse {
                    calls: 3,
                    dispatches: 12,
                    pixels: 3000,
                    device_seconds: 0.5,
                    wall_seconds: 0.75,
                },
            )]
            .into(),
            fallbacks: [("lost".to_owned(), 2)].into(),
            starts: 2,
            failures: 1,
        })
    }

    fn settling_below(&self, _root: RootId, folder: &Path) -> u64 {
        u64::from(folder == Path::new("20260801_screen_B")) * 3
    }

    fn workers(&self) -> Vec<WorkerInfo> {
        let since = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(7);
        vec![
            WorkerInfo {
                id: 1,
                pid: Some(4242),
                pass: Some(1),
                plate: Some("20260801_screen_B".into()),
                subject: Some("H12-0001".into()),
                job: Some("nuclei".into()),
                since,
            },
            WorkerInfo {
                id: 2,
                pid: None,
                pass: None,
                plate: None,
                subject: None,
                job: None,
                since,
            },
        ]
    }

    fn explain_path(&self, path: &Path) -> Option<Value> {
        path.starts_with("/data/acquisition")
            .then(|| json!({ "status": "settling", "path": path.to_string_lossy() }))
    }

    fn readiness(&self) -> Vec<Check> {
        let ok = *self.ready.lock().unwrap();
        vec![Check {
            name: "root microscope 1".into(),
            ok,
            detail: if ok { "" } else { "not mounted" }.into(),
            remedy: (!ok).then(|| "mount it".into()),
        }]
    }

    fn watching(&self, root: RootId) -> Option<server::Watching> {
        (root.0 == 1).then(|| server::Watching {
            mode: "poll".into(),
            reason: "nfs does not report the changes of all its writers".into(),
            file_system: "nfs".into(),
        })
    }

    fn settling(&self, _root: RootId) -> u64 {
        3
    }

    fn stop_passes(&self, passes: &[PassId]) {
        self.note(format!("stop {passes:?}"));
    }

    fn min_free(&self) -> u64 {
        10 << 30
    }

    fn disks(&self) -> Vec<DiskInfo> {
        vec![
            DiskInfo {
                path: "/var/lib/wellspring".into(),
                free_bytes: 42 << 30,
                total_bytes: 100 << 30,
            },
            DiskInfo {
                path: "/data/results".into(),
                free_bytes: 130 << 30,
                total_bytes: 8 << 40,
            },
        ]
    }
}
