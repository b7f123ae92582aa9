//! When a plate will be done: an estimate that says what it rests on, or why there is none.
//!
//! The work that is left is counted job by job and multiplied by what each took lately; plates that are claimed before go
//! first; a plate that still arrives is not done before its images are there. Nothing is guessed where nothing has ended yet.

mod estimates;
mod words;

use std::time::Duration;

use jiff::Timestamp;
use queue::{
    Hold, JobLoad, PlateId, PlateLoad, PlateState, RootRow, RootState, SubjectKind, Target,
};

pub(crate) use estimates::Estimates;
use words::{list, plural, span};

/// After so many times the usual time between two image sets without one, an acquisition is said to have stopped.
const STALLED: f64 = 10.0;

/// But never sooner than this, in seconds: people change plates, objectives, minds.
const STALLED_LEAST: f64 = 300.0;

/// What an estimate is made from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Circumstances<'a> {
    pub now: Timestamp,
    pub workers: usize,
    pub holds: &'a [Hold],
    pub roots: &'a [RootRow],
    /// All plates that are not done, in the order in which they are claimed.
    pub loads: &'a [PlateLoad],
}

/// When a plate will be done.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Estimate {
    /// In so long.
    About {
        low: Duration,
        high: Duration,
        /// Whether its images take longer to come than the work on them.
        by_arrival: bool,
        /// What it rests on.
        basis: String,
    },
    /// Not sooner than in so long: something that is still to come cannot be told.
    AtLeast {
        low: Duration,
        /// What it rests on.
        basis: String,
        /// What it leaves out.
        without: String,
    },
    /// Not before somebody or something lets it go on.
    Held(String),
    /// There is nothing to tell it from.
    Unknown(String),
}

impl Estimate {
    /// The estimate in a few words.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::About { low, high, .. } => match (span(*low), span(*high)) {
                (low, high) if low == high => format!("about {low}"),
                (low, high) => format!("about {low} to {high}"),
            },
            Self::AtLeast { low, .. } => format!("at least {}", span(*low)),
            Self::Held(why) => format!("held: {why}"),
            Self::Unknown(why) => format!("no estimate yet: {why}"),
        }
    }

    /// What it rests on, and what it leaves out.
    pub(crate) fn basis(&self) -> Option<String> {
        match self {
            Self::About { basis, .. } => Some(basis.clone()),
            Self::AtLeast { basis, without, .. } => Some(format!("{basis}; without {without}")),
            Self::Held(_) | Self::Unknown(_) => None,
        }
    }
}

/// Of a plate; `None` if it is done.
pub(crate) fn of_plate(id: PlateId, about: &Circumstances<'_>) -> Option<Estimate> {
    let position = about.loads.iter().position(|load| load.plate.id == id)?;
    let (before, load) = (&about.loads[..position], &about.loads[position]);
    if let Some(why) = held(load, about) {
        return Some(Estimate::Held(why));
    }
    Some(of_load(before, load, about).unwrap_or_else(Estimate::Unknown))
}

/// Why nothing of a plate is claimed, where that is so.
fn held(load: &PlateLoad, about: &Circumstances<'_>) -> Option<String> {
    let plate = &load.plate;
    let hold = about.holds.iter().find(|hold| match hold.target {
        Target::All => true,
        Target::Root(root) => root == plate.root,
        Target::Plate(id) => id == plate.id,
    });
    if let Some(hold) = hold {
        let what = match hold.target {
            Target::All => "everything is paused",
            Target::Root(_) => "its folder is paused",
            Target::Plate(_) => "it is paused",
        };
        return Some(format!("{what} ({})", hold.reason));
    }
    let root = about.roots.iter().find(|root| root.id == plate.root)?;
    match root.state {
        RootState::Online => None,
        RootState::Offline => Some(format!("the folder {} is offline", root.name)),
        RootState::Removed => Some(format!("the folder {} is not configured", root.name)),
    }
}

const fn is_of_set(job: &JobLoad) -> bool {
    !matches!(job.kind, SubjectKind::Plate)
}

/// Seconds of one worker that the tasks which are left take; jobs that never ended count nothing.
fn seconds<'a>(jobs: impl Iterator<Item = &'a JobLoad>) -> f64 {
    jobs.map(|job| job.tasks.pending() as f64 * job.pace.map_or(0.0, |pace| pace.seconds))
        .sum()
}

/// An image set takes so many seconds of one worker.
fn seconds_of_set(load: &PlateLoad) -> f64 {
    let jobs = load.jobs.iter().filter(|job| is_of_set(job));
    jobs.filter_map(|job| job.pace)
        .map(|pace| pace.seconds)
        .sum()
}

fn of_load(
    before: &[PlateLoad],
    load: &PlateLoad,
    about: &Circumstances<'_>,
) -> Result<Estimate, String> {
    if about.workers == 0 {
        return Err("there are no workers".to_owned());
    }
    if load.jobs.is_empty() {
        return Err("no image set is complete yet".to_owned());
    }
    if load.jobs.iter().all(|job| job.pace.is_none()) {
        return Err("no task of its workflow has ended yet".to_owned());
    }
    let arrival = arrival(load, about.now)?;
    let work = work(before, load, &arrival, about);
    let mut without = arrival.without;
    let unknown: Vec<&str> = load
        .jobs
        .iter()
        .filter(|job| job.pace.is_none() && job.tasks.pending() > 0)
        .map(|job| job.job.as_str())
        .collect();
    if !unknown.is_empty() {
        without.push(format!("{}, which never ended yet", list(&unknown)));
    }
    // The last image set is worked on after it came, and the plate as a whole after that.
    let arrived = arrival.seconds
        + if arrival.seconds > 0.0 {
            work.tail
        } else {
            0.0
        };
    let by_arrival = arrived > work.seconds;
    let seconds = arrived.max(work.seconds);
    let (low, high) = spread(load);
    let basis = basis(load, &work, about.workers, by_arrival);
    let duration = |factor: f64| Duration::from_secs_f64((seconds * factor).clamp(0.0, 1e9));
    if without.is_empty() {
        Ok(Estimate::About {
            low: duration(low),
            high: duration(high),
            by_arrival,
            basis,
        })
    } else {
        Ok(Estimate::AtLeast {
            low: duration(low),
            basis,
            without: without.join(", and without "),
        })
    }
}

