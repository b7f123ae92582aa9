//! Options and commands.

mod files;
mod plates;
mod requeue;
mod roots;
mod states;
mod tasks;
mod watch;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

pub use files::FilesCommand;
pub use plates::PlatesCommand;
pub use requeue::RequeueArgs;
pub use roots::RootsCommand;
pub use states::{PlateState, TaskState};
pub(crate) use states::{word, words};
pub use tasks::TasksCommand;
pub use watch::{WatchArgs, WatchCommand};

/// Options of all commands that talk to the daemon.
#[derive(Args, Clone, Debug, Default)]
pub struct ClientOptions {
    /// The daemon's address, for example `http://127.0.0.1:8787`; by default the one that the running daemon left in
    /// the state folder of the configuration.
    #[arg(
        long,
        global = true,
        help_heading = "Daemon and output",
        value_name = "URL",
        env = "WELLSPRING_SERVER"
    )]
    pub server: Option<String>,
    /// Configuration file that names the state folder; /etc/wellspring/wellspring.toml unless said.
    // The subcommands of the daemon have an argument with the same id, which then takes the place of this one.
    #[arg(
        long,
        global = true,
        help_heading = "Daemon and output",
        value_name = "FILE",
        env = "WELLSPRING_CONFIG"
    )]
    pub config: Option<PathBuf>,
    /// File with the access token.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "WELLSPRING_TOKEN_FILE"
    )]
    pub token_file: Option<PathBuf>,
    /// Print JSON.
    #[arg(long, global = true, help_heading = "Daemon and output")]
    pub json: bool,
    /// Print plain lines without colours or frames, values separated by tabs.
    #[arg(long, global = true, help_heading = "Daemon and output")]
    pub plain: bool,
}

/// Commands that talk to the daemon.
#[derive(Clone, Debug, Subcommand)]
pub enum ClientCommand {
    /// Show what the daemon is doing.
    Status,
    /// List plates, look at one, wait for them.
    #[command(subcommand)]
    Plates(PlatesCommand),
    /// List the watched folders, scan them again.
    #[command(subcommand)]
    Roots(RootsCommand),
    /// List tasks, see why they failed, run them again.
    #[command(subcommand)]
    Tasks(TasksCommand),
    /// List the files of watched folders, say where one stands.
    #[command(subcommand)]
    Files(FilesCommand),
    /// Follow the progress, or say where a file stands.
    Watch(WatchArgs),
    /// Start nothing more until `resume`; what is running goes on.
    Pause {
        /// Shown to everybody who wonders.
        #[arg(long)]
        reason: Option<String>,
        /// Come back only when nothing is running any more.
        #[arg(long)]
        wait: bool,
    },
    /// Go on after `pause`.
    Resume,
}

/// Which part of a list.
#[derive(Args, Clone, Copy, Debug)]
pub struct CursorArgs {
    /// Most rows.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: u32,
    /// Start after the row with this id (`next` of the part before).
    #[arg(long, value_name = "ID")]
    pub after: Option<i64>,
}

/// Reads a duration: seconds, or a number with `s`, `m` or `h`.
fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.char_indices().last() {
        Some((at, 's')) => (&text[..at], 1.0),
        Some((at, 'm')) => (&text[..at], 60.0),
        Some((at, 'h')) => (&text[..at], 3600.0),
        _ => (text, 1.0),
    };
    let seconds = number.trim().parse::<f64>().ok();
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds * unit).ok())
        .ok_or_else(|| "give seconds, or a number with s, m or h, for example 90 or 5m".to_owned())
}

#[cfg(test)]
mod tests;
