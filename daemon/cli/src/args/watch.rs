//! `wellspring watch`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

/// What to follow, and until when.
#[derive(Args, Clone, Debug, Default)]
#[command(args_conflicts_with_subcommands = true)]
pub struct WatchArgs {
    /// Something else than following.
    #[command(subcommand)]
    pub command: Option<WatchCommand>,
    /// Only this plate: its id or name. It need not be there yet.
    #[arg(long)]
    pub plate: Option<String>,
    /// End when there are plates and all of them have ended; the exit code is 1 if any ended with failures.
    #[arg(long)]
    pub until_done: bool,
    /// Give up after so long: seconds, or a number with s, m or h. The exit code is 1 then with --until-done.
    #[arg(long, value_name = "SECS", value_parser = super::duration)]
    pub timeout: Option<Duration>,
}

/// Questions to the watching itself.
#[derive(Clone, Debug, Subcommand)]
pub enum WatchCommand {
    /// Say by which rule a file is ignored, or where it stands and what it is waiting for; the same as `files explain`.
    Explain {
        /// Path of the file; it need not exist.
        path: PathBuf,
    },
}
