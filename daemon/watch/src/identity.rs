//! The state of a file on disk, as far as stat(2) tells.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

/// Size, times and inode of a file: if none of them changed, the content did not change either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileIdentity {
    /// Length in bytes.
    pub size: u64,
    /// Time of the last change of the content, nanoseconds since 1970.
    pub mtime_ns: i64,
    /// Time of the last change of content, owner, mode, links or name, nanoseconds since 1970.
    pub ctime_ns: i64,
    /// Inode number.
    pub inode: u64,
    /// Number of the file system. It may differ after a reboot or a remount, so it is no part of [`Self::same_state`].
    pub device: u64,
}

impl FileIdentity {
    /// Takes the identity out of the metadata of a file.
    #[must_use]
    pub fn of(metadata: &Metadata) -> Self {
        Self {
            size: metadata.size(),
            mtime_ns: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            ctime_ns: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
            inode: metadata.ino(),
            device: metadata.dev(),
        }
    }

    /// Whether both describe the same state of the same file.
    ///
    /// `inodes_are_stable` is false on network and FUSE file systems, where a remount may number all files anew; there
    /// the ctime, which no user can set, stands for the inode.
    #[must_use]
    pub const fn same_state(&self, other: &Self, inodes_are_stable: bool) -> bool {
        self.size == other.size
            && self.mtime_ns == other.mtime_ns
            && self.ctime_ns == other.ctime_ns
            && (!inodes_are_stable || self.inode == other.inode)
    }

    /// The later of mtime and ctime, nanoseconds since 1970: copying tools set an old mtime on new bytes.
    pub(crate) const fn last_change_ns(&self) -> i64 {
        if self.mtime_ns > self.ctime_ns {
            self.mtime_ns
        } else {
            self.ctime_ns
        }
    }
}

/// Saturates instead of overflowing: a corrupt file system reports any time it likes.
const fn nanoseconds(seconds: i64, fraction: i64) -> i64 {
    seconds
        .saturating_mul(1_000_000_000)
        .saturating_add(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_sign_of_new_content_counts_and_a_remount_does_not() {
        let state = FileIdentity {
            size: 1,
            mtime_ns: 2,
            ctime_ns: 3,
            inode: 4,
            device: 5,
        };
        for other in [
            FileIdentity { size: 9, ..state },
            FileIdentity {
                mtime_ns: 9,
                ..state
            },
            FileIdentity {
                ctime_ns: 9,
                ..state
            },
        ] {
            assert!(!state.same_state(&other, true) && !state.same_state(&other, false));
        }
        let elsewhere = FileIdentity { device: 9, ..state };
        assert!(state.same_state(&elsewhere, true));
        let renumbered = FileIdentity { inode: 9, ..state };
        assert!(!state.same_state(&renumbered, true) && state.same_state(&renumbered, false));
    }

    #[test]
    fn impossible_times_do_not_overflow() {
        assert_eq!(nanoseconds(i64::MAX, 999_999_999), i64::MAX);
        assert_eq!(nanoseconds(-1, 0), -1_000_000_000);
    }
}
