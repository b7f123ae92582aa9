//! A queue in a temporary folder, with a clock that stands still, and short ways to fill it.

use std::path::Path;
use std::time::{Duration, Instant};

use queue::{
    Clock, Error, Failure, FailureClass, Gate, NewPlate, NewRoot, NewSubject, NewTask, Options,
    Outcome, Pass, PassId, Plan, PlannedTask, PlateId, RootId, Store, SubjectId, SubjectKind,
    SubjectState, TaskId, TaskReport, TaskState, Upstream,
};
use serde_json::json;
use tempfile::TempDir;

pub const LEASE: Duration = Duration::from_secs(60);

pub struct Queue {
    pub folder: TempDir,
    pub clock: Clock,
    pub store: Store,
    pub root: RootId,
}

impl Queue {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::manual(1_700_000_000_000);
        let store = open(&folder, &clock);
        let root = store.upsert_root(&new_root()).unwrap().id();
        Self {
            folder,
            clock,
            store,
            root,
        }
    }

    /// Lets go of the store without any farewell, and opens it again as a new daemon does.
    pub fn reopen(self) -> Self {
        let Self {
            folder,
            clock,
            store,
            root,
        } = self;
        drop(store);
        let store = open(&folder, &clock);
        Self {
            folder,
            clock,
            store,
            root,
        }
    }

    pub fn plate(&self, key: &str) -> PlateId {
        self.store
            .upsert_plate(&new_plate(self.root, key))
            .unwrap()
            .id()
    }

    pub fn image_set(&self, plate: PlateId, name: &str) -> SubjectId {
        self.store
            .upsert_subject(&image_set(plate, name, SubjectState::Complete))
            .unwrap()
            .id()
    }

    pub fn plate_subject(&self, plate: PlateId) -> SubjectId {
        let subject = NewSubject {
            kind: SubjectKind::Plate,
            well: None,
            site: None,
            ..image_set(plate, "plate", SubjectState::Complete)
        };
        self.store.upsert_subject(&subject).unwrap().id()
    }

    pub fn put(&self, subject: SubjectId, tasks: Vec<NewTask>) -> Vec<PlannedTask> {
        self.store.put_tasks(&plan(subject, tasks)).unwrap()
    }

    pub fn claim(&self) -> Option<Pass> {
        self.store.claim_pass(&request()).unwrap()
    }

    pub fn state(&self, task: TaskId) -> TaskState {
        self.store.task(task).unwrap().task.state
    }

    pub fn finish(&self, pass: PassId, reports: Vec<TaskReport>) {
        self.store.finish_pass(pass, &reports, None).unwrap();
    }

    /// Claims once and reports success of every task.
    pub fn run_one(&self) -> Pass {
        let pass = self.claim().expect("something is ready");
        self.finish(
            pass.id,
            pass.tasks.iter().map(|task| succeeded(task.id)).collect(),
        );
        pass
    }

    pub fn run_all(&self) {
        while let Some(pass) = self.claim() {
            self.finish(
                pass.id,
                pass.tasks.iter().map(|task| succeeded(task.id)).collect(),
            );
        }
    }

    /// No contradiction anywhere.
    pub fn assert_sound(&self) {
        assert_eq!(self.store.check().unwrap(), Vec::<String>::new());
    }
}

pub fn open(folder: &TempDir, clock: &Clock) -> Store {
    let options = Options {
        clock: clock.clone(),
        ..Options::default()
    };
    let store = open_free(&folder.path().join("queue.db"), &options).unwrap();
    store.boot().unwrap();
    store
}

/// Opens a queue that nobody has open but, for a moment, a process that another test is just starting: until its own program
/// runs, it has copies of all our open files, the locks among them.
pub fn open_free(path: &Path, options: &Options) -> queue::Result<Store> {
    let begin = Instant::now();
    loop {
        match Store::open(path, options.clone()) {
            Err(Error::InUse { .. }) if begin.elapsed() < Duration::from_secs(60) => {
                std::thread::yield_now();
            }
            opened => return opened,
        }
    }
}

pub fn new_root() -> NewRoot {
    NewRoot {
        path: "/data/acquisition".into(),
        name: "microscope".into(),
        output: "/data/results".into(),
        workflow: "cells".into(),
        mode: "native".into(),
    }
}

pub fn new_plate(root: RootId, key: &str) -> NewPlate {
    NewPlate {
        root,
        key: key.into(),
        name: format!("plate {key}"),
        directory: key.into(),
        output: format!("/data/results/{key}").into(),
        expected: Some(2),
        rows: Some(8),
        columns: Some(12),
    }
}

/// `name` starts with the well, as in `A01-0001`.
pub fn image_set(plate: PlateId, name: &str, state: SubjectState) -> NewSubject {
    NewSubject {
        plate,
        kind: SubjectKind::ImageSet,
        name: name.into(),
        well: name.get(..3).map(Into::into),
        site: Some(1),
        timepoint: None,
        state,
        missing: json!([]),
        inputs: json!([format!("{name}.tif")]),
        input_hash: Some("h0".into()),
    }
}

pub fn task(job: &str, position: i64, upstream: &[&str]) -> NewTask {
    NewTask {
        job: job.into(),
        kind: format!("kind.{job}"),
        scope: "image_set".into(),
        gate: Gate::None,
        position,
        priority: 0,
        max_attempts: 3,
        key: Some(format!("{job}:1")),
        ingredients: json!({ "parameters": { "sigma": 1.0 }, "inputs": "h0" }),
        upstream: upstream
            .iter()
            .map(|job| Upstream::Job((*job).to_owned()))
            .collect(),
        done: None,
    }
}

/// a -> b -> c.
pub fn chain() -> Vec<NewTask> {
    vec![
        task("a", 1, &[]),
        task("b", 2, &["a"]),
        task("c", 3, &["b"]),
    ]
}

pub fn plan(subject: SubjectId, tasks: Vec<NewTask>) -> Plan {
    Plan {
        subject,
        workflow: "cells".into(),
        workflow_version: "1".into(),
        tasks,
        retire_missing: false,
    }
}

pub fn request() -> queue::ClaimRequest {
    queue::ClaimRequest {
        worker: "w1".into(),
        pid: Some(4242),
        lease: LEASE,
        ..Default::default()
    }
}

pub fn succeeded(task: TaskId) -> TaskReport {
    TaskReport::new(
        task,
        Outcome::Succeeded {
            result: json!({ "objects": 7 }),
        },
    )
}

pub fn failed(task: TaskId, class: FailureClass) -> TaskReport {
    let failure = Failure::new(class, "test", "it did not work").with_remedy("try harder");
    TaskReport::new(task, Outcome::Failed { failure })
}

pub fn skipped(task: TaskId) -> TaskReport {
    TaskReport::new(task, Outcome::Skipped)
}

pub fn crashed(task: TaskId) -> TaskReport {
    TaskReport::new(
        task,
        Outcome::Crashed {
            signal: Some(11),
            detail: "while decoding".into(),
        },
    )
}

pub fn interrupted(task: TaskId) -> TaskReport {
    TaskReport::new(
        task,
        Outcome::Interrupted {
            reason: "another task crashed the worker".into(),
        },
    )
}

pub fn ids(planned: &[PlannedTask]) -> Vec<TaskId> {
    planned.iter().map(|task| task.id).collect()
}
