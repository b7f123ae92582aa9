//! All points, in the order in which work passes them.

use crate::Role;

/// When a point is passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Occasion {
    /// While images arrive and are worked on.
    Work,
    /// At every start of the daemon.
    Start,
    /// At the first start with a new queue.
    FirstStart,
    /// When a worker is started: the first pass of a slot, and the one after a worker's death.
    Spawn,
    /// When the daemon is asked to stop.
    Stop,
    /// Only where a GPU computes. An error that is planned here looks like a full device (ENOSPC) or one that was lost (EIO).
    Gpu,
}

macro_rules! points {
    ($($(#[doc = $about:literal])+ $variant:ident = $name:literal, $role:ident, $occasion:ident, $writes:literal;)+) => {
        /// A named place in the code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Point {
            $($(#[doc = $about])+ $variant,)+
        }

        impl Point {
            /// Every point.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name, which is also that of its plan file.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// What is true there.
            #[must_use]
            pub const fn about(self) -> &'static str {
                match self { $(Self::$variant => concat!($($about),+)),+ }
            }

            /// The process that usually passes it.
            #[must_use]
            pub const fn role(self) -> Role {
                match self { $(Self::$variant => Role::$role),+ }
            }

            /// When it is passed.
            #[must_use]
            pub const fn occasion(self) -> Occasion {
                match self { $(Self::$variant => Occasion::$occasion),+ }
            }

            /// Whether an error can be planned, because something is written there.
            #[must_use]
            pub const fn writes(self) -> bool {
                match self { $(Self::$variant => $writes),+ }
            }
        }
    };
}

points! {
    /// The tables of a new queue are made, and not committed.
    QueueMigrated = "queue.migrated", Daemon, FirstStart, true;
    /// The queue is open and locked; what an earlier run left is still marked as running.
    StartOpened = "start.opened", Daemon, Start, false;
    /// What an earlier run left running is ready again.
    StartRecovered = "start.recovered", Daemon, Start, false;
    /// Temporary files of dead workers are removed.
    StartCleaned = "start.cleaned", Daemon, Start, false;
    /// The known plates are planned anew.
    StartPlanned = "start.planned", Daemon, Start, false;
    /// Watching has begun; the address is not published.
    StartWatching = "start.watching", Daemon, Start, false;
    /// The address is published.
    StartReady = "start.ready", Daemon, Start, false;
    /// A whole file is hashed; nothing of it is in the queue.
    IntakeHashed = "intake.hashed", Daemon, Work, false;
    /// The changes that follow from a file are made, and not committed.
    IntakeChanged = "intake.changed", Daemon, Work, true;
    /// A file is in the queue; the memory of its plate does not know it.
    IntakeRecorded = "intake.recorded", Daemon, Work, false;
    /// A transaction of the queue is about to be committed.
    QueueCommitting = "queue.committing", Daemon, Work, true;
    /// It is committed; nobody was told.
    QueueCommitted = "queue.committed", Daemon, Work, false;
    /// The tasks of a subject are claimed, and not committed.
    QueueClaimed = "queue.claimed", Daemon, Work, true;
    /// A pass is claimed; its worker knows nothing of it.
    DispatchClaimed = "dispatch.claimed", Daemon, Work, false;
    /// A worker was started for it.
    DispatchSpawned = "dispatch.spawned", Daemon, Spawn, false;
    /// A worker has received a pass.
    WorkerReceived = "worker.received", Worker, Work, false;
    /// A job is about to run.
    WorkerJob = "worker.job", Worker, Work, false;
    /// A raw channel was read.
    WorkerRead = "worker.read", Worker, Work, false;
    /// The folder for the files of another program exists, and is empty.
    ScratchCreated = "scratch.created", Worker, Work, true;
    /// Another program is running.
    ProgramRunning = "program.running", Worker, Work, false;
    /// It has ended; nothing of what it made was read.
    ProgramEnded = "program.ended", Worker, Work, true;
    /// All jobs of an image set have run; nothing is written.
    WorkerPublishing = "worker.publishing", Worker, Work, true;
    /// The new container is whole in memory.
    ContainerAssembled = "container.assembled", Worker, Work, true;
    /// The hidden file exists, and is empty.
    PublishCreated = "publish.created", Worker, Work, true;
    /// Half of its bytes are written.
    PublishHalf = "publish.half", Worker, Work, true;
    /// All of its bytes are written.
    PublishWritten = "publish.written", Worker, Work, true;
    /// They are on disk.
    PublishSynced = "publish.synced", Worker, Work, true;
    /// It has its final name, perhaps not yet on disk.
    PublishRenamed = "publish.renamed", Worker, Work, true;
    /// The name is on disk.
    PublishDurable = "publish.durable", Worker, Work, false;
    /// Images of the whole plate, which its image sets need, are published.
    PlateImages = "plate.images", Worker, Work, false;
    /// All jobs of a plate have run; its tables are not written.
    PlatePublishing = "plate.publishing", Worker, Work, true;
    /// A pass is over; the daemon was not told.
    WorkerDone = "worker.done", Worker, Work, false;
    /// The daemon was told.
    WorkerReported = "worker.reported", Worker, Work, false;
    /// The daemon knows the outcome of a pass; the queue does not.
    DispatchReported = "dispatch.reported", Daemon, Work, false;
    /// The outcome of a pass is written, and not committed.
    QueueFinished = "queue.finished", Daemon, Work, true;
    /// The outcome of a pass is in the queue.
    DispatchCommitted = "dispatch.committed", Daemon, Work, false;
    /// A plate is known to be complete; nothing of that is in the queue.
    PlateDecided = "plate.decided", Daemon, Work, false;
    /// A plate's jobs are planned and it is marked as complete, all not committed.
    PlatePlanned = "plate.planned", Daemon, Work, true;
    /// A plate is complete in the queue.
    PlateCompleted = "plate.completed", Daemon, Work, false;
    /// A message about a plate has reached its recipient; the queue does not know.
    NoticeSent = "notice.sent", Daemon, Work, false;
    /// The daemon was asked to stop; nothing more is claimed.
    StopDraining = "stop.draining", Daemon, Stop, false;
    /// Watching has ended; passes may be running.
    StopUnwatched = "stop.unwatched", Daemon, Stop, false;
    /// All passes have ended.
    StopDrained = "stop.drained", Daemon, Stop, false;
    /// The GPU's process has started; its device is not open.
    GpuOpening = "gpu.opening", Daemon, Gpu, true;
    /// The GPU's process has received a request.
    GpuRequest = "gpu.request", Daemon, Gpu, true;
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_point_has_a_name_and_a_sentence_of_its_own() {
        let names: BTreeSet<_> = Point::ALL.iter().map(|p| p.name()).collect();
        let sentences: BTreeSet<_> = Point::ALL.iter().map(|p| p.about()).collect();
        assert_eq!(
            (names.len(), sentences.len()),
            (Point::ALL.len(), Point::ALL.len())
        );
        assert!(
            names.iter().all(|n| n
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b == b'.' || b == b'-')),
            "a name is also that of a file"
        );
        assert!(
            sentences.iter().all(|s| s.trim().ends_with('.')),
            "{sentences:?}"
        );
    }
}
