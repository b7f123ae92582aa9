//! `wellspring roots`.

use clap::Subcommand;

/// List the watched folders, scan them again.
#[derive(Clone, Debug, Subcommand)]
pub enum RootsCommand {
    /// List the watched folders: id, name, state, mode, workflow, files that settle, path, remark.
    List,
    /// List the files of watched folders again, now.
    Rescan {
        /// Ids, names or paths.
        #[arg(
            required_unless_present = "all",
            conflicts_with = "all",
            value_name = "ROOT"
        )]
        roots: Vec<String>,
        /// All of them.
        #[arg(long)]
        all: bool,
    },
}
