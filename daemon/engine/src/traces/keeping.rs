//! Keeps the files of plates that have ended up to date.

use std::collections::BTreeSet;

use queue::{Cursor, EventId, PlateId, PlateState};

use crate::error::Result;
use crate::intake::Intake;
use crate::records;

/// Events that are read at a time.
const PAGE: u32 = 500;

/// What the daemon remembers between two looks. All of it can be lost: the first look finds it again in the queue.
#[derive(Debug, Default)]
pub(crate) struct Keeping {
    /// Everything up to here was looked at; none before the first look, and after the configuration changed.
    seen: Option<EventId>,
    /// Plates whose files are to be written.
    due: BTreeSet<PlateId>,
    /// Plates whose files could not be written, of which the log knows.
    failed: BTreeSet<PlateId>,
}

impl Keeping {
    /// Looks at all plates again, because roots changed.
    pub fn start_over(&mut self) {
        *self = Self::default();
    }
}

impl Intake {
    /// Writes the files of the plates that ended, or whose tasks came to something else, since the last look. A folder that
    /// cannot be written to is tried again at the next look, and does not concern the plate.
    ///
    /// # Errors
    /// The queue fails.
    pub(crate) fn keep_status_files(&self, keeping: &mut Keeping) -> Result<()> {
        let facility = self.facility();
        if !facility.roots().iter().any(|root| root.status_files) {
            return Ok(());
        }
        let upto = self.store().last_event();
        let changed = match keeping.seen {
            None => self.all_with_news()?,
            Some(seen) => self.plates_with_events(seen)?,
        };
        keeping.due.extend(changed);
        keeping.seen = Some(upto);
        for id in std::mem::take(&mut keeping.due) {
            let plate = match self.store().plate(id) {
                Ok(found) => found.plate,
                Err(queue::Error::NotFound { .. }) => continue,
                Err(error) => {
                    // Those that are due are found again in the queue.
                    keeping.start_over();
                    return Err(error.into());
                }
            };
            let wanted = facility.root(plate.root).is_some_and(|r| r.status_files);
            // It has an event of its own when it has ended.
            if !wanted || !plate.state.is_done() {
                continue;
            }
            match self.write_status_files(id) {
                Ok(written) => {
                    keeping.failed.remove(&id);
                    tracing::debug!(plate = %plate.name, folder = %written.folder.display(), "status files written");
                }
                Err(error) => {
                    if keeping.failed.insert(id) {
                        tracing::warn!(plate = %plate.name, %error, "status files cannot be written; trying again");
                    }
                    keeping.due.insert(id);
                }
            }
        }
        Ok(())
    }

    /// Plates that have ended and of which their files do not tell everything.
    fn all_with_news(&self) -> Result<BTreeSet<PlateId>> {
        let store = self.store();
        let mut found = BTreeSet::new();
        for plate in records::plates(store, &[PlateState::Done, PlateState::DoneWithFailures])? {
            let cursor = Cursor {
                after: self.traced(plate.id)?.0,
                limit: 1,
            };
            if !store.events(Some(plate.id), cursor)?.items.is_empty() {
                found.insert(plate.id);
            }
        }
        Ok(found)
    }

    fn plates_with_events(&self, seen: EventId) -> Result<BTreeSet<PlateId>> {
        let mut found = BTreeSet::new();
        let mut cursor = Cursor {
            after: seen.0,
            limit: PAGE,
        };
        loop {
            let page = self.store().events(None, cursor)?;
            found.extend(page.items.iter().filter_map(|event| event.plate));
            match page.next {
                Some(next) => cursor.after = next,
                None => return Ok(found),
            }
        }
    }
}
