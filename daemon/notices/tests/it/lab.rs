//! A queue with a plate of one image, and the part of the daemon that tells people.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use config::{DaemonConfig, LoadOptions};
use notices::Notices;
use queue::{
    ClaimRequest, Clock, Failure, FailureClass, Gate, NewPlate, NewRoot, NewSubject, NewTask,
    NoticeRow, NoticeState, Options, Outcome, Plan, PlateId, RecipientRow, Store, SubjectKind,
    SubjectState, TaskFilter, TaskReport, TaskState,
};
use serde_json::json;
use tokio::runtime::Runtime;

pub struct Lab {
    pub clock: Clock,
    pub store: Store,
    pub folder: tempfile::TempDir,
    pub plate: PlateId,
    pub notices: Option<Notices>,
    runtime: Option<Runtime>,
}

pub const PLATE: &str = "P <1> & `co` @channel *bold*";

impl Lab {
    /// With the blocks of a configuration.
    pub fn new(blocks: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::manual(1_700_000_000_000);
        let store = open(&folder, &clock);
        let root = NewRoot {
            path: "/data/in".into(),
            name: "microscope".into(),
            output: folder.path().join("results"),
            workflow: "w".into(),
            mode: "native".into(),
        };
        let root = store.upsert_root(&root).unwrap().id();
        let plate = NewPlate {
            root,
            key: "p".into(),
            name: PLATE.into(),
            directory: "p".into(),
            output: folder.path().join("results/p"),
            expected: None,
            rows: None,
            columns: None,
        };
        let plate = store.upsert_plate(&plate).unwrap().id();
        let subject = NewSubject {
            plate,
            kind: SubjectKind::ImageSet,
            name: "A01-0001".into(),
            well: Some("A01".into()),
            site: Some(1),
            timepoint: None,
            state: SubjectState::Complete,
            missing: json!([]),
            inputs: json!([]),
            input_hash: Some("h".into()),
        };
        let subject = store.upsert_subject(&subject).unwrap().id();
        let task = NewTask {
            job: "segment".into(),
            kind: "segment.threshold".into(),
            scope: "image_set".into(),
            gate: Gate::None,
            position: 1,
            priority: 0,
            max_attempts: 3,
            key: Some("k".into()),
            ingredients: json!({}),
            upstream: Vec::new(),
            done: None,
        };
        store
            .put_tasks(&Plan {
                subject,
                workflow: "w".into(),
                workflow_version: "1".into(),
                tasks: vec![task],
                retire_missing: false,
            })
            .unwrap();
        store.complete_plate(plate, "manual", None).unwrap();
        let mut lab = Self {
            clock,
            store,
            folder,
            plate,
            notices: None,
            runtime: None,
        };
        lab.begin(blocks);
        lab
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The plate's summary, as the kind `report.summary` names it.
    pub fn summary(&self, ending: &str) -> PathBuf {
        let name = PLATE.replace(['<', '>', '*'], "_");
        self.path(&format!("results/p/{name}_summary.{ending}"))
    }

    /// A daemon starts.
    pub fn begin(&mut self, blocks: &str) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let config = self.configured(blocks);
        let notices = runtime.block_on(async { Notices::start(&self.store, &config).unwrap() });
        self.notices = Some(notices);
        self.runtime = Some(runtime);
    }

    /// It stops. Returns how long that took.
    pub fn stop(&mut self) -> Duration {
        let begin = Instant::now();
        if let (Some(runtime), Some(notices)) = (self.runtime.take(), self.notices.take()) {
            runtime.block_on(notices.stop());
            runtime.shutdown_background();
        }
        begin.elapsed()
    }

    /// Its configuration is read again.
    pub fn reload(&self, blocks: &str) {
        let config = self.configured(blocks);
        self.notices.as_ref().unwrap().reload(&config).unwrap();
    }

    fn configured(&self, blocks: &str) -> DaemonConfig {
        let file = self.path("wellspring.toml");
        let text = format!(
            "[server]\npublic_url = \"https://page.test/\"\n[[root]]\npath = \"/data/in\"\noutput = \"/data/out\"\nworkflow = \"w\"\n{blocks}"
        );
        std::fs::write(&file, text).unwrap();
        DaemonConfig::load(LoadOptions::new().file(file))
            .unwrap()
            .config
    }

    /// The image is analysed.
    pub fn succeed(&self) {
        let result = json!({});
        self.end(Outcome::Succeeded { result });
    }

    /// The image cannot be analysed.
    pub fn fail(&self) {
        let failure = Failure::new(
            FailureClass::Permanent,
            "tiff_truncated",
            "the file <ends> early",
        )
        .with_remedy("copy it again");
        self.end(Outcome::Failed { failure });
    }

    fn end(&self, outcome: Outcome) {
        let request = ClaimRequest {
            worker: "w1".into(),
            lease: Duration::from_secs(60),
            ..ClaimRequest::default()
        };
        let pass = self.store.claim_pass(&request).unwrap().unwrap();
        let report = TaskReport::new(pass.tasks[0].id, outcome);
        self.store.finish_pass(pass.id, &[report], None).unwrap();
    }

    /// The image is to be analysed again.
    pub fn again(&self) {
        let all = TaskFilter {
            states: TaskState::ALL.to_vec(),
            ..TaskFilter::default()
        };
        assert_eq!(self.store.requeue(&all, None, false).unwrap().len(), 1);
    }

    /// Time passes, and something happens, so that the daemon looks at the clock.
    pub fn later(&self, time: Duration) {
        self.clock.advance(time);
        let reason = format!("{}", self.clock.now());
        self.store
            .pause(queue::Target::Plate(self.plate), "test", &reason)
            .unwrap();
    }

    pub fn recipient(&self, name: &str) -> RecipientRow {
        let rows = self.store.recipients().unwrap();
        rows.into_iter().find(|row| row.name == name).unwrap()
    }

    /// Waits until the queue says this of a recipient.
    pub fn wait(
        &self,
        name: &str,
        what: &str,
        condition: impl Fn(&RecipientRow) -> bool,
    ) -> RecipientRow {
        let begin = Instant::now();
        loop {
            let row = self.recipient(name);
            if condition(&row) {
                return row;
            }
            assert!(
                begin.elapsed() < Duration::from_secs(300),
                "{what}: {row:?}"
            );
            std::thread::yield_now();
        }
    }

    pub fn notices_in(&self, state: NoticeState) -> Vec<NoticeRow> {
        let all = self.store.notices(100).unwrap();
        all.into_iter().filter(|row| row.state == state).collect()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.stop();
    }
}

fn open(folder: &tempfile::TempDir, clock: &Clock) -> Store {
    let options = Options {
        clock: clock.clone(),
        ..Options::default()
    };
    let store = Store::open(folder.path().join("queue.db"), options).unwrap();
    store.boot().unwrap();
    store
}

/// A file that only its owner can read.
pub fn secret_file(lab: &std::path::Path, name: &str, text: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = lab.join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path
}
