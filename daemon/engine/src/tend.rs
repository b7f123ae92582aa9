//! What has to be looked at again and again: plates that may be complete, leases, disks, history.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use queue::{PlateState, RootId, Target};

use crate::completion::Sight;
use crate::engine::{Engine, Settings};
use crate::error::Result;
use crate::lock::lock;
use crate::records;
use crate::volume::Volume;

/// How often old events and logs are removed.
const PRUNING: Duration = Duration::from_secs(24 * 3600);

/// So many bytes more, beside an eighth, make it worth while to try again what failed for want of space.
const MUCH: u64 = 1 << 20;
/// How often the disk and the leases are looked at while nothing goes on.
const IDLE_SECS: u32 = 5;
/// How often, and with which pause, a listing that was asked for is looked at in one turn.
const LISTING_LOOKS: usize = 10;
const LISTING_PAUSE: Duration = Duration::from_millis(20);

impl Engine {
    /// Completes plates and gives back tasks whose lease ran out; sleeps while there is nothing of the kind to do.
    pub(crate) async fn tend(self: Arc<Self>) {
        let mut last_event = queue::EventId(-1);
        while !self.draining.is_cancelled() {
            let engine = Arc::clone(&self);
            let done = tokio::task::spawn_blocking(move || engine.tend_once()).await;
            let busy = match done {
                Ok(Ok(busy)) => busy,
                Ok(Err(error)) => {
                    tracing::error!(%error, "plates cannot be looked after");
                    true
                }
                Err(error) => {
                    tracing::error!(%error, "looking after plates ended by a bug");
                    true
                }
            };
            // Quiet periods count in seconds. With nothing going on only an event, or the disk, can start something.
            let mut idle = 1;
            loop {
                tokio::select! {
                    () = self.draining.cancelled() => return,
                    () = tokio::time::sleep(Duration::from_secs(1)) => {}
                }
                if busy || idle == IDLE_SECS || self.intake.store().last_event() != last_event {
                    break;
                }
                idle += 1;
            }
            last_event = self.intake.store().last_event();
        }
    }

    /// Whether there is something that needs to be looked at every second: a plate that arrives, a disk without room, or files
    /// that could not be recorded.
    fn tend_once(&self) -> Result<bool> {
        let store = self.intake.store();
        let has_room = self.mind_the_disk()?;
        let recovered = store.reap_expired()?;
        if !recovered.passes.is_empty() {
            tracing::warn!(
                passes = recovered.passes.len(),
                "passes without heartbeat were given back"
            );
        }
        self.mind_the_outputs()?;
        self.intake.keep_status_files(&mut lock(&self.keeping))?;
        self.prune_daily()?;
        if has_room {
            self.make_up_for_missed()?;
        }
        // A listing of one folder is mostly over at once; what takes longer is seen by the next turn.
        for _ in 0..LISTING_LOOKS {
            if !self.intake.complete_ready_plates(self)? {
                break;
            }
            std::thread::sleep(LISTING_PAUSE);
        }
        let arriving = records::plates(store, &[PlateState::Arriving, PlateState::Stale])?;
        Ok(!has_room || !arriving.is_empty())
    }

    fn prune_daily(&self) -> Result<()> {
        if *lock(&self.prune_at) > Instant::now() {
            return Ok(());
        }
        let Settings {
            history, plates, ..
        } = lock(&self.settings).clone();
        if let Some(age) = plates {
            self.forget_plates(age)?;
        }
        let pruned = self.intake.store().prune(history)?;
        tracing::debug!(?pruned, "old events and logs removed");
        *lock(&self.prune_at) = Instant::now() + PRUNING;
        Ok(())
    }

    /// Claims nothing of a root whose results have no place to go; goes on by itself.
    fn mind_the_outputs(&self) -> Result<()> {
        const HOLDER: &str = "output";
        let store = self.intake.store();
        for root in self.intake.facility().roots() {
            let Some(guard) = &root.guard else { continue };
            match guard.look(store)? {
                Some(reason) => {
                    if store.pause(Target::Root(root.id), HOLDER, &reason)? {
                        tracing::warn!(output = %guard.folder().display(), %reason, "paused: output; work resumes by itself");
                    }
                }
                None => {
                    if store.resume(Target::Root(root.id), HOLDER)? {
                        store.hurry(Some(root.id))?;
                        tracing::info!(output = %guard.folder().display(), "the results' folder is back; work goes on");
                        self.wake.notify_one();
                    }
                }
            }
        }
        Ok(())
    }

