//! Identifiers of rows: one type each, so that a plate's id cannot be passed for a task's.

use std::fmt;
use std::str::FromStr;

use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlResult, ToSqlOutput, ValueRef};
use serde::{Deserialize, Serialize};

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = std::num::ParseIntError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                self.0.to_sql()
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                i64::column_result(value).map(Self)
            }
        }
    )+};
}

id! {
    /// A watched folder.
    RootId;
    /// One path under a root.
    FileId;
    /// One plate (or stack) under a root.
    PlateId;
    /// What a task works on: an image set, a well, a plate, a stack.
    SubjectId;
    /// One job on one subject.
    TaskId;
    /// One execution of a task.
    AttemptId;
    /// One claim of a subject: the tasks that one worker runs together.
    PassId;
    /// One message to one recipient.
    NoticeId;
    /// One state change. Ids rise and are never used again.
    EventId;
}
