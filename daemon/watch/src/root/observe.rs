//! What to do about a path at which something happened, or that a listing found.

use super::walk::{is_gone, is_trouble_of_the_share};
use super::{Hints, REMOVAL_SCAN_SHARE, Root};
use crate::FileIdentity;
use crate::counters::count;
use crate::hint::Hint;
use std::fs::{self, Metadata};
use std::path::Path;
use std::time::{Duration, Instant};

/// A removal is looked into after this long at the earliest: tools that replace files remove them first.
const REMOVAL_PAUSE: Duration = Duration::from_secs(1);

impl Root<'_> {
    pub(super) fn act_on(&mut self, mut hints: Hints) {
        if hints.order.is_empty() {
            return;
        }
        if self.online().is_none() {
            // Something appeared in a root that was offline because it was empty.
            return self.attach();
        }
        for path in hints.order {
            if self.stopping() || self.online().is_none() {
                return;
            }
            count(&self.shared.tally.events);
            let hint = hints.by_path.remove(&path).unwrap_or_default();
            if let Ok(relative) = path.strip_prefix(&self.shared.spec.path) {
                if relative.as_os_str().is_empty() {
                    self.check_root();
                } else {
                    self.look_at(relative, hint);
                }
            }
        }
    }

    fn look_at(&mut self, relative: &Path, hint: Hint) {
        let now = Instant::now();
        if hint.only_written() && self.shared.arrivals().settling.written(relative, now) {
            return;
        }
        if !self.shared.rules.file_may_lie(relative)
            || self
                .shared
                .rules
                .excludes(self.host, self.id(), relative)
                .is_some()
        {
            return;
        }
        match fs::symlink_metadata(self.absolute(relative)) {
            // Whatever happened to it: it may be another folder by now, and its watch may be lost.
            Ok(metadata) if metadata.is_dir() => {
                if self.shared.rules.folder_may_be_entered(relative) {
                    self.walk.add(relative.to_owned());
                }
            }
            Ok(metadata) if metadata.is_symlink() => {
                if let Some(target) = self.follow(relative) {
                    self.sighted(relative, FileIdentity::of(&target), Some(hint));
                }
            }
            Ok(metadata) if metadata.is_file() => {
                self.sighted(relative, FileIdentity::of(&metadata), Some(hint));
            }
            Ok(_) => {}
            Err(error) if is_gone(&error) => self.missing(relative, hint),
            Err(error) => {
                count(&self.shared.tally.errors);
                tracing::warn!(path = %self.absolute(relative).display(), %error, "file cannot be looked at");
                if is_trouble_of_the_share(&error) {
                    self.check_at = Some(now);
                }
                // Its event is used up, so a scan must find it.
                self.want_scan(REMOVAL_PAUSE, REMOVAL_SCAN_SHARE);
            }
        }
    }

    /// A listing found a file. Whether the host knows it in any state.
    pub(super) fn found(&mut self, relative: &Path, identity: FileIdentity) -> bool {
        self.sighted(relative, identity, None)
    }

    /// A file exists; `hint` tells what was noticed, nothing if a listing found it. Whether the host knows it in any state
    /// (not asked for a file that is being written).
    fn sighted(&mut self, relative: &Path, identity: FileIdentity, hint: Option<Hint>) -> bool {
        let now = Instant::now();
        let closed = hint.and_then(|hint| hint.closed);
        let is_pending = {
            let settling = &mut self.shared.arrivals().settling;
            settling.look(relative, identity, closed, now);
            settling.get(relative).is_some()
        };
        if is_pending && hint.is_some() {
            return false;
        }
        let known = self.host.known(self.id(), relative);
        if is_pending {
            return known.is_some();
        }
        let same_as_known =
            known.is_some_and(|known| known.same_state(&identity, self.inodes_are_stable()));
        let old = hint.is_none() && self.is_old(&identity);
        let mut arrivals = self.shared.arrivals();
        if same_as_known {
            arrivals.reported.remove(relative);
            arrivals.unreadable.remove(relative);
            return true;
        }
        if let Some((reported, at)) = arrivals.reported.get(relative)
            && *reported == identity
            && (hint.is_some() || at.elapsed() < self.shared.spec.redeliver_after)
        {
            return known.is_some();
        }
        if let Some((given_up, _)) = arrivals.unreadable.get(relative) {
            if *given_up == identity {
                return known.is_some();
            }
            arrivals.unreadable.remove(relative);
        }
        arrivals
            .settling
            .insert(relative, identity, closed.unwrap_or(false), old, now);
        known.is_some()
    }

    /// A path does not exist. If a registered file may have been there, a scan finds out what is gone.
    fn missing(&mut self, relative: &Path, hint: Hint) {
        let was_on_its_way = {
            let mut arrivals = self.shared.arrivals();
            arrivals.reported.remove(relative);
            arrivals.unreadable.remove(relative).is_some()
                | arrivals.settling.remove(relative).is_some()
        };
        let may_have_been_a_folder = hint.gone && !hint.file && !was_on_its_way;
        if may_have_been_a_folder || self.host.known(self.id(), relative).is_some() {
            self.want_scan(
                self.shared.spec.settle.max(REMOVAL_PAUSE),
                REMOVAL_SCAN_SHARE,
            );
        }
    }

    /// Whether the last change of a file lies so far back that it sat there before we looked. Asked only where the times
    /// come from our own clock: a server whose clock is slow would make every file look old.
    fn is_old(&self, identity: &FileIdentity) -> bool {
        if self.online().is_none_or(|online| online.kind.network) {
            return false;
        }
        let enough = self.shared.arrivals().settling.old_after();
        self.clock.is_past(identity.last_change_ns(), enough)
    }

    pub(super) fn inodes_are_stable(&self) -> bool {
        self.online().is_some_and(|online| !online.kind.network)
    }

    /// The file behind a symbolic link, if links count and it leads to a file inside the root.
    pub(super) fn follow(&self, relative: &Path) -> Option<Metadata> {
        if !self.shared.spec.follow_symlinks {
            return None;
        }
        let target = fs::canonicalize(self.absolute(relative)).ok()?;
        let root = fs::canonicalize(&self.shared.spec.path).ok()?;
        let metadata = target
            .starts_with(root)
            .then(|| fs::symlink_metadata(&target).ok())
            .flatten()?;
        metadata.is_file().then_some(metadata)
    }
}