    /// Takes plates out of the queue that ended long ago and whose folder is gone from a root that can be seen: nothing more
    /// can come for them.
    fn forget_plates(&self, age: Duration) -> Result<()> {
        let store = self.intake.store();
        let ended = [PlateState::Done, PlateState::DoneWithFailures];
        for row in records::plates(store, &ended)? {
            let old = row
                .finished_at
                .is_some_and(|at| jiff::Timestamp::now().duration_since(at).unsigned_abs() >= age);
            let gone = self.intake.root(row.root).is_some_and(|root| {
                self.is_online(row.root) && !root.path.join(&row.directory).exists()
            });
            if old && gone {
                store.forget_plate(row.id)?;
                tracing::info!(plate = %row.name, output = %row.output.display(), "the plate is forgotten; its results stay");
            }
        }
        Ok(())
    }

    /// Scans roots again of which something could not be recorded, now that the queue takes writes.
    fn make_up_for_missed(&self) -> Result<()> {
        let missed = self.intake.missed().take();
        if missed.is_empty() {
            return Ok(());
        }
        if let Err(error) = self.intake.store().set_setting("writable", "") {
            missed
                .iter()
                .for_each(|root| self.intake.missed().add(*root));
            return Err(error.into());
        }
        for root in missed {
            tracing::info!(
                root = root.0,
                "files that could not be recorded are looked for again"
            );
            if let Some(watcher) = lock(&self.watcher).as_ref() {
                watcher.redeliver(root.0);
            }
        }
        Ok(())
    }

    /// Claims nothing that is written to a volume which is nearly full; nothing at all, and takes no files, while that is the
    /// queue's. Goes on by itself. Whether there is room everywhere.
    fn mind_the_disk(&self) -> Result<bool> {
        let (state_dir, min_free) = {
            let settings = lock(&self.settings);
            (settings.state_dir.clone(), settings.min_free)
        };
        let mut full = self.hold_while_full(None, &state_dir, min_free)?;
        self.intake.missed().close(full);
        for root in self.intake.facility().roots() {
            full |= self.hold_while_full(Some(root.id), &root.output, min_free)?;
        }
        Ok(!full)
    }

    /// Holds a root, or everything, while a volume is nearly full. Whether it is.
    fn hold_while_full(&self, root: Option<RootId>, folder: &Path, min_free: u64) -> Result<bool> {
        const HOLDER: &str = "disk";
        let store = self.intake.store();
        let target = root.map_or(Target::All, Target::Root);
        let Some(free) = Volume::of(folder).map(|volume| volume.free) else {
            return Ok(false);
        };
        let before = lock(&self.free).insert(folder.to_owned(), free);
        if free < min_free {
            // Without the number that is free: it changes all the time, and each change would be an event.
            let reason = format!(
                "`{}` has less free space than min_free ({} MiB)",
                folder.display(),
                min_free >> 20
            );
            if store.pause(target, HOLDER, &reason)? {
                tracing::warn!(%reason, "paused: disk; work resumes by itself once there is room");
            }
            return Ok(true);
        }
        // A result may be larger than min_free: what failed for want of space is tried again once there is clearly more.
        let is_more = before.is_some_and(|before| free > before + before / 8 + MUCH);
        if is_more && store.hurry(root)? > 0 {
            self.wake.notify_one();
        }
        if store.resume(target, HOLDER)? {
            let tasks = store.hurry(root)?;
            tracing::info!(folder = %folder.display(), tasks, "there is room on the disk again; work goes on");
            self.wake.notify_one();
        }
        Ok(false)
    }
}

/// While the watcher is being stopped nothing can be seen, and no plate is completed.
impl Sight for Engine {
    fn is_online(&self, root: RootId) -> bool {
        let watcher = lock(&self.watcher);
        let state = watcher.as_ref().and_then(|w| w.state(root.0));
        matches!(state, Some(watch::RootState::Online { .. }))
    }

    fn is_pending(&self, root: RootId, folder: &Path) -> bool {
        let watcher = lock(&self.watcher);
        watcher
            .as_ref()
            .is_none_or(|w| w.is_pending(root.0, folder))
    }

    fn verify(&self, root: RootId, folder: &Path) -> Option<watch::Verification> {
        let watcher = lock(&self.watcher);
        watcher.as_ref()?.verify(root.0, folder)
    }
}
