//! Messages between the daemon and a worker: one JSON object a line.

use gpu_worker::Tally;
use serde::{Deserialize, Serialize};
use workflow::pass::{PassReport, PassRequest};

/// From the daemon to a worker.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "message", rename_all = "snake_case")]
pub enum ToWorker {
    /// A workflow that later passes name by `id`; sent once.
    Workflow {
        /// Chosen by the daemon; the same id always means the same text.
        id: String,
        /// The workflow file, `extends` resolved.
        file: Box<config::WorkflowFile>,
    },
    /// Run this pass.
    Pass {
        /// Which workflow.
        workflow: String,
        /// Threads to use.
        threads: usize,
        /// What to do.
        request: Box<PassRequest>,
    },
}

/// From a worker to the daemon.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "message", rename_all = "snake_case")]
pub enum FromWorker {
    /// The worker takes passes.
    Ready {
        /// Version of the worker's program; must be the daemon's.
        version: String,
    },
    /// A job of the pass starts.
    Started {
        /// Its id.
        job: String,
    },
    /// The pass is over.
    Done {
        /// How.
        report: Box<PassReport>,
        /// Largest resident size of the worker during the pass, in bytes.
        peak_rss: u64,
        /// What a GPU did for the pass.
        #[serde(default, skip_serializing_if = "Tally::is_empty")]
        gpu: Tally,
    },
    /// The message cannot be acted on.
    Refused {
        /// Why.
        reason: String,
    },
}
