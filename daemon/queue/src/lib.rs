//! The queue of Wellspring: what has arrived, what must be done with it, and what became of it.
//!
//! One SQLite file is the single source of truth of the daemon. It knows files, plates, subjects (image
//! sets, wells, plates, stacks), tasks and attempts, but nothing of pixels. Each change is one
//! transaction that also appends the events which describe it.
//!
//! # The life of a task
//! ```text
//!              upstream succeeded,                 ┌───────────► succeeded
//!              gate open                 claim     │ permanent, or attempts used up
//!   waiting ─────────────────► ready ──────────► running ───────► failed
//!      ▲                         ▲                 │ │ third crash
//!      │                         │ at its time     │ └───────────► quarantined
//!      │ a new key, a requeue    │                 │ transient, environment, crash
//!      │ or a reopened plate  retrying ◄───────────┘
//! ```
//! Interrupted tasks (daemon stopped, lease ran out) go straight back to ready and are not charged with an attempt.
//! Anything that has not ended can be `cancelled`.
//!
//! # Layout
//! - [`Store`]: opening, transactions, and one method for each change and each question;
//! - [`Transaction`]: the changes, to be combined;
//! - `model`: rows and what they are made from; `states`: their states;
//! - `transaction/graph`: how a change of one task reaches those behind it;
//! - `writer`: one connection, one `fsync` for all who wait; `schema`: migrations.
//!
//! # Example
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! use queue::{NewRoot, Options, Store};
//!
//! let store = Store::open(folder.path().join("queue.db"), Options::default())?;
//! store.boot()?;
//! let root = store.upsert_root(&NewRoot {
//!     path: "/data/acquisition".into(),
//!     name: "microscope 1".into(),
//!     output: "/data/results".into(),
//!     workflow: "cell-analysis".into(),
//!     mode: "native".into(),
//! })?;
//! assert_eq!(store.roots()?[0].id, root.id());
//! # Ok(())
//! # }
//! ```

mod backoff;
mod clock;
mod columns;
mod counts;
mod difference;
mod error;
mod filter;
mod ids;
mod lock;
mod model;
mod names;
mod notify;
mod paths;
mod read;
mod readers;
mod schema;
mod statements;
mod states;
mod store;
mod transaction;
mod writer;

pub use clock::Clock;
pub use counts::{SubjectCounts, TaskCounts};
pub use difference::difference;
pub use error::{Error, Result};
pub use filter::TaskFilter;
pub use ids::{AttemptId, EventId, FileId, NoticeId, PassId, PlateId, RootId, SubjectId, TaskId};
pub use model::{
    AttemptRow, Change, EventRow, FailedTask, Failure, FileRecord, FileRow, KnownFile, NewPlate,
    NewRecipient, NewRoot, NewSubject, NewTask, News, NoticeRow, Outcome, PauseNews, Plan,
    PlannedTask, PlateNews, PlateRow, RecipientRow, Recorded, RootRow, SubjectRow, TaskReport,
    TaskRow, Upserted, Upstream,
};
pub use names::UnknownName;
pub use read::{
    Cursor, Ended, Explanation, FileCounts, FileFilter, Hold, JobLoad, JobUse, Neighbour, Pace,
    Page, PassSummary, PlateCounts, PlateFilter, PlateLoad, PlateSummary, Reason, SetProgress,
    SiteSummary, Status, SubjectFilter, SubjectSummary, TaskDetail, Throughput, WellSummary,
    WorkflowUse,
};
pub use states::{
    AttemptOutcome, EventKind, FailureClass, FileState, Gate, NoticeKind, NoticeState, PlateState,
    Require, RootState, SubjectKind, SubjectState, TaskState,
};
pub use store::{Options, Store};
pub use transaction::{
    Admission, Admit, Beat, Cancelled, Candidate, ClaimFilter, ClaimRequest, PERSON, Pass, Pruned,
    Recovered, Target, Transaction,
};
