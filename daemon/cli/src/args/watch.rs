//! `wellspring watch`.

use std::time::Duration;

use clap::Args;

/// What to follow, and until when.
#[derive(Args, Clone, Debug, Default)]
pub struct WatchArgs {
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
