//! How long a plate has been quiet, and whether what was decided about it still holds after a look at its folder.
//!
//! Quiet periods are counted by the steady clock, and only while the folder could be seen: setting the system's clock
//! does not complete a plate, nor does a share that is away. After a restart the period begins anew.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use queue::PlateId;
use watch::{Listed, Verification};

use crate::lock::lock;

/// The plates that are not complete.
#[derive(Default)]
pub(crate) struct Vigil(Mutex<HashMap<PlateId, Plate>>);

struct Plate {
    /// Time stamp of the last arrival. Only compared for being another one.
    arrival: Option<Timestamp>,
    quiet_since: Instant,
    verification: Option<Verification>,
}

impl Vigil {
    fn plates(&self) -> MutexGuard<'_, HashMap<PlateId, Plate>> {
        lock(&self.0)
    }

    /// Notes what is known of a plate now, and returns how long nothing has happened to it. `disturbed`: its folder cannot
    /// be seen, or something in it is still on its way.
    pub fn quiet(
        &self,
        plate: PlateId,
        arrival: Option<Timestamp>,
        disturbed: bool,
        now: Instant,
    ) -> Duration {
        let mut plates = self.plates();
        let known = plates.entry(plate).or_insert(Plate {
            arrival,
            quiet_since: now,
            verification: None,
        });
        if disturbed || known.arrival != arrival {
            known.arrival = arrival;
            known.quiet_since = now;
            known.verification = None;
        }
        now.saturating_duration_since(known.quiet_since)
    }

    /// Whether the folder has been listed since the decision was first taken. To be asked before looking for files on
    /// their way: what the listing found is on its way then.
    pub fn is_verified(&self, plate: PlateId) -> bool {
        self.verification(plate) == Some(Listed::Done)
    }

    fn verification(&self, plate: PlateId) -> Option<Listed> {
        let plates = self.plates();
        let verification = plates.get(&plate)?.verification.as_ref()?;
        Some(verification.listed())
    }

    /// Has the folder listed, unless that is under way.
    pub fn verify(&self, plate: PlateId, ask: impl FnOnce() -> Option<Verification>) {
        if self
            .verification(plate)
            .is_none_or(|listed| listed == Listed::Lost)
            && let Some(known) = self.plates().get_mut(&plate)
        {
            known.verification = ask();
        }
    }

    /// No rule holds (any more), or the plate is complete.
    pub fn undecided(&self, plate: PlateId) {
        if let Some(known) = self.plates().get_mut(&plate) {
            known.verification = None;
        }
    }

    /// Keeps nothing of plates that are not among these.
    pub fn retain(&self, plates: &[PlateId]) {
        self.plates().retain(|id, _| plates.contains(id));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const PLATE: PlateId = PlateId(1);

    fn at(seconds: i64) -> Option<Timestamp> {
        Some(Timestamp::from_second(seconds).unwrap())
    }

    #[test]
    fn quiet_is_counted_by_the_steady_clock_whatever_the_time_stamps_say() {
        let (vigil, start) = (Vigil::default(), Instant::now());
        let seconds = |n| start + Duration::from_secs(n);
        let quiet = |arrival, now| vigil.quiet(PLATE, at(arrival), false, now).as_secs();
        // Of an arrival long ago, as after a restart or with a clock that was set forward.
        assert_eq!(quiet(1_000, seconds(0)), 0);
        assert_eq!(quiet(1_000, seconds(60)), 60);
        // The clock is set back by an hour: the next arrival is earlier than the one before.
        assert_eq!(quiet(-2_600, seconds(61)), 0);
        assert_eq!(quiet(-2_600, seconds(100)), 39);
    }

    #[test]
    fn it_begins_anew_when_the_folder_could_not_be_seen() {
        let (vigil, start) = (Vigil::default(), Instant::now());
        let quiet = |disturbed, second| {
            let now = start + Duration::from_secs(second);
            vigil.quiet(PLATE, at(5), disturbed, now).as_secs()
        };
        assert_eq!(quiet(false, 0), 0);
        assert_eq!(quiet(false, 800), 800);
        assert_eq!(quiet(true, 850), 0);
        assert_eq!(quiet(true, 2_000), 0);
        assert_eq!(quiet(false, 2_010), 10);
    }
}
