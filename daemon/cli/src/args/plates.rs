//! `wellspring plates`.

use std::time::Duration;

use clap::Subcommand;

use super::{CursorArgs, PlateState};

/// List plates, look at one, wait for them. PLATE is an id or a name.
#[derive(Clone, Debug, Subcommand)]
pub enum PlatesCommand {
    /// List plates, newest first: id, name, state, image sets seen and expected, tasks ended and in all, failed tasks.
    List {
        /// Only in these states.
        #[arg(long, value_delimiter = ',', value_name = "STATE")]
        state: Vec<PlateState>,
        /// Only of this root: its id, name or path.
        #[arg(long)]
        root: Option<String>,
        /// Only where the name contains this text.
        #[arg(long = "match", value_name = "TEXT")]
        text: Option<String>,
        /// Which part of the list.
        #[command(flatten)]
        cursor: CursorArgs,
    },
    /// Show a plate and its wells.
    Show {
        /// Id or name.
        plate: String,
        /// Print the wells only.
        #[arg(long)]
        wells: bool,
    },
    /// Wait until plates have ended; the exit code is 1 if they ended with failures or time ran out.
    Wait {
        /// Ids or names.
        #[arg(required = true, value_name = "PLATE")]
        plates: Vec<String>,
        /// Wait for this state instead.
        #[arg(long, value_delimiter = ',', value_name = "STATE")]
        state: Vec<PlateState>,
        /// Give up after so long: seconds, or a number with s, m or h.
        #[arg(long, value_name = "SECS", value_parser = super::duration)]
        timeout: Option<Duration>,
        /// Wait also for plates that the daemon has not seen yet.
        #[arg(long)]
        allow_missing: bool,
    },
    /// Decide that plates have all they will get: what waits for the whole plate is run with what is there.
    Finalize {
        /// Ids or names.
        #[arg(required = true, value_name = "PLATE")]
        plates: Vec<String>,
    },
    /// Run plates before others, or after them: all tasks of a plate, those to come included, get this priority.
    Prioritise {
        /// Ids or names.
        #[arg(required = true, value_name = "PLATE")]
        plates: Vec<String>,
        /// Larger is run first; 0 is usual.
        #[arg(long, short, allow_negative_numbers = true, value_name = "N")]
        priority: i32,
    },
    /// Write BatchLib's status and log files of plates that have ended into `batchlib/` in their results.
    StatusFiles {
        /// Ids or names.
        #[arg(required = true, value_name = "PLATE")]
        plates: Vec<String>,
    },
    /// Start nothing more of plates until they are resumed.
    Pause {
        /// Ids or names.
        #[arg(required = true, value_name = "PLATE")]
        plates: Vec<String>,
        /// Shown to everybody who wonders.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Go on with paused plates.
    Resume {
        /// Ids or names.
        #[arg(required = true, value_name = "PLATE")]
        plates: Vec<String>,
    },
}
