//! `wellspring tasks`.

use std::ffi::OsString;

use clap::Subcommand;

use super::{CursorArgs, RequeueArgs, TaskState};

/// List tasks, see why they failed, run them again.
#[derive(Clone, Debug, Subcommand)]
pub enum TasksCommand {
    /// List tasks: id, plate, subject, job, state, attempts, error, what to do about it.
    List {
        /// Only of this plate: its id or name.
        #[arg(long)]
        plate: Option<String>,
        /// Only in these states.
        #[arg(long, value_delimiter = ',', value_name = "STATE")]
        state: Vec<TaskState>,
        /// Only failed and quarantined ones.
        #[arg(long, conflicts_with = "state")]
        failed: bool,
        /// Only of this job.
        #[arg(long)]
        job: Option<String>,
        /// Only of these wells: `A01`, a rectangle `A01:B03`, of a plate also a row `C` or a column `7`, separated by commas.
        #[arg(long, value_name = "WELLS")]
        well: Option<String>,
        /// Only where the subject, the job or the error contains this text.
        #[arg(long = "match", value_name = "TEXT")]
        text: Option<String>,
        /// Which part of the list.
        #[command(flatten)]
        cursor: CursorArgs,
    },
    /// Show a task, its attempts, and what it waits for.
    Show {
        /// The task.
        id: i64,
    },
    /// Print what the worker wrote during an attempt.
    Log {
        /// The task.
        id: i64,
        /// Number of the attempt; the last one unless said.
        #[arg(long, value_name = "N")]
        attempt: Option<u32>,
    },
    /// Run tasks again, and after them everything that depends on them.
    Requeue(RequeueArgs),
    /// Stop tasks that have not ended.
    Cancel {
        /// The tasks.
        #[arg(required = true, value_name = "ID")]
        ids: Vec<i64>,
    },
    /// Say why a task, or a file below a watched folder, is where it is.
    Explain {
        /// Id of a task, or path of a file.
        #[arg(value_name = "ID|PATH")]
        what: OsString,
    },
}
