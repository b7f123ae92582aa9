//! The child process that runs passes, and the daemon's hold on it.
//!
//! Messages are JSON lines over stdin and stdout; stderr is the log. One pass at a time. A crash, an endless loop or an
//! out-of-memory kill in here costs one attempt of one image set, never the daemon.

mod child;
mod log;
mod messages;
mod process;
mod protocol;
mod stderr;

pub use child::{prefer_as_victim, serve};
pub use process::{LogView, PassEnd, PassLimits, SpawnOptions, WorkerError, WorkerProcess};
pub use protocol::{FromWorker, ToWorker};
