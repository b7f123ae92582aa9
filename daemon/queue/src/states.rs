//! The states of roots, files, plates, subjects and tasks.

use crate::names::names;

names! {
    /// Where a task stands.
    TaskState ("task state") {
        /// For another task, or for its plate or subject to be complete.
        Waiting = "waiting",
        /// Can be claimed.
        Ready = "ready",
        /// Claimed under a lease.
        Running = "running",
        /// Its result is published.
        Succeeded = "succeeded",
        /// Failed in a way that may pass; ready again at a time.
        Retrying = "retrying",
        /// Failed for good; only a requeue or a new key runs it again.
        Failed = "failed",
        /// Its worker died three times; only a requeue or a new key runs it again.
        Quarantined = "quarantined",
        /// Stopped by a person; only a requeue runs it again.
        Cancelled = "cancelled",
    }
}

impl TaskState {
    /// Whether nothing happens to the task any more unless someone acts.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(
            self,
            Self::Succeeded | Self::Failed | Self::Quarantined | Self::Cancelled
        )
    }

    /// Whether a task in this state has something to start over when what it depends on is computed again.
    /// New inputs neither undo a person's decision nor make a poisoned file safe.
    pub(crate) const fn starts_over(self) -> bool {
        !matches!(self, Self::Waiting | Self::Quarantined | Self::Cancelled)
    }
}

names! {
    /// Where a plate stands.
    PlateState ("plate state") {
        /// More images are expected.
        Arriving = "arriving",
        /// It has all it will get; tasks are still to be run.
        Complete = "complete",
        /// Every task succeeded.
        Done = "done",
        /// Nothing is left to run, but not everything succeeded.
        DoneWithFailures = "done_with_failures",
        /// It was done, then more images came: its plate results are out of date.
        Stale = "stale",
    }
}

impl PlateState {
    /// Whether the plate has all the images that it will get.
    #[must_use]
    pub const fn is_complete(self) -> bool {
        matches!(self, Self::Complete | Self::Done | Self::DoneWithFailures)
    }

    /// Whether nothing is left to run.
    #[must_use]
    pub const fn is_done(self) -> bool {
        matches!(self, Self::Done | Self::DoneWithFailures)
    }
}

names! {
    /// What a task works on.
    SubjectKind ("subject kind") {
        /// All channels of one site.
        ImageSet = "image_set",
        /// All sites of one well.
        Well = "well",
        /// All wells of one plate.
        Plate = "plate",
        /// An ordered series of slices.
        Stack = "stack",
    }
}

names! {
    /// Whether a subject has all its planes.
    SubjectState ("subject state") {
        /// More planes are expected.
        Arriving = "arriving",
        /// All planes are there.
        Complete = "complete",
        /// The plate completed without some of the planes.
        Incomplete = "incomplete",
    }
}

names! {
    /// What became of a file that the watcher reported.
    FileState ("file state") {
        /// It is a plane of a subject, or an index that was read.
        Registered = "registered",
        /// Its name fits no naming scheme.
        Unmatched = "unmatched",
        /// It is deliberately not processed.
        Ignored = "ignored",
        /// It cannot be decoded.
        Unreadable = "unreadable",
        /// Another file now provides the same plane.
        Superseded = "superseded",
    }
}

names! {
    /// Whether a watched folder is there.
    RootState ("root state") {
        /// It can be listed.
        Online = "online",
        /// It vanished; nothing of it is claimed until it is back.
        Offline = "offline",
        /// It is no longer configured; what was queued still runs.
        Removed = "removed",
    }
}

names! {
    /// What else must be true before a task may run, beside its upstream tasks.
    Gate ("gate") {
        /// Nothing.
        None = "none",
        /// The subject has all its planes.
        SubjectComplete = "subject_complete",
        /// The plate has all its images.
        PlateComplete = "plate_complete",
    }
}

names! {
    /// What a task needs of an upstream task.
    Require ("requirement") {
        /// It succeeded.
        Succeeded = "succeeded",
        /// It succeeded, or only a person's action could still make it succeed. With this a plate
        /// is analysed although one of its images failed.
        Settled = "settled",
    }
}

names! {
    /// How an execution of a task ended.
    AttemptOutcome ("attempt outcome") {
        /// Not yet.
        Running = "running",
        /// The result is published.
        Succeeded = "succeeded",
        /// An error was reported.
        Failed = "failed",
        /// The daemon stopped, the lease ran out, or the inputs changed meanwhile.
        Interrupted = "interrupted",
        /// The worker process died.
        Crashed = "crashed",
        /// Stopped by a person.
        Cancelled = "cancelled",
    }
}

