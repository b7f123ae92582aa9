//! Job kinds, the graph of a workflow, task keys and the pass: what runs on what, and why.
//!
//! A workflow file (crate `config`) is compiled into a [`Workflow`]: jobs in an order in which they can run, with
//! checked parameters and named edges. A [`pass`] runs some of those jobs on one image set, or on one plate, with the
//! arrays kept in memory between jobs, and publishes one container.

mod accelerated;
pub mod authoring;
mod container;
mod context;
mod error;
mod graph;
mod key;
mod kind;
pub mod kinds;
pub mod pass;
mod plate_context;
mod port;
mod recent;
mod status_name;

pub use container::{CONTAINER_EXTENSION, container_file, plate_file, plate_table_file};
pub use context::{Item, JobIo, Look};
pub use error::{Failure, FailureClass, WorkflowError};
pub use graph::{Bindings, Job, Limits, Scope, Workflow, resolve_files};
pub use key::{Ingredients, TaskKey};
pub use kind::{Compiled, ImageOperation, KindInfo, PlateOperation};
pub use kinds::command::{guard, guard_with};
pub use plate_context::{PlateIo, PlateMember};
pub use port::{Holds, Port};

/// The example of the guide is compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/guide/add-a-job.md")]
struct AddAJob;
