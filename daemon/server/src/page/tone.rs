//! How states look. Each has a letter and a word beside its colour.

use askama::Template;
use queue::{PlateState, RootState, SubjectCounts, SubjectState, TaskCounts, TaskState};

/// What a colour says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tone {
    Failed,
    Missing,
    Running,
    Arriving,
    Waiting,
    Blocked,
    Cancelled,
    Done,
    Empty,
}

impl Tone {
    /// Those of a grid of wells, in the order of the legend.
    pub(super) const ALL: [Self; 9] = [
        Self::Arriving,
        Self::Waiting,
        Self::Running,
        Self::Done,
        Self::Failed,
        Self::Missing,
        Self::Blocked,
        Self::Cancelled,
        Self::Empty,
    ];

    /// The class in the style sheet.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Failed => "t-fail",
            Self::Missing => "t-warn",
            Self::Running => "t-run",
            Self::Arriving => "t-arrive",
            Self::Waiting => "t-wait",
            Self::Blocked => "t-block",
            Self::Cancelled => "t-stop",
            Self::Done => "t-done",
            Self::Empty => "t-none",
        }
    }

    /// The letter in a grid.
    pub(super) const fn letter(self) -> &'static str {
        match self {
            Self::Failed => "F",
            Self::Missing => "M",
            Self::Running => "R",
            Self::Arriving => "A",
            Self::Waiting => "W",
            Self::Blocked => "B",
            Self::Cancelled => "C",
            Self::Done => "D",
            Self::Empty => "·",
        }
    }

    /// The word for a well.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Missing => "images missing",
            Self::Running => "running",
            Self::Arriving => "arriving",
            Self::Waiting => "waiting",
            Self::Blocked => "blocked",
            Self::Cancelled => "cancelled",
            Self::Done => "done",
            Self::Empty => "nothing yet",
        }
    }

    /// What the legend says.
    pub(super) const fn meaning(self) -> &'static str {
        match self {
            Self::Failed => "at least one task failed",
            Self::Missing => "the plate was completed without some of its images",
            Self::Running => "a worker is on it",
            Self::Arriving => "more images are expected",
            Self::Waiting => "its tasks will run by themselves",
            Self::Blocked => "waits for what failed or was cancelled",
            Self::Cancelled => "at least one task was cancelled",
            Self::Done => "every task succeeded",
            Self::Empty => "no image has come",
        }
    }

    /// Of a well: what a person should know first.
    pub(super) const fn of_well(image_sets: SubjectCounts, tasks: TaskCounts) -> Self {
        if tasks.failed + tasks.quarantined > 0 {
            Self::Failed
        } else if image_sets.incomplete > 0 {
            Self::Missing
        } else if tasks.running > 0 {
            Self::Running
        } else if image_sets.arriving > 0 {
            Self::Arriving
        } else if tasks.pending() > 0 {
            Self::Waiting
        } else if tasks.cancelled > 0 {
            Self::Cancelled
        } else if tasks.blocked > 0 {
            Self::Blocked
        } else if tasks.succeeded > 0 {
            Self::Done
        } else if image_sets.complete > 0 {
            Self::Waiting
        } else {
            Self::Empty
        }
    }

    pub(super) const fn of_task(state: TaskState, blocked: bool) -> Self {
        match state {
            TaskState::Waiting if blocked => Self::Blocked,
            TaskState::Waiting | TaskState::Ready => Self::Waiting,
            TaskState::Running => Self::Running,
            TaskState::Succeeded => Self::Done,
            TaskState::Retrying => Self::Missing,
            TaskState::Failed | TaskState::Quarantined => Self::Failed,
            TaskState::Cancelled => Self::Cancelled,
        }
    }

    pub(super) const fn of_plate(state: PlateState) -> Self {
        match state {
            PlateState::Arriving => Self::Arriving,
            PlateState::Complete => Self::Running,
            PlateState::Done => Self::Done,
            PlateState::DoneWithFailures => Self::Failed,
            PlateState::Stale => Self::Missing,
        }
    }

    pub(super) const fn of_subject(state: SubjectState) -> Self {
        match state {
            SubjectState::Arriving => Self::Arriving,
            SubjectState::Complete => Self::Done,
            SubjectState::Incomplete => Self::Missing,
        }
    }

    pub(super) const fn of_root(state: RootState) -> Self {
        match state {
            RootState::Online => Self::Done,
            RootState::Offline => Self::Failed,
            RootState::Removed => Self::Cancelled,
        }
    }
}

/// A state as a pill: a word on a colour.
#[derive(Clone, Debug, Template)]
#[template(
    ext = "html",
    source = r#"<span class="pill {{ class }}">{{ word }}</span>"#
)]
pub(super) struct Pill {
    pub class: &'static str,
    pub word: String,
}

impl askama::filters::HtmlSafe for Pill {}

impl Pill {
    pub(super) fn new(tone: Tone, word: impl Into<String>) -> Self {
        Self {
            class: tone.class(),
            word: word.into(),
        }
    }

    pub(super) fn task(state: TaskState, blocked: bool) -> Self {
        let word = if blocked && state == TaskState::Waiting {
            "blocked"
        } else {
            state.as_str()
        };
        Self::new(Tone::of_task(state, blocked), word)
    }

    /// Of a plate that a person or the daemon keeps from going on.
    pub(super) fn paused() -> Self {
        Self::new(Tone::Missing, "paused")
    }

    pub(super) fn plate(state: PlateState) -> Self {
        let word = match state {
            PlateState::Complete => "running",
            PlateState::DoneWithFailures => "done with failures",
            other => other.as_str(),
        };
        Self::new(Tone::of_plate(state), word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tone_has_a_letter_and_a_class_of_its_own() {
        for one in Tone::ALL {
            for other in Tone::ALL.into_iter().filter(|other| *other != one) {
                assert_ne!(one.letter(), other.letter());
                assert_ne!(one.class(), other.class());
            }
        }
    }

    #[test]
    fn what_needs_a_person_is_shown_first() {
        let sets = |arriving, complete, incomplete| SubjectCounts {
            arriving,
            complete,
            incomplete,
        };
        let mut tasks = TaskCounts {
            succeeded: 3,
            ..TaskCounts::default()
        };
        assert_eq!(Tone::of_well(sets(0, 1, 0), tasks), Tone::Done);
        assert_eq!(Tone::of_well(sets(1, 1, 0), tasks), Tone::Arriving);
        tasks.ready = 1;
        assert_eq!(Tone::of_well(sets(0, 1, 0), tasks), Tone::Waiting);
        tasks.running = 1;
        assert_eq!(Tone::of_well(sets(1, 1, 0), tasks), Tone::Running);
        assert_eq!(Tone::of_well(sets(1, 1, 1), tasks), Tone::Missing);
        tasks.quarantined = 1;
        assert_eq!(Tone::of_well(sets(1, 1, 1), tasks), Tone::Failed);
        let blocked = TaskCounts {
            blocked: 1,
            succeeded: 1,
            ..TaskCounts::default()
        };
        assert_eq!(Tone::of_well(sets(0, 1, 0), blocked), Tone::Blocked);
        let none = TaskCounts::default();
        assert_eq!(Tone::of_well(sets(0, 0, 0), none), Tone::Empty);
        assert_eq!(Tone::of_well(sets(0, 2, 0), none), Tone::Waiting);
    }
}
