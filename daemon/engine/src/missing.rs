//! An input that is not there: moved away for good, or its share is gone for a while?
//!
//! A worker sees only that a file cannot be opened. The watching tells the two apart, but needs a scan to do so; until it
//! has marked the file as vanished, the surroundings are to blame and no attempt is charged.

use std::path::Path;

use queue::{
    Cursor, Failure, FailureClass, Outcome, Pass, SubjectId, TaskFilter, TaskReport, TaskState,
};

use crate::error::Result;
use crate::intake::Intake;

/// The code that workers give to a file that cannot be found.
const CODE: &str = "file-missing";

impl Intake {
    /// Says of reports about missing inputs who is to blame.
    pub(crate) fn judge_missing(&self, pass: &Pass, reports: &mut [TaskReport]) {
        let Some(root) = self.root(pass.plate.root).filter(|r| r.watched) else {
            return;
        };
        for report in reports {
            let Outcome::Failed { failure } = &mut report.outcome else {
                continue;
            };
            let path = failure.path.clone().filter(|_| failure.code == CODE);
            let below = path.as_deref().map(Path::new);
            let Some(relative) = below.and_then(|path| path.strip_prefix(&root.path).ok()) else {
                continue;
            };
            let known = self.store().find_file(root.id, relative).ok().flatten();
            if known.is_some_and(|file| file.vanished_at.is_some()) {
                failure.class = FailureClass::Permanent;
                "put the file back; its tasks then run by themselves"
                    .clone_into(&mut failure.remedy);
            } else {
                failure.class = FailureClass::Environment;
                "check that the share is mounted; work resumes by itself"
                    .clone_into(&mut failure.remedy);
                self.missed().add(root.id);
            }
        }
    }

    /// Runs the tasks of a subject again that failed because its files were gone: they are back, or others took their place.
    pub(crate) fn retry_missing(&self, subject: SubjectId) -> Result<()> {
        let failed = TaskFilter {
            subject: Some(subject),
            states: vec![TaskState::Failed],
            ..TaskFilter::default()
        };
        let tasks = self.store().tasks(&failed, Cursor::first(100))?.items;
        let is_missing = |error: &Option<Failure>| error.as_ref().is_some_and(|e| e.code == CODE);
        if tasks.iter().any(|task| is_missing(&task.error)) {
            self.store().requeue(&failed, None, false)?;
        }
        Ok(())
    }
}
