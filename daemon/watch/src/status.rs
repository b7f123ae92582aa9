//! Answers to "what about this file?".

use crate::FileIdentity;
use std::fmt;
use std::path::PathBuf;
use std::time::SystemTime;

/// What a file still lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaitingFor {
    /// The settle time without a change.
    Quiet,
    /// Its first byte.
    Content,
    /// What the probe misses.
    Rest(String),
    /// A stat(2) that works.
    Access(String),
}

impl fmt::Display for WaitingFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Quiet => f.write_str("it changed a moment ago; waiting until it stays the same"),
            Self::Content => f.write_str("it is empty"),
            Self::Rest(missing) => write!(f, "it is not all there: {missing}"),
            Self::Access(error) => write!(f, "it cannot be read: {error}"),
        }
    }
}

/// A file that is being waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettlingFile {
    /// Path from the root.
    pub path: PathBuf,
    /// When it was first seen.
    pub since: SystemTime,
    /// Its size at the last look, bytes.
    pub size: u64,
    /// What it lacks.
    pub waiting_for: WaitingFor,
}

/// Where one path stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileStatus {
    /// No root has this id.
    UnknownRoot,
    /// The path is absolute or climbs out of the root; it was not looked at.
    OutsideRoot,
    /// The root is offline, so nothing can be said.
    RootOffline {
        /// Why.
        reason: String,
    },
    /// A rule excludes it.
    Ignored {
        /// The rule.
        rule: String,
    },
    /// It does not exist.
    Missing,
    /// It is a folder, a socket or a device.
    NotAFile,
    /// It cannot be looked at.
    Inaccessible {
        /// The error of the operating system.
        reason: String,
    },
    /// It is being waited for.
    Settling {
        /// When it was first seen.
        since: SystemTime,
        /// What it lacks.
        waiting_for: WaitingFor,
    },
    /// It was given up, until it changes.
    Unreadable {
        /// What is missing.
        reason: String,
    },
    /// It was reported as whole, and the host has not registered it yet.
    Reported,
    /// The host knows it in this state.
    Known {
        /// The state.
        identity: FileIdentity,
    },
    /// It exists and was not seen yet: the next scan finds it.
    Unseen,
}