names! {
    /// Whether trying again can help.
    FailureClass ("failure class") {
        /// It may pass by itself: retried with a growing delay, a limited number of times.
        Transient = "transient",
        /// The surroundings are at fault (disk full, share gone): retried until they are well.
        Environment = "environment",
        /// The input or a parameter is at fault: not retried.
        Permanent = "permanent",
    }
}

names! {
    /// What people can be told.
    NoticeKind ("notice") {
        /// Every task of a plate succeeded.
        Done = "done",
        /// Nothing of a plate is left to run, but not everything succeeded.
        DoneWithFailures = "done_with_failures",
        /// A plate was done, then more images came.
        Stale = "stale",
        /// The daemon has paused work by itself: a disk is full, or a folder went away.
        Paused = "paused",
    }
}

impl NoticeKind {
    /// What is told when a plate comes to this state.
    pub(crate) const fn of(state: PlateState) -> Option<Self> {
        match state {
            PlateState::Done => Some(Self::Done),
            PlateState::DoneWithFailures => Some(Self::DoneWithFailures),
            PlateState::Stale => Some(Self::Stale),
            PlateState::Arriving | PlateState::Complete => None,
        }
    }
}

names! {
    /// What became of a notice.
    NoticeState ("state of a notice") {
        /// It is to be delivered.
        Waiting = "waiting",
        /// It was delivered.
        Sent = "sent",
        /// It could not be delivered, and is not tried any more.
        GivenUp = "given_up",
        /// Its recipient is no longer configured.
        Withdrawn = "withdrawn",
    }
}

names! {
    /// What an event says.
    EventKind ("event kind") {
        /// A daemon opened the queue.
        DaemonBooted = "daemon.booted",
        /// Claims were paused.
        QueuePaused = "queue.paused",
        /// A pause ended.
        QueueResumed = "queue.resumed",
        /// A watched folder is new, or its state changed.
        RootChanged = "root.changed",
        /// A path was seen for the first time.
        FileRecorded = "file.recorded",
        /// A known path has new content.
        FileSuperseded = "file.superseded",
        /// A known path with the same content is judged differently.
        FileReclassified = "file.reclassified",
        /// A recorded file is gone; its results stay.
        FileVanished = "file.vanished",
        /// A file that was gone is back with the content that it had.
        FileReturned = "file.returned",
        /// A plate is new.
        PlateCreated = "plate.created",
        /// A plate's state changed.
        PlateState = "plate.state",
        /// A plate was removed from the queue.
        PlateForgotten = "plate.forgotten",
        /// A subject is new.
        SubjectRegistered = "subject.registered",
        /// A subject's planes or state changed.
        SubjectChanged = "subject.changed",
        /// Tasks of a subject were created, changed or removed.
        TasksPlanned = "tasks.planned",
        /// The priority of tasks changed.
        TasksPrioritised = "tasks.prioritised",
        /// A running task will have to run again: its inputs changed meanwhile.
        TaskInvalidated = "task.invalidated",
        /// A running task was asked to stop.
        TaskStopping = "task.stopping",
        /// A task is now waiting.
        TaskWaiting = "task.waiting",
        /// A task is now ready.
        TaskReady = "task.ready",
        /// A task is now running.
        TaskRunning = "task.running",
        /// A task has succeeded.
        TaskSucceeded = "task.succeeded",
        /// A task will be tried again.
        TaskRetrying = "task.retrying",
        /// A task has failed.
        TaskFailed = "task.failed",
        /// A task is quarantined.
        TaskQuarantined = "task.quarantined",
        /// A task is cancelled.
        TaskCancelled = "task.cancelled",
    }
}

impl From<TaskState> for EventKind {
    fn from(state: TaskState) -> Self {
        match state {
            TaskState::Waiting => Self::TaskWaiting,
            TaskState::Ready => Self::TaskReady,
            TaskState::Running => Self::TaskRunning,
            TaskState::Succeeded => Self::TaskSucceeded,
            TaskState::Retrying => Self::TaskRetrying,
            TaskState::Failed => Self::TaskFailed,
            TaskState::Quarantined => Self::TaskQuarantined,
            TaskState::Cancelled => Self::TaskCancelled,
        }
    }
}
