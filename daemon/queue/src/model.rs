//! The rows as callers see them, and what callers hand in to make them.

mod attempt;
mod event;
mod failure;
mod file;
mod notice;
mod plate;
mod root;
mod subject;
mod task;

pub(crate) use attempt::ATTEMPT_COLUMNS;
pub use attempt::AttemptRow;
pub(crate) use event::EVENT_COLUMNS;
pub use event::EventRow;
pub use failure::{Failure, Outcome, TaskReport};
pub(crate) use file::FILE_COLUMNS;
pub use file::{FileRecord, FileRow, KnownFile, Recorded};
pub(crate) use notice::NOTICE_COLUMNS;
pub use notice::{FailedTask, NewRecipient, News, NoticeRow, PauseNews, PlateNews, RecipientRow};
pub(crate) use plate::PLATE_COLUMNS;
pub use plate::{NewPlate, PlateRow};
pub(crate) use root::ROOT_COLUMNS;
pub use root::{NewRoot, RootRow};
pub(crate) use subject::SUBJECT_COLUMNS;
pub use subject::{NewSubject, SubjectRow, Upserted};
pub(crate) use task::TASK_SELECT;
pub use task::{Change, NewTask, Plan, PlannedTask, TaskRow, Upstream};
