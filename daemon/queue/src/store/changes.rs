//! One method for each change of [`Transaction`], as a transaction of its own.

use std::path::Path;
use std::time::Duration;

use super::Store;
use crate::error::Result;
use crate::filter::TaskFilter;
use crate::ids::{NoticeId, PassId, PlateId, RootId, SubjectId, TaskId};
use crate::model::{
    FileRecord, NewPlate, NewRecipient, NewRoot, NewSubject, Plan, PlannedTask, Recorded,
    TaskReport, Upserted,
};
use crate::states::{NoticeState, RootState};
use crate::transaction::{Beat, Cancelled, ClaimRequest, Pass, Recovered, Target};

/// Forwards to [`Transaction`](crate::Transaction).
macro_rules! forward {
    ($($(#[$doc:meta])* fn $name:ident($($argument:ident: $type:ty),*) -> $returns:ty;)+) => {
        impl Store {
            $(
                $(#[$doc])*
                ///
                /// # Errors
                /// Those of the method of [`Transaction`](crate::Transaction) with this name, and
                /// [`Error::ReadOnly`](crate::Error::ReadOnly) or
                /// [`Error::NotCommitted`](crate::Error::NotCommitted).
                pub fn $name(&self, $($argument: $type),*) -> Result<$returns> {
                    self.transaction(|transaction| transaction.$name($($argument),*))
                }
            )+
        }
    };
}

forward! {
    /// Registers this run of the daemon and gives back what earlier runs left running.
    fn boot() -> Recovered;
    /// Adds or updates a watched folder.
    fn upsert_root(root: &NewRoot) -> Upserted<RootId>;
    /// Records whether a watched folder is there.
    fn set_root_state(root: RootId, state: RootState, detail: Option<&str>) -> bool;
    /// Records a whole file.
    fn record_file(file: &FileRecord) -> Recorded;
    /// Marks a file as gone.
    fn mark_vanished(root: RootId, path: &Path) -> bool;
    /// Adds or updates a plate.
    fn upsert_plate(plate: &NewPlate) -> Upserted<PlateId>;
    /// Decides that a plate has all it will get.
    fn complete_plate(plate: PlateId, decided_by: &str, detail: Option<&str>) -> ();
    /// Takes that decision back.
    fn reopen_plate(plate: PlateId, detail: Option<&str>) -> bool;
    /// Notes that an image of a plate came.
    fn touch_plate(plate: PlateId) -> ();
    /// Removes a plate from the queue.
    fn forget_plate(plate: PlateId) -> ();
    /// Adds or updates a subject.
    fn upsert_subject(subject: &NewSubject) -> Upserted<SubjectId>;
    /// Records where a subject's results were published.
    fn set_container(subject: SubjectId, container: &Path) -> ();
    /// Creates and updates the tasks of a subject.
    fn put_tasks(plan: &Plan) -> Vec<PlannedTask>;
    /// Claims a subject with all of its tasks that can be run together.
    fn claim_pass(request: &ClaimRequest) -> Option<Pass>;
    /// Prolongs the lease of a pass.
    fn heartbeat(pass: PassId, lease: Duration) -> Beat;
    /// Records the outcomes of a pass and ends it.
    fn finish_pass(pass: PassId, reports: &[TaskReport], container: Option<&Path>) -> ();
    /// Records outcomes while the pass goes on.
    fn finish_tasks(pass: PassId, reports: &[TaskReport]) -> ();
    /// Gives back the tasks of passes whose lease ran out.
    fn reap_expired() -> Recovered;
    /// Runs tasks again.
    fn requeue(filter: &TaskFilter, from_job: Option<&str>, dry_run: bool) -> Vec<TaskId>;
    /// Sets the priority of tasks.
    fn prioritise(filter: &TaskFilter, priority: i64) -> usize;
    /// Cancels tasks.
    fn cancel(filter: &TaskFilter) -> Cancelled;
    /// Makes tasks due that wait for the surroundings.
    fn hurry(root: Option<RootId>) -> usize;
    /// Pauses claims.
    fn pause(target: Target, holder: &str, reason: &str) -> bool;
    /// Ends a pause.
    fn resume(target: Target, holder: &str) -> bool;
    /// Brings the list of those who want to be told up to date.
    fn put_recipients(recipients: &[NewRecipient]) -> usize;
    /// Notes that a notice was delivered.
    fn notice_sent(notice: NoticeId) -> ();
    /// Notes that a notice could not be delivered.
    fn notice_failed(notice: NoticeId, error: &str, not_before: Option<Duration>) -> NoticeState;
    /// Stores a value under a name.
    fn set_setting(key: &str, value: &str) -> ();
}
