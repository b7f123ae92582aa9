//! Where one path stands, asked from any thread.

use crate::Host;
use crate::host::RootState;
use crate::shared::Shared;
use crate::status::FileStatus;
use std::fs;
use std::path::{Component, Path};

pub(super) fn explain(shared: &Shared, host: &dyn Host, relative: &Path) -> FileStatus {
    let inside = relative
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    if !inside || relative.as_os_str().is_empty() {
        return FileStatus::OutsideRoot;
    }
    if let RootState::Offline { reason } = &*shared.state() {
        return FileStatus::RootOffline {
            reason: reason.clone(),
        };
    }
    if let Some(rule) = shared
        .rules
        .excludes_from_above(host, shared.spec.id, relative)
    {
        return FileStatus::Ignored { rule };
    }
    if let Some(status) = look_at_disk(shared, relative) {
        return status;
    }
    let known = host.known(shared.spec.id, relative);
    let arrivals = shared.arrivals();
    if let Some(entry) = arrivals.settling.get(relative) {
        FileStatus::Settling {
            since: entry.since,
            waiting_for: entry.waiting_for.clone(),
        }
    } else if let Some((_, reason)) = arrivals.unreadable.get(relative) {
        FileStatus::Unreadable {
            reason: reason.clone(),
        }
    } else if let Some(identity) = known {
        FileStatus::Known { identity }
    } else if arrivals.reported.contains_key(relative) {
        FileStatus::Reported
    } else {
        FileStatus::Unseen
    }
}

/// What the disk alone says about a path, if that settles the matter.
fn look_at_disk(shared: &Shared, relative: &Path) -> Option<FileStatus> {
    let mut absolute = shared.spec.path.clone();
    let mut parts = relative.components().peekable();
    while let Some(part) = parts.next() {
        absolute.push(part);
        let metadata = match fs::symlink_metadata(&absolute) {
            Ok(metadata) => metadata,
            Err(error) => {
                return Some(match error.kind() {
                    std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => {
                        FileStatus::Missing
                    }
                    _ => FileStatus::Inaccessible {
                        reason: error.to_string(),
                    },
                });
            }
        };
        // Nothing behind a link is looked at: it may lie outside of the root.
        let last = parts.peek().is_none();
        if metadata.is_symlink() && !(last && shared.spec.follow_symlinks) {
            let link = absolute
                .strip_prefix(&shared.spec.path)
                .unwrap_or(&absolute)
                .display();
            return Some(FileStatus::Ignored {
                rule: format!("{link} is a symbolic link, and links are not followed"),
            });
        }
        if last && !metadata.is_file() && !metadata.is_symlink() {
            return Some(FileStatus::NotAFile);
        }
    }
    None
}
