//! Errors as the daemon is told of them.

use viewer::{ErrorClass, Refusal};

/// What is asked for is not there.
pub fn missing(detail: impl Into<String>, remedy: &str) -> Refusal {
    Refusal {
        class: ErrorClass::Missing,
        detail: detail.into(),
        remedy: remedy.to_owned(),
    }
}

/// What is asked for cannot be done with what is there.
pub fn unsuitable(detail: impl Into<String>, remedy: &str) -> Refusal {
    Refusal {
        class: ErrorClass::Unsuitable,
        detail: detail.into(),
        remedy: remedy.to_owned(),
    }
}

/// It may work later.
pub fn later(detail: impl Into<String>) -> Refusal {
    Refusal {
        class: ErrorClass::Later,
        detail: detail.into(),
        remedy: "look at the daemon's log, and try again".to_owned(),
    }
}

/// A file could not be read.
pub fn of_file(error: &image_io::Error) -> Refusal {
    use image_io::Error as E;
    let (class, remedy) = match error {
        E::Missing { .. } => (
            ErrorClass::Missing,
            "see what the container has: its list of images and tables",
        ),
        E::Damaged { .. } | E::Unsupported { .. } | E::Limit { .. } => (
            ErrorClass::Damaged,
            "look at it with `wellspring inspect`; if it is damaged, requeue its image set",
        ),
        _ if error.class() == image_io::ErrorClass::Permanent => (
            ErrorClass::Missing,
            "it was moved or deleted: requeue its image set if it should be there",
        ),
        _ => (
            ErrorClass::Later,
            "check that the results folder is mounted, and try again",
        ),
    };
    Refusal {
        class,
        detail: error.to_string(),
        remedy: remedy.to_owned(),
    }
}
