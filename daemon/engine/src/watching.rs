//! The watcher's host: answers its questions from the queue, and hands what is whole to the intake.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use faults::Point;
use queue::{FileState, RootId, RootState};
use watch::{Event, FileIdentity, Host, Probe};

use crate::arrival::Seen;
use crate::intake::Intake;

/// The engine as the watcher sees it.
pub(crate) struct WatchHost {
    pub intake: Arc<Intake>,
    /// Told after everything that may have made work.
    pub wake: Arc<dyn Fn() + Send + Sync>,
}

impl Host for WatchHost {
    fn known(&self, root: i64, relative: &Path) -> Option<FileIdentity> {
        let file = self
            .intake
            .store()
            .find_file(RootId(root), relative)
            .ok()
            .flatten()
            // One that vanished is reported when it is back, also where nothing about it changed.
            .filter(|file| file.vanished_at.is_none())?;
        identity(
            file.state,
            file.content.is_some(),
            FileIdentity {
                size: file.size,
                mtime_ns: file.mtime_ns,
                ctime_ns: file.ctime_ns,
                inode: file.inode,
                device: file.device,
            },
        )
    }

    fn for_each_known(
        &self,
        root: i64,
        each: &mut dyn FnMut(&Path, &FileIdentity) -> ControlFlow<()>,
    ) {
        let mut enough = false;
        let visited = self.intake.store().known_files(RootId(root), |file| {
            let state = FileIdentity {
                size: file.size,
                mtime_ns: file.mtime_ns,
                ctime_ns: file.ctime_ns,
                inode: file.inode,
                device: file.device,
            };
            if !enough && let Some(identity) = identity(file.state, file.content.is_some(), state) {
                enough = each(&file.path, &identity).is_break();
            }
        });
        if let Err(error) = visited {
            tracing::warn!(root, %error, "the files that are known cannot be read from the queue");
        }
    }

    fn ignore(&self, root: i64, relative: &Path) -> Option<String> {
        let settings = self.intake.root(RootId(root))?;
        if let Some(rule) = plate::junk_rule(relative) {
            return Some(rule.to_owned());
        }
        match settings.naming.parse(relative) {
            // Folders are asked about too, and no naming scheme knows a folder's name.
            plate::Verdict::Ignored(rule) if !settings.path.join(relative).is_dir() => {
                Some(rule.to_owned())
            }
            _ => None,
        }
    }

    fn probe(&self, absolute: &Path) -> Probe {
        // Whoever may write into the folder may swap a link in at any time: the kernel is made to refuse it.
        let below = self.intake.facility().roots().iter().find_map(|root| {
            let relative = absolute.strip_prefix(&root.path).ok()?;
            Some(image_io::acquisition::probe_below(&root.path, relative))
        });
        let Some(probed) = below else {
            return Probe::Unreadable("it lies in no watched folder".into());
        };
        match probed {
            Ok(_) => Probe::Whole,
            // A file that is still being copied looks damaged: wait, and give up only after a long time without change.
            Err(error @ (image_io::Error::Damaged { .. } | image_io::Error::Io { .. })) => {
                Probe::NotYet(error.to_string())
            }
            Err(error) => Probe::Unreadable(error.to_string()),
        }
    }

    fn examined(&self, root: i64, files: Vec<Event>) {
        let missed = self.intake.missed();
        if missed.is_closed() {
            return missed.add(RootId(root));
        }
        let files: Vec<Seen> = files.into_iter().filter_map(seen).collect();
        let count = files.len();
        if let Err(error) = self.intake.arrived(RootId(root), files) {
            tracing::error!(root, files = count, %error, "files could not be registered; their root is scanned again");
            missed.add(RootId(root));
        }
        (self.wake)();
    }

    fn emit(&self, event: Event) {
        if let Some(root) = file_of(&event)
            && self.intake.missed().is_closed()
        {
            return self.intake.missed().add(root);
        }
        let result: crate::error::Result<()> = match &event {
            Event::RootState { root, state } => {
                let (state, detail) = match state {
                    watch::RootState::Online {
                        mode,
                        reason,
                        file_system,
                    } => {
                        tracing::debug!(root, mode = mode.as_str(), %reason, file_system, "root is online");
                        // Before anything is claimed: what the folder's workflow or mappings now say must be planned.
                        if let Err(error) = self.intake.plan_root(RootId(*root)) {
                            tracing::error!(root, %error, "plates could not be planned");
                        }
                        faults::point(Point::StartPlanned);
                        (RootState::Online, format!("{}: {reason}", mode.as_str()))
                    }
                    watch::RootState::Offline { reason } => {
                        tracing::debug!(root, %reason, "root is offline");
                        (RootState::Offline, reason.clone())
                    }
                };
                let store = self.intake.store();
                store
                    .set_root_state(RootId(*root), state, Some(&detail))
                    .and_then(|_| match state {
                        // What failed because the share was away need not wait for its time.
                        RootState::Online => store.hurry(Some(RootId(*root))).map(drop),
                        _ => Ok(()),
                    })
                    .map_err(Into::into)
            }
            Event::Overflow { root } => {
                tracing::warn!(
                    root,
                    "the kernel's event queue overflowed; scanning the root (raise fs.inotify.max_queued_events if this is frequent)"
                );
                Ok(())
            }
            Event::ScanDone {
                root,
                files,
                elapsed,
                unreadable_folders,
            } => {
                tracing::debug!(
                    root,
                    files,
                    elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
                    unreadable_folders,
                    "scan done"
                );
                Ok(())
            }
            // Results stay when their input is gone: acquisitions are often moved to an archive.
            Event::Vanished { root, path } => {
                tracing::debug!(root, path = %path.display(), "file is gone; its results stay");
                self.intake
                    .store()
                    .mark_vanished(RootId(*root), path)
                    .map(drop)
                    .map_err(Into::into)
            }
            _ => Ok(()),
        };
        if let Err(error) = result {
            tracing::error!(%error, ?event, "an event could not be recorded; its root is scanned again");
            if let Some(root) = file_of(&event) {
                self.intake.missed().add(root);
            }
        }
        (self.wake)();
    }
}

/// A file event as the intake takes it.
fn seen(event: Event) -> Option<Seen> {
    let (relative, identity, doubt) = match event {
        Event::Whole { path, identity, .. } | Event::Changed { path, identity, .. } => {
            (path, identity, None)
        }
        Event::Unreadable {
            path,
            identity,
            reason,
            ..
        } => (path, identity, Some(reason)),
        _ => return None,
    };
    Some(Seen {
        relative,
        identity,
        doubt,
    })
}

/// A file that waits for something outside itself (a channel mapping) counts as unknown, so that every scan offers it again.
fn identity(state: FileState, read: bool, identity: FileIdentity) -> Option<FileIdentity> {
    (state != FileState::Unreadable || read).then_some(identity)
}

/// The root of an event that is about a file.
fn file_of(event: &Event) -> Option<RootId> {
    match event {
        Event::Whole { root, .. }
        | Event::Changed { root, .. }
        | Event::Unreadable { root, .. }
        | Event::Vanished { root, .. } => Some(RootId(*root)),
        _ => None,
    }
}
