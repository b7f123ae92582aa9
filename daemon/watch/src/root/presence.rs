//! Is the root there, and is it the right one?

use super::Root;
use super::walk::Walk;
use crate::host::{ActiveMode, RootState};
use crate::{Event, FsKind, fs_kind};
use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

/// How often a natively watched root is looked at: an unmount causes no event.
const CHECK_EVERY: Duration = Duration::from_secs(10);
/// First and last pause between two looks at a root that is offline.
const RETRY: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(30));
/// How many registered files are asked on which device they were.
const DEVICE_SAMPLE: usize = 1000;

/// What is known of the root directory.
#[derive(Debug)]
pub(super) enum Presence {
    Offline { attempts: u32 },
    Online(Online),
}

/// A root that can be seen.
#[derive(Debug, Clone)]
pub(super) struct Online {
    /// Device and inode of the directory: another pair is another directory, whatever its name.
    anchor: (u64, u64),
    pub kind: FsKind,
    pub mode: ActiveMode,
    /// Native watching was taken up again and is announced once every folder has its watch.
    pub unannounced: Option<RootState>,
}

impl Default for Presence {
    fn default() -> Self {
        Self::Offline { attempts: 0 }
    }
}

impl Root<'_> {
    pub(super) fn online(&self) -> Option<&Online> {
        match &self.presence {
            Presence::Online(online) => Some(online),
            Presence::Offline { .. } => None,
        }
    }

    /// Looks at the root from scratch and starts to watch it, or says why not.
    pub(super) fn attach(&mut self) {
        if let Some((online, state)) = self.find_root() {
            self.presence = Presence::Online(online);
            self.announce(state);
            self.start_full_scan();
        }
    }

    /// Looks whether the root is still the same directory.
    pub(super) fn check_root(&mut self) {
        let Some(online) = self.online() else {
            return self.attach();
        };
        match fs::metadata(&self.shared.spec.path) {
            Ok(metadata) if anchor(&metadata) == online.anchor => {
                if online.mode == ActiveMode::Native {
                    self.check_at = Some(Instant::now() + CHECK_EVERY);
                }
            }
            _ => self.attach(),
        }
    }

    /// Whether the root is still the same directory; takes action if not.
    pub(super) fn is_still_there(&mut self) -> bool {
        let before = self.online().map(|online| online.anchor);
        let now = fs::metadata(&self.shared.spec.path)
            .ok()
            .map(|metadata| anchor(&metadata));
        if before.is_some() && before == now {
            return true;
        }
        self.attach();
        false
    }

    /// Goes offline if the root is empty and ought not to be. Whether it did.
    pub(super) fn offline_if_unmounted(&mut self) -> bool {
        let Some(online) = self.online().cloned() else {
            return true;
        };
        if !self.looks_unmounted(online.anchor.0, &online.kind) {
            return false;
        }
        self.go_offline(UNMOUNTED.into());
        true
    }

    /// Looks at the root from scratch and opens its watch; the walk does the rest.
    pub(super) fn find_root(&mut self) -> Option<(Online, RootState)> {
        self.native = None;
        self.native_at = None;
        let path = self.shared.spec.path.clone();
        let found = fs::metadata(&path).and_then(|metadata| {
            if metadata.is_dir() {
                Ok((anchor(&metadata), fs_kind(&path)?))
            } else {
                Err(io::ErrorKind::NotADirectory.into())
            }
        });
        let (anchor, kind) = match found {
            Ok(found) => found,
            Err(error) => {
                self.go_offline(explain(&error));
                return None;
            }
        };
        // Watched before it is read, so that a file that ends the emptiness is noticed.
        let (mode, reason) = self.choose_mode(&path, &kind);
        let empty = match fs::read_dir(&path) {
            Ok(mut entries) => entries.next().is_none(),
            Err(error) => {
                self.go_offline(explain(&error));
                return None;
            }
        };
        if empty && self.looks_unmounted(anchor.0, &kind) {
            let native = self.native.take();
            self.go_offline(UNMOUNTED.into());
            self.native = native;
            return None;
        }
        self.check_at = (mode == ActiveMode::Native).then(|| Instant::now() + CHECK_EVERY);
        let state = RootState::Online {
            mode,
            reason,
            file_system: kind.name.clone(),
        };
        Some((
            Online {
                anchor,
                kind,
                mode,
                unannounced: None,
            },
            state,
        ))
    }

    /// Whether an empty root is the bare mount point of a share rather than a folder that was cleared.
    ///
    /// Clearing a local folder leaves it on the device on which its files were registered; unmounting does not. On a
    /// network nothing tells the two apart, so it is taken for trouble until something appears in it.
    fn looks_unmounted(&self, device: u64, kind: &FsKind) -> bool {
        let (mut asked, mut same_device) = (0, false);
        self.host.for_each_known(self.id(), &mut |_, identity| {
            asked += 1;
            same_device = identity.device == device;
            if kind.network || same_device || asked >= DEVICE_SAMPLE {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        asked > 0 && (kind.network || !same_device)
    }

    fn go_offline(&mut self, reason: String) {
        let attempts = match self.presence {
            Presence::Offline { attempts } => attempts.saturating_add(1),
            Presence::Online(_) => 0,
        };
        self.presence = Presence::Offline { attempts };
        self.native = None;
        self.native_at = None;
        self.scan_at = None;
        self.walk = Walk::default();
        self.waiting.lost();
        // They cannot be looked at. The scan on return finds them again, and those that were reported too: whoever was told of one may
        // not have been able to read it any more.
        {
            let mut arrivals = self.shared.arrivals();
            arrivals.settling.clear();
            arrivals.reported.clear();
        }
        let pause = RETRY.0.saturating_mul(1 << attempts.min(10)).min(RETRY.1);
        self.check_at = Some(Instant::now() + pause);
        self.announce(RootState::Offline { reason });
    }

    pub(super) fn announce(&self, state: RootState) {
        {
            let mut current = self.shared.state();
            if *current == state {
                return;
            }
            *current = state.clone();
        }
        let root = self.shared.spec.path.display();
        match &state {
            RootState::Online {
                mode,
                reason,
                file_system,
            } => {
                tracing::info!(%root, mode = mode.as_str(), reason, file_system, "watching");
            }
            RootState::Offline { reason } => {
                tracing::warn!(%root, reason, "watched folder is offline");
            }
        }
        self.emit(Event::RootState {
            root: self.id(),
            state,
        });
    }
}

const UNMOUNTED: &str = "the folder is empty, but files of it are registered: it looks like a mount point without its \
     share. mount the share; the folder is online again as soon as anything lies in it";

fn anchor(metadata: &fs::Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

fn explain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => {
            "the folder does not exist: create it, or mount the share that holds it".into()
        }
        io::ErrorKind::NotADirectory => {
            "it is not a folder: remove what lies there, or correct the path".into()
        }
        io::ErrorKind::PermissionDenied => {
            "permission denied: give the service's user the right to read and enter the folder"
                .into()
        }
        _ => format!("it cannot be read: {error}"),
    }
}
