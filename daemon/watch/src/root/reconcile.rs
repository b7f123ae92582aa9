//! After a full scan: what is gone, and when to scan again.

use super::Root;
use super::walk::{FullScan, is_gone};
use crate::counters::count;
use crate::host::ActiveMode;
use crate::{Event, FileIdentity};
use std::collections::HashMap;
use std::fs;
use std::ops::ControlFlow;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Instant;

impl Root<'_> {
    pub(super) fn finish_full_scan(&mut self, scan: &FullScan) {
        // Unmounted while it was being listed: what was not seen may well be there.
        if !self.is_still_there() || (scan.root_entries == 0 && self.offline_if_unmounted()) {
            return;
        }
        let elapsed = scan.elapsed();
        let now = Instant::now();
        self.last_scan = Some((now, elapsed));
        self.watches_are_complete();
        self.forget_the_missing(scan);
        // Without a single registered file in sight, the sight is in doubt, not the files.
        if scan.unreadable_folders == 0 && scan.known > 0 {
            self.report_vanished(scan);
        }
        let spec = &self.shared.spec;
        let pause = match self.online().map(|online| online.mode) {
            Some(ActiveMode::Native) => spec.rescan_interval,
            // A share that takes longer to list than this is busy half of the time, not all of it.
            _ => spec.poll_interval.max(elapsed),
        };
        let at = now + pause;
        self.scan_at = Some(self.scan_at.map_or(at, |planned| planned.min(at)));
        let tally = &self.shared.tally;
        count(&tally.scans);
        tally.files.store(scan.files(), Ordering::Relaxed);
        tally.folders.store(scan.folders, Ordering::Relaxed);
        let (files, unreadable_folders) = (scan.files(), scan.unreadable_folders);
        tracing::debug!(root = %spec.path.display(), files, elapsed_ms = elapsed.as_millis(), "scanned");
        self.emit(Event::ScanDone {
            root: self.id(),
            files,
            elapsed,
            unreadable_folders,
        });
    }

    /// Drops what was noted about files that are no more, so that memory does not grow with files that came and went.
    fn forget_the_missing(&self, scan: &FullScan) {
        let unseen: Vec<PathBuf> = {
            let arrivals = self.shared.arrivals();
            let noted = arrivals.reported.keys().chain(arrivals.unreadable.keys());
            noted.filter(|path| !scan.has_seen(path)).cloned().collect()
        };
        for path in unseen {
            if fs::symlink_metadata(self.absolute(&path)).is_err_and(|error| is_gone(&error)) {
                let mut arrivals = self.shared.arrivals();
                arrivals.reported.remove(&path);
                arrivals.unreadable.remove(&path);
            }
        }
    }

    fn report_vanished(&self, scan: &FullScan) {
        let root = self.id();
        let mut unseen: Vec<(PathBuf, FileIdentity)> = Vec::new();
        self.host.for_each_known(root, &mut |path, identity| {
            if !scan.has_seen(path) {
                unseen.push((path.to_owned(), *identity));
            }
            ControlFlow::Continue(())
        });
        let mut company = HashMap::new();
        for (path, identity) in unseen {
            if self.stopping() {
                return;
            }
            let gone =
                fs::symlink_metadata(self.absolute(&path)).is_err_and(|error| is_gone(&error));
            if gone && self.folder_is_trusted(&path, identity.device, &mut company) {
                count(&self.shared.tally.vanished);
                self.emit(Event::Vanished { root, path });
            }
        }
    }

    /// Whether the folder that held a file still shows other things, or is on the file's device: a folder that is empty
    /// and on another one is a mount point below the root whose share is gone.
    fn folder_is_trusted(
        &self,
        file: &Path,
        device: u64,
        memo: &mut HashMap<(PathBuf, u64), bool>,
    ) -> bool {
        let Some(folder) = file.parent() else {
            return false;
        };
        *memo.entry((folder.to_owned(), device)).or_insert_with(|| {
            for folder in folder.ancestors() {
                let absolute = self.absolute(folder);
                match fs::read_dir(&absolute) {
                    Ok(mut entries) => {
                        return entries.next().is_some_and(|entry| entry.is_ok())
                            || fs::metadata(&absolute)
                                .is_ok_and(|metadata| metadata.dev() == device);
                    }
                    // Removed together with the file: ask the folder above it.
                    Err(error) if is_gone(&error) => {}
                    Err(_) => return false,
                }
            }
            false
        })
    }
}
