//! Native or polling, and the way from one to the other.

use super::Root;
use super::presence::Presence;
use crate::host::{ActiveMode, RootState};
use crate::native::{Native, NativeError};
use crate::{FsKind, Mode};
use std::path::Path;
use std::time::Instant;

impl Root<'_> {
    /// Opens a native watch on the root where that is wanted and possible. The mode, and why.
    pub(super) fn choose_mode(&mut self, path: &Path, kind: &FsKind) -> (ActiveMode, String) {
        let spec = &self.shared.spec;
        let name = &kind.name;
        let reason = match spec.mode {
            Mode::Poll => {
                return (
                    ActiveMode::Poll,
                    format!("polling was asked for; {}", self.polling()),
                );
            }
            Mode::Auto if kind.needs_polling() => {
                let why = format!(
                    "{name} does not report the changes of all its writers; {}",
                    self.polling()
                );
                return (ActiveMode::Poll, why);
            }
            Mode::Native if kind.needs_polling() => format!(
                "native watching was asked for, but {name} does not report the changes of all its writers: those are \
                 found by the scan every {:?}",
                spec.rescan_interval
            ),
            Mode::Native => "native watching was asked for".into(),
            Mode::Auto => format!("{name} reports changes"),
        };
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
                    format!("{why}; until then {}", self.polling()),
                )
            }
        }
    }

    fn polling(&self) -> String {
        format!(
            "the folder is listed every {:?}",
            self.shared.spec.poll_interval
        )
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
        let reason = format!("{why}; until then {}", self.polling());
        self.announce(RootState::Online {
            mode: ActiveMode::Poll,
            reason,
            file_system,
        });
    }
}
