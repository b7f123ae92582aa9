//! `wellspring tasks requeue`.

use clap::{ArgGroup, Args};

use super::TaskState;

/// Which tasks to run again: those with these ids, or all that satisfy everything that is set.
#[derive(Args, Clone, Debug, Default)]
#[command(group = ArgGroup::new("which").required(true).multiple(true).args(["ids", "failed", "plate", "state", "job", "well"]))]
pub struct RequeueArgs {
    /// The tasks.
    #[arg(value_name = "ID", conflicts_with_all = ["failed", "plate", "state", "job", "well"])]
    pub ids: Vec<i64>,
    /// Those that failed or were quarantined; the same is meant where neither a state nor --from is given.
    #[arg(long, conflicts_with = "state")]
    pub failed: bool,
    /// Those of this plate: its id or name.
    #[arg(long)]
    pub plate: Option<String>,
    /// Those in these states.
    #[arg(long, value_delimiter = ',', value_name = "STATE")]
    pub state: Vec<TaskState>,
    /// Those of this job.
    #[arg(long)]
    pub job: Option<String>,
    /// Those of these wells: `A01`, a rectangle `A01:B03`, of a plate also a row `C` or a column `7`, separated by commas.
    #[arg(long, value_name = "WELLS")]
    pub well: Option<String>,
    /// Start at this job of the same subjects instead; of those in every state, unless states are given.
    #[arg(long, value_name = "JOB")]
    pub from: Option<String>,
    /// Only say what would be run again.
    #[arg(long, short = 'n')]
    pub dry_run: bool,
    /// Do not ask.
    #[arg(long, short)]
    pub yes: bool,
}