struct Arrival {
    /// Until the last image set is there.
    seconds: f64,
    /// Image sets that have not been seen at all.
    unseen: f64,
    /// What cannot be told.
    without: Vec<String>,
}

/// When the last image set will have come, from how fast those before came.
fn arrival(load: &PlateLoad, now: Timestamp) -> Result<Arrival, String> {
    let there = Arrival {
        seconds: 0.0,
        unseen: 0.0,
        without: Vec::new(),
    };
    let plate = &load.plate;
    if !matches!(plate.state, PlateState::Arriving | PlateState::Stale) {
        return Ok(there);
    }
    let Some(expected) = plate.expected else {
        let without = vec!["what may still come, as nobody said how much it will be".to_owned()];
        return Ok(Arrival { without, ..there });
    };
    let (expected, seen) = (f64::from(expected), load.image_sets.total() as f64);
    let unseen = (expected - seen).max(0.0);
    let open = unseen + load.image_sets.arriving as f64;
    if open < 1.0 {
        let without = vec!["the wait until the plate is called complete".to_owned()];
        return Ok(Arrival { without, ..there });
    }
    let last = plate.last_arrival.unwrap_or(plate.created_at);
    let between = |from: Timestamp, to: Timestamp| {
        (to.as_millisecond().saturating_sub(from.as_millisecond())).max(0) as f64 / 1e3
    };
    let taken = between(plate.created_at, last);
    if seen < 2.0 || taken < 1.0 {
        return Err("too few image sets have come to tell how fast they come".to_owned());
    }
    let interval = taken / seen;
    let silent = between(last, now);
    if silent > (interval * STALLED).max(STALLED_LEAST) {
        let for_so_long = span(Duration::from_secs_f64(silent));
        return Err(format!(
            "nothing has come for {for_so_long}, and {} to come",
            plural(open as u64, "image set is", "image sets are")
        ));
    }
    Ok(Arrival {
        seconds: (open * interval - silent).max(interval),
        unseen,
        without: Vec::new(),
    })
}

struct Work {
    /// Until all is worked off, were all its images there.
    seconds: f64,
    /// Of the last image set and the plate as a whole: what cannot begin before the last image came.
    tail: f64,
    /// Plates that are claimed before and have work.
    plates_before: u64,
}

fn work(
    before: &[PlateLoad],
    load: &PlateLoad,
    arrival: &Arrival,
    about: &Circumstances<'_>,
) -> Work {
    let workers = about.workers as f64;
    let of_set = seconds_of_set(load);
    let of_sets = seconds(load.jobs.iter().filter(|job| is_of_set(job))) + arrival.unseen * of_set;
    let of_plate = seconds(load.jobs.iter().filter(|job| !is_of_set(job)));
    // An image set is worked on by one worker: however many there are, it takes its time.
    let own = (of_sets / workers).max(if of_sets > 0.0 {
        of_set.min(of_sets)
    } else {
        0.0
    });
    let ahead: Vec<f64> = before
        .iter()
        .filter(|other| held(other, about).is_none())
        .map(|other| seconds(other.jobs.iter()))
        .filter(|seconds| *seconds > 0.0)
        .collect();
    Work {
        seconds: ahead.iter().sum::<f64>() / workers + own + of_plate,
        tail: of_set + of_plate,
        plates_before: ahead.len() as u64,
    }
}

/// How far the truth may be from the figure: less, the more has ended and if it was of this very plate.
fn spread(load: &PlateLoad) -> (f64, f64) {
    let paces = load.jobs.iter().filter_map(|job| job.pace);
    let is_own = paces.clone().all(|pace| pace.is_own);
    let fewest = paces.map(|pace| pace.executions).min().unwrap_or(0);
    match (is_own, fewest) {
        (true, 30..) => (0.9, 1.2),
        (_, 5..) => (0.8, 1.5),
        _ => (0.5, 2.0),
    }
}

fn basis(load: &PlateLoad, work: &Work, workers: usize, by_arrival: bool) -> String {
    let paces = load.jobs.iter().filter_map(|job| job.pace);
    let most = paces.clone().map(|pace| pace.executions).max().unwrap_or(0);
    let where_from = if paces.clone().all(|pace| pace.is_own) {
        "of this plate"
    } else if paces.clone().any(|pace| pace.is_own) {
        "of this plate and others"
    } else {
        "of other plates"
    };
    let mut parts = vec![format!(
        "from {} {where_from}",
        plural(most, "run of a job", "runs of each job")
    )];
    if by_arrival {
        parts.push("as fast as its images come".to_owned());
    }
    parts.push(plural(workers as u64, "worker", "workers"));
    if work.plates_before > 0 {
        parts.push(format!(
            "after {} that {} first",
            plural(work.plates_before, "plate", "plates"),
            if work.plates_before == 1 {
                "comes"
            } else {
                "come"
            }
        ));
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests;
