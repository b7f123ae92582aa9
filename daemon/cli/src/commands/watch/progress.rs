//! How far things are, in one line.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::wire::{Counts, Plate, Status};
use crate::words::{harmless, number, span};

/// The rate is that of the last half minute.
const WINDOW: Duration = Duration::from_secs(30);

/// Signs of a full bar.
const BAR: u64 = 20;

/// How fast tasks end.
#[derive(Debug, Default)]
pub(super) struct Rate {
    seen: VecDeque<(Instant, u64)>,
}

impl Rate {
    /// Remembers how many have ended now.
    pub(super) fn note(&mut self, plates: &[Plate], now: Instant) {
        let ended = sum(plates).ended();
        // After a requeue fewer have ended than before: the old rate says nothing any more.
        if self.seen.back().is_some_and(|(_, before)| *before > ended) {
            self.seen.clear();
        }
        self.seen.push_back((now, ended));
        while self
            .seen
            .front()
            .is_some_and(|(at, _)| now.duration_since(*at) > WINDOW)
        {
            self.seen.pop_front();
        }
    }

    /// Tasks a second; none while nothing can be said.
    fn per_second(&self) -> Option<f64> {
        let ((first, before), (last, after)) = (self.seen.front()?, self.seen.back()?);
        let seconds = last.duration_since(*first).as_secs_f64();
        (seconds >= 2.0 && after > before).then(|| (after - before) as f64 / seconds)
    }
}

fn sum(plates: &[Plate]) -> Counts {
    let mut sum = Counts::default();
    for counts in plates.iter().map(|plate| &plate.counts) {
        sum.waiting += counts.waiting;
        sum.blocked += counts.blocked;
        sum.ready += counts.ready;
        sum.running += counts.running;
        sum.succeeded += counts.succeeded;
        sum.retrying += counts.retrying;
        sum.failed += counts.failed;
        sum.quarantined += counts.quarantined;
        sum.cancelled += counts.cancelled;
    }
    sum
}

/// A bar of signs that every terminal has.
fn bar(done: u64, total: u64) -> String {
    let full = (BAR * done.min(total)).checked_div(total).unwrap_or(0);
    (0..BAR)
        .map(|at| if at < full { '#' } else { '.' })
        .collect()
}

/// The numbers that matter while tasks run.
fn numbers(counts: &Counts) -> String {
    let mut text = format!("{}/{} tasks", counts.ended(), counts.total());
    for (count, what) in [
        (counts.running, "running"),
        (counts.retrying, "retrying"),
        (counts.blocked, "blocked"),
        (counts.broken(), "failed"),
    ] {
        if count > 0 {
            text.push_str(&format!("  {count} {what}"));
        }
    }
    text
}

/// A plate in one line.
pub(super) fn plate_line(plate: &Plate) -> String {
    format!(
        "{}  {}  {} image sets  {}",
        plate.name,
        plate.state,
        plate.image_sets.text(),
        numbers(&plate.counts)
    )
}

/// Everything in one line, without control characters: the plates that have not ended, or all if none is left.
pub(super) fn headline(plates: &[Plate], status: &Status, rate: &Rate) -> String {
    let active: Vec<Plate> = plates
        .iter()
        .filter(|plate| !plate.has_ended())
        .cloned()
        .collect();
    let (shown, arriving) = if active.is_empty() {
        (plates, false)
    } else {
        (&*active, active.iter().any(|p| p.state == "arriving"))
    };
    let counts = sum(shown);
    let name = match shown {
        [] => return "no plates yet".to_owned(),
        [plate] => format!(
            "{}  {}  {} image sets",
            plate.name,
            plate.state,
            plate.image_sets.text()
        ),
        _ => number(shown.len() as u64, "plate"),
    };
    let paused = if status.paused.is_some() {
        "PAUSED  "
    } else {
        ""
    };
    let mut line = format!(
        "{paused}{name}  [{}]  {}",
        bar(counts.ended(), counts.total()),
        numbers(&counts)
    );
    if let Some(rate) = rate.per_second().filter(|_| !active.is_empty()) {
        line.push_str(&format!("  {rate:.1}/s"));
        let left = counts.total() - counts.ended();
        // As long as images arrive, nobody knows how many tasks there will be.
        if !arriving && left > 0 {
            line.push_str(&format!(
                "  {} left",
                span((left as f64 / rate).ceil() as i64)
            ));
        }
    }
    harmless(&line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plate(name: &str, state: &str, succeeded: u64, waiting: u64) -> Plate {
        let counts = Counts {
            succeeded,
            waiting,
            ..Counts::default()
        };
        Plate {
            name: name.to_owned(),
            state: state.to_owned(),
            counts,
            ..Plate::default()
        }
    }

    #[test]
    fn a_bar_is_as_full_as_the_work_is_done() {
        assert_eq!(bar(0, 0), "....................");
        assert_eq!(bar(1, 4), "#####...............");
        assert_eq!(bar(9, 4), "####################");
    }

    #[test]
    fn one_plate_is_named_and_many_are_counted() {
        let (status, rate) = (Status::default(), Rate::default());
        let done = plate("old", "done", 5, 0);
        let one = headline(
            &[done.clone(), plate("new\u{1b}", "complete", 1, 3)],
            &status,
            &rate,
        );
        assert_eq!(
            one,
            "new\u{fffd}  complete  0 image sets  [#####...............]  1/4 tasks"
        );
        let two = [plate("a", "complete", 1, 0), plate("b", "arriving", 0, 1)];
        assert!(
            headline(&two, &status, &rate).starts_with("2 plates  [##########"),
            "{}",
            headline(&two, &status, &rate)
        );
        assert!(headline(&[done], &status, &rate).starts_with("old  done"));
        assert_eq!(headline(&[], &status, &rate), "no plates yet");
    }

    #[test]
    fn the_time_left_follows_from_the_rate() {
        let start = Instant::now();
        let mut rate = Rate::default();
        rate.note(&[plate("p", "complete", 0, 40)], start);
        assert_eq!(rate.per_second(), None);
        rate.note(
            &[plate("p", "complete", 20, 20)],
            start + Duration::from_secs(10),
        );
        assert_eq!(rate.per_second(), Some(2.0));
        let line = headline(&[plate("p", "complete", 20, 20)], &Status::default(), &rate);
        assert!(line.ends_with("2.0/s  10 s left"), "{line}");
        let line = headline(&[plate("p", "arriving", 20, 20)], &Status::default(), &rate);
        assert!(line.ends_with("2.0/s"), "{line}");
        // A requeue starts anew.
        rate.note(
            &[plate("p", "complete", 10, 30)],
            start + Duration::from_secs(11),
        );
        assert_eq!(rate.per_second(), None);
    }
}
