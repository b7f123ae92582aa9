//! Native or polling, and the way from one to the other.

use super::Root;
use super::presence::Presence;
use crate::FsKind;
use crate::host::{ActiveMode, RootState};
use crate::native::{Native, NativeError};
use crate::plan::{planned_mode, polling};
use std::path::Path;
use std::time::Instant;

impl Root<'_> {
    /// Opens a native watch on the root where that is wanted and possible. The mode, and why.
    pub(super) fn choose_mode(&mut self, path: &Path, kind: &FsKind) -> (ActiveMode, String) {
        let spec = &self.shared.spec;
        let (mode, reason) = planned_mode(spec, kind);
        if mode == ActiveMode::Poll {
            return (mode, reason);
        }
        let native = Native::start(self.mailbox.clone()).and_then(|mut native| {
            native.watch(path)?;
            Ok(native)
        });
        match native {
            Ok(native) => {
                self.native = Some(native);
                (ActiveMode::Native, reason)
            }
            Err(NativeError::Limit(why) | NativeError::Folder(why)) => {
                self.native_at = Some(Instant::now() + spec.rescan_interval);
                (
                    ActiveMode::Poll,
                    format!("{why}; until then {}", polling(&self.shared.spec)),
                )
            }
        }
    }

    /// Native watching failed for want of watches: perhaps there are enough by now.
    pub(super) fn try_native_again(&mut self) {
        if self.online().is_none() {
            return;
        }
        if let Some((mut online, state)) = self.find_root() {
            online.unannounced = Some(state);
            self.presence = Presence::Online(online);
            self.start_full_scan();
        }
    }

    /// Every folder has its watch: says so if that is news.
    pub(super) fn watches_are_complete(&mut self) {
        if let Presence::Online(online) = &mut self.presence
            && let Some(state) = online.unannounced.take()
        {
            self.announce(state);
        }
    }

    /// The kernel gives no more watches: polls from now on.
    pub(super) fn fall_back_to_polling(&mut self, why: &str) {
        self.native = None;
        self.check_at = None;
        self.native_at = Some(Instant::now() + self.shared.spec.rescan_interval);
        let Presence::Online(online) = &mut self.presence else {
            return;
        };
        online.mode = ActiveMode::Poll;
        online.unannounced = None;
        let file_system = online.kind.name.clone();
        let reason = format!("{why}; until then {}", polling(&self.shared.spec));
        self.announce(RootState::Online {
            mode: ActiveMode::Poll,
            reason,
            file_system,
        });
    }
}
