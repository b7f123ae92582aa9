//! Events of the operating system, reduced to what they hint at.

use notify::event::{
    AccessKind, AccessMode, CreateKind, Event, EventKind, ModifyKind, RemoveKind, RenameMode,
};
use std::path::PathBuf;

/// What the events of one path, taken together, hint at. A look at the disk decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Hint {
    /// Whether its last writer closed it or it was renamed into place (true), or it was written to since (false).
    pub closed: Option<bool>,
    /// Whether it was removed or renamed away.
    pub gone: bool,
    /// Whether an event said that it is no folder.
    pub file: bool,
}

impl Hint {
    /// Adds a later hint about the same path.
    pub fn add(&mut self, later: Self) {
        self.closed = later.closed.or(self.closed);
        self.gone = later.gone;
        self.file |= later.file;
    }

    /// Whether it only says that a file is being written.
    pub fn only_written(self) -> bool {
        self.closed == Some(false) && !self.gone
    }
}

/// One event, translated.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Look at this path.
    Look(PathBuf, Hint),
    /// Events were lost: look at everything.
    Lost,
    /// Says nothing about arrival. Our own probes cause most of these.
    Nothing,
}

/// Translates an event of notify's inotify backend.
pub(crate) fn translate(event: Event) -> Signal {
    if event.need_rescan() {
        return Signal::Lost;
    }
    let hint = match event.kind {
        EventKind::Create(CreateKind::File) => Hint {
            closed: Some(false),
            gone: false,
            file: true,
        },
        EventKind::Create(_) => Hint::default(),
        EventKind::Modify(ModifyKind::Data(_)) => Hint {
            closed: Some(false),
            gone: false,
            file: true,
        },
        EventKind::Modify(ModifyKind::Name(RenameMode::From)) => Hint {
            gone: true,
            ..Hint::default()
        },
        EventKind::Modify(ModifyKind::Name(RenameMode::To)) => Hint {
            closed: Some(true),
            ..Hint::default()
        },
        // Both repeats From and To.
        EventKind::Modify(ModifyKind::Name(_)) => return Signal::Nothing,
        EventKind::Modify(_) => Hint::default(),
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => Hint {
            closed: Some(true),
            gone: false,
            file: true,
        },
        EventKind::Remove(kind) => Hint {
            closed: None,
            gone: true,
            file: kind == RemoveKind::File,
        },
        EventKind::Access(_) | EventKind::Any | EventKind::Other => return Signal::Nothing,
    };
    match event.paths.into_iter().next() {
        Some(path) => Signal::Look(path, hint),
        None => Signal::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use notify::event::{DataChange, Flag};

    fn signal(kind: EventKind) -> Signal {
        translate(Event::new(kind).add_path("/r/a".into()))
    }

    #[test]
    fn a_lost_queue_asks_for_a_rescan() {
        let event = Event::new(EventKind::Other).set_flag(Flag::Rescan);
        assert_eq!(translate(event), Signal::Lost);
    }

    #[test]
    fn reading_is_no_hint() {
        for access in [
            AccessKind::Open(AccessMode::Any),
            AccessKind::Close(AccessMode::Read),
            AccessKind::Read,
        ] {
            assert_eq!(signal(EventKind::Access(access)), Signal::Nothing);
        }
    }

    #[test]
    fn the_events_of_a_written_file_add_up() {
        let mut sum = Hint::default();
        for (kind, closed) in [
            (EventKind::Create(CreateKind::File), Some(false)),
            (
                EventKind::Modify(ModifyKind::Data(DataChange::Any)),
                Some(false),
            ),
            (
                EventKind::Access(AccessKind::Close(AccessMode::Write)),
                Some(true),
            ),
            (
                EventKind::Modify(ModifyKind::Metadata(notify::event::MetadataKind::Any)),
                Some(true),
            ),
            (
                EventKind::Modify(ModifyKind::Name(RenameMode::From)),
                Some(true),
            ),
        ] {
            let Signal::Look(path, hint) = signal(kind) else {
                panic!("{kind:?} must be a hint")
            };
            assert_eq!(path, PathBuf::from("/r/a"));
            sum.add(hint);
            assert_eq!(sum.closed, closed, "{kind:?}");
        }
        assert!(sum.gone && sum.file);
    }
}
