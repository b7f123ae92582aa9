//! The HTTP side of the daemon: the API under `/api/v1`, live events, health, metrics, and the web pages.
//!
//! Everything that is shown comes from the [`queue`]; what only a running daemon knows (workers, free space, files that
//! settle) is asked through [`Control`], which the program implements over its engine.
//!
//! - [`serve`] runs the server until it is told to stop, and then lets requests end, but not for long;
//! - [`Problem`] is every error that leaves this crate (RFC 9457, with a `code` for programs and a `remedy` for people);
//! - `api` answers programs, `page` answers people, `view` says what their JSON looks like;
//! - `security` decides who may ask: exact host names, a token, and no posts from other sites' pages.
//!
//! [`openapi`] describes the API; the same document is kept at `docs/reference/openapi.json`.

mod api;
mod app;
mod connection;
mod control;
mod error;
mod estimate;
mod extract;
mod openapi;
mod page;
mod percent;
mod problem;
mod published;
mod router;
mod security;
mod selection;
mod serve;
mod state;
mod view;
mod workflows;

pub use control::{
    Check, Control, DiskInfo, EdgeInfo, GpuInfo, GpuUse, JobInfo, StatusFilesInfo, Watching,
    WorkerInfo, WorkflowInfo,
};
pub use error::{Error, Result};
pub use openapi::openapi;
pub use problem::Problem;
pub use serve::{router, serve};
pub use state::{AppState, Options};
