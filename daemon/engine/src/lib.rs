//! The engine room: what arrives becomes image sets, image sets become tasks, tasks become passes of worker processes, and their
//! results are committed.
//!
//! ```text
//! watch ─ whole file ─▶ intake ─ files, plates, image sets, tasks ─▶ queue
//!                       completion ─ "the plate has all it will get" ─▶ queue
//! queue ─ claimed pass ─▶ dispatch ─▶ worker process ─ report ─▶ queue
//! ```

mod admission;
mod arrival;
mod arriving;
mod because;
mod blame;
mod completion;
mod configured;
mod dispatch;
mod engine;
mod error;
mod facility;
mod gpu;
mod hash;
mod image_set;
mod intake;
mod leftovers;
mod links;
mod lock;
mod missed;
mod missing;
mod once;
mod outcome;
mod output;
mod planes;
mod planner;
mod planning;
mod ready_pass;
mod records;
mod tend;
mod traces;
mod vigil;
mod volume;
mod watching;

pub use blame::Blame;
pub use configured::{check_root, missing_here, planned_mode};
pub use dispatch::WorkerState;
pub use engine::{Engine, EngineOptions};
pub use error::{Error, Result};
pub use facility::{Facility, Prepared, RootSettings};
pub use gpu::GpuState;
pub use once::{FailedTask, RunOptions, RunProgress, RunSummary, run_once};
pub use traces::StatusFiles;
pub use volume::Volume;
