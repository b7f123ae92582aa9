//! `wellspring files`.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

use super::CursorArgs;

/// List the files of watched folders, say where one stands.
#[derive(Clone, Debug, Subcommand)]
pub enum FilesCommand {
    /// List recorded files: id, state, size, revision, path, remark.
    List {
        /// Only of this root: its id, name or path.
        #[arg(long)]
        root: Option<String>,
        /// Only in this state.
        #[arg(long)]
        state: Option<FileState>,
        /// Only those that are gone; their results stay.
        #[arg(long)]
        vanished: bool,
        /// Only where the path or the reason contains this text.
        #[arg(long = "match", value_name = "TEXT")]
        text: Option<String>,
        /// Which part of the list.
        #[command(flatten)]
        cursor: CursorArgs,
    },
    /// Say by which rule a file is ignored, or where it stands and what it is waiting for.
    Explain {
        /// Path of the file; it need not exist.
        path: PathBuf,
    },
}

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FileState {
    /// It is a plane of an image set.
    Registered,
    /// Its name fits no naming scheme.
    Unmatched,
    /// It is deliberately not processed.
    Ignored,
    /// It cannot be decoded.
    Unreadable,
    /// Another file now provides the same plane.
    Superseded,
}

impl FileState {
    /// The word of the API.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Unmatched => "unmatched",
            Self::Ignored => "ignored",
            Self::Unreadable => "unreadable",
            Self::Superseded => "superseded",
        }
    }
}
