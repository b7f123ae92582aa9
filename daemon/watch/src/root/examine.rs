//! Files whose time has come: still the same, and all there?

use super::Root;
use super::walk::{is_gone, is_trouble_of_the_share};
use crate::counters::count;
use crate::settling::Entry;
use crate::status::WaitingFor;
use crate::{Event, FileIdentity, Probe};
use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

impl Root<'_> {
    /// Examines what is due, at least one file, until the time is over, and tells the host what was found.
    pub(super) fn examine_due(&mut self, until: Instant) {
        while !self.stopping() {
            let now = Instant::now();
            let due = self.shared.arrivals().settling.pop_due(now);
            let Some((path, entry)) = due else { break };
            self.examine(&path, &entry);
            if now >= until {
                break;
            }
        }
        self.tell();
    }

    /// Hands over what this turn found. Several files of one folder cost the host one transaction.
    fn tell(&mut self) {
        let found = std::mem::take(&mut self.found);
        if found.is_empty() || self.stopping() {
            return;
        }
        let whole: Vec<(PathBuf, FileIdentity)> = found
            .iter()
            .filter_map(|event| match event {
                Event::Whole { path, identity, .. } | Event::Changed { path, identity, .. } => {
                    Some((path.clone(), *identity))
                }
                _ => None,
            })
            .collect();
        self.host.examined(self.id(), found);
        let stable = self.inodes_are_stable();
        for (path, identity) in whole {
            let known = self.host.known(self.id(), &path);
            if known.is_some_and(|known| known.same_state(&identity, stable)) {
                self.shared.arrivals().reported.remove(&path);
            }
        }
    }

    fn examine(&mut self, path: &Arc<Path>, entry: &Entry) {
        let absolute = self.absolute(path);
        let Some(identity) = self.state_of(path, &absolute, entry) else {
            return;
        };
        let now = Instant::now();
        if identity != entry.identity {
            self.shared
                .arrivals()
                .settling
                .look(path, identity, None, now);
        } else if now < entry.ready_at {
            self.shared.arrivals().settling.wait_on(path, now);
        } else if identity.size == 0 {
            self.not_whole(path, identity, WaitingFor::Content);
        } else if self.lies_inside(path) {
            self.probe(path, &absolute, entry);
        } else {
            self.shared.arrivals().settling.remove(path);
        }
    }

    fn probe(&mut self, path: &Arc<Path>, absolute: &Path, entry: &Entry) {
        count(&self.shared.tally.probes);
        // A file made to break a decoder costs this file, not the root.
        let probe = catch_unwind(AssertUnwindSafe(|| self.host.probe(absolute)))
            .unwrap_or_else(|_| Probe::Unreadable("the probe of its format crashed on it".into()));
        // What the probe saw counts only if nobody wrote meanwhile.
        let Some(identity) = self.state_of(path, absolute, entry) else {
            return;
        };
        if identity != entry.identity {
            self.shared
                .arrivals()
                .settling
                .look(path, identity, None, Instant::now());
            return;
        }
        match probe {
            Probe::Whole => self.whole(path, identity),
            Probe::NotYet(missing) => self.not_whole(path, identity, WaitingFor::Rest(missing)),
            Probe::Unreadable(reason) => self.unreadable(path, identity, reason),
        }
    }

    /// The state of a file that is waited for; nothing if the matter is closed or put off.
    fn state_of(
        &mut self,
        path: &Arc<Path>,
        absolute: &Path,
        entry: &Entry,
    ) -> Option<FileIdentity> {
        match self.stat_file(path, absolute) {
            Ok(Some(identity)) => Some(identity),
            Ok(None) => {
                self.shared.arrivals().settling.remove(path);
                None
            }
            Err(error) => {
                count(&self.shared.tally.errors);
                if is_trouble_of_the_share(&error) {
                    self.check_at = Some(Instant::now());
                }
                self.not_whole(path, entry.identity, WaitingFor::Access(error.to_string()));
                None
            }
        }
    }

    fn stat_file(&self, path: &Path, absolute: &Path) -> io::Result<Option<FileIdentity>> {
        match fs::symlink_metadata(absolute) {
            Ok(metadata) if metadata.is_file() => Ok(Some(FileIdentity::of(&metadata))),
            Ok(metadata) if metadata.is_symlink() => {
                Ok(self.follow(path).as_ref().map(FileIdentity::of))
            }
            Ok(_) => Ok(None),
            Err(error) if is_gone(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether no folder above the file is a symbolic link. None was when it was found, but somebody may have swapped one
    /// in since, and nothing may be read outside of the root.
    fn lies_inside(&self, path: &Path) -> bool {
        let Some(folder) = path.parent() else {
            return false;
        };
        let real = |relative: &Path| fs::canonicalize(self.absolute(relative));
        match (real(Path::new("")), real(folder)) {
            (Ok(root), Ok(real)) => real.strip_prefix(root).is_ok_and(|inside| inside == folder),
            _ => false,
        }
    }

    fn whole(&mut self, path: &Arc<Path>, identity: FileIdentity) {
        let root = self.id();
        let previous = self.host.known(root, path);
        if previous.is_some_and(|known| known.same_state(&identity, self.inodes_are_stable())) {
            self.shared.arrivals().settling.remove(path);
            return;
        }
        {
            let mut arrivals = self.shared.arrivals();
            arrivals.settling.remove(path);
            arrivals
                .reported
                .insert(path.to_path_buf(), (identity, Instant::now()));
        }
        let path = path.to_path_buf();
        self.found.push(match previous {
            None => {
                count(&self.shared.tally.whole);
                Event::Whole {
                    root,
                    path,
                    identity,
                }
            }
            Some(previous) => {
                count(&self.shared.tally.changed);
                Event::Changed {
                    root,
                    path,
                    identity,
                    previous,
                }
            }
        });
    }

    fn not_whole(&mut self, path: &Arc<Path>, identity: FileIdentity, waiting_for: WaitingFor) {
        let missing = waiting_for.to_string();
        let waits_on = self
            .shared
            .arrivals()
            .settling
            .postpone(path, waiting_for, Instant::now());
        if !waits_on {
            let quiet = self.shared.spec.give_up;
            self.unreadable(
                path,
                identity,
                format!("{missing}, and it has not changed for {quiet:?}"),
            );
        }
    }

    fn unreadable(&mut self, path: &Arc<Path>, identity: FileIdentity, reason: String) {
        {
            let mut arrivals = self.shared.arrivals();
            arrivals.settling.remove(path);
            arrivals
                .unreadable
                .insert(path.to_path_buf(), (identity, reason.clone()));
        }
        count(&self.shared.tally.unreadable);
        tracing::warn!(path = %self.absolute(path).display(), reason, "file is unreadable; looked at again when it changes");
        self.found.push(Event::Unreadable {
            root: self.id(),
            path: path.to_path_buf(),
            identity,
            reason,
        });
    }
}
