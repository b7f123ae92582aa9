//! A plate on the first page.

use jiff::Timestamp;
use queue::{PlateState, PlateSummary, SetProgress};

use super::super::progress::Progress;
use super::super::show::{When, number};
use super::super::tone::Pill;
use crate::app::Inner;
use crate::estimate::Estimates;

/// A plate on the first page.
pub(in crate::page) struct PlateItem {
    pub id: i64,
    pub name: String,
    pub root: String,
    pub pill: Pill,
    /// Shown beside its state while it is paused.
    pub paused: Option<Pill>,
    pub progress: Progress,
    /// How many image sets were seen, of those that are expected.
    pub sets: String,
    /// The same by what becomes of them.
    pub parts: Vec<String>,
    pub estimate: String,
    pub basis: String,
    pub when: When,
}

impl PlateItem {
    pub(in crate::page) fn new(
        inner: &Inner,
        summary: PlateSummary,
        root: String,
        estimates: &Estimates,
        is_paused: bool,
        now: Timestamp,
    ) -> queue::Result<Self> {
        let id = summary.plate.id;
        let estimate = estimates.of(id);
        // What has ended is told by its bar; the image sets of what has not are counted, which reads an index of its tasks.
        let has_ended = matches!(
            summary.plate.state,
            PlateState::Done | PlateState::DoneWithFailures
        );
        let parts = if has_ended {
            parts(&summary, SetProgress::default(), 0)
        } else {
            let plate = &summary.plate;
            let settling = inner.control.settling_below(plate.root, &plate.directory);
            parts(&summary, inner.store.set_progress(id)?, settling)
        };
        let PlateSummary {
            plate,
            image_sets,
            tasks,
        } = summary;
        let seen = number(image_sets.total());
        Ok(Self {
            id: id.0,
            name: plate.name,
            root,
            pill: Pill::plate(plate.state),
            progress: Progress::of_plate(tasks, plate.state),
            paused: is_paused.then(Pill::paused),
            sets: match plate.expected {
                Some(expected) => format!("{seen} of {}", number(expected.into())),
                None => seen,
            },
            parts,
            estimate: estimate.as_ref().map(|e| e.text()).unwrap_or_default(),
            basis: estimate.and_then(|e| e.basis()).unwrap_or_default(),
            when: When::new(
                plate
                    .finished_at
                    .or(plate.last_arrival)
                    .unwrap_or(plate.created_at),
                now,
            ),
        })
    }
}

/// Image sets by what becomes of them; nothing is said of what is not there.
fn parts(summary: &PlateSummary, progress: SetProgress, settling: u64) -> Vec<String> {
    let (plate, sets) = (&summary.plate, summary.image_sets);
    // Before it is complete, what has not come may still come.
    let never_came = match (plate.state, plate.expected) {
        (PlateState::Arriving | PlateState::Stale, _) | (_, None) => 0,
        (_, Some(expected)) => u64::from(expected).saturating_sub(sets.total()),
    };
    [
        (sets.arriving, "arriving"),
        (progress.queued, "queued"),
        (progress.running, "running"),
        (progress.done, "done"),
        (progress.failed, "failed"),
        (progress.stopped, "blocked or cancelled"),
        (sets.incomplete, "with images missing"),
        (never_came, "never came"),
        (settling, "files settling"),
    ]
    .into_iter()
    .filter(|(n, _)| *n > 0)
    .map(|(n, word)| format!("{} {word}", number(n)))
    .collect()
}
