//! The executions of a task: on one axis of time, and one by one.

use jiff::Timestamp;
use queue::{AttemptOutcome, AttemptRow, TaskRow};

use super::super::show::{When, bytes, duration, flatten, milliseconds};
use super::super::tone::{Pill, Tone};
use crate::app::Inner;

/// Length of the axis in the units of the drawing.
const WIDTH: i64 = 1000;

/// Shortest bar: what happened is seen, however quick it was.
const LEAST: i64 = 6;

/// One execution.
pub(in crate::page) struct AttemptItem {
    pub number: u32,
    pub pill: Pill,
    pub worker: String,
    /// Time between the end of the one before (or the planning of the task) and its start.
    pub waited: String,
    pub started: When,
    pub took: String,
    pub error: Option<queue::Failure>,
    pub log: String,
    /// Where the script asks for more of the log; empty once there is no more.
    pub live: String,
    pub timings: Vec<(String, String)>,
    pub memory: String,
    pub is_open: bool,
    /// On the axis, first the wait, then the execution.
    pub bars: [Span; 2],
}

/// A part of the axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::page) struct Span {
    pub class: &'static str,
    pub x: i64,
    pub width: i64,
}

/// All executions, the newest first as the queue gives them.
pub(in crate::page) fn attempts(
    inner: &Inner,
    task: &TaskRow,
    rows: Vec<AttemptRow>,
    now: Timestamp,
) -> queue::Result<Vec<AttemptItem>> {
    let axis = Axis::of(task, &rows, now);
    // Each waited since the one before, which follows in the list, had ended.
    let mut since: Vec<Timestamp> = rows
        .iter()
        .skip(1)
        .map(|row| row.ended_at.unwrap_or(row.started_at))
        .collect();
    since.push(task.created_at);
    rows.into_iter()
        .zip(since)
        .enumerate()
        .map(|(i, (row, since))| attempt(inner, row, since, &axis, now, i == 0))
        .collect()
}

fn attempt(
    inner: &Inner,
    row: AttemptRow,
    since: Timestamp,
    axis: &Axis,
    now: Timestamp,
    is_last: bool,
) -> queue::Result<AttemptItem> {
    let tone = match row.outcome {
        AttemptOutcome::Running => Tone::Running,
        AttemptOutcome::Succeeded => Tone::Done,
        AttemptOutcome::Failed | AttemptOutcome::Crashed => Tone::Failed,
        AttemptOutcome::Interrupted => Tone::Missing,
        AttemptOutcome::Cancelled => Tone::Cancelled,
    };
    let end = row.ended_at.unwrap_or(axis.to);
    Ok(AttemptItem {
        log: crate::api::log_of(inner, &row)?,
        live: if row.ended_at.is_none() {
            format!("/api/v1/tasks/{}/log?attempt={}", row.task, row.number)
        } else {
            String::new()
        },
        number: row.number,
        pill: Pill::new(tone, row.outcome.as_str()),
        worker: match row.pid {
            Some(pid) => format!("{} (pid {pid})", row.worker),
            None => row.worker,
        },
        waited: duration(since, row.started_at.max(since)),
        started: When::new(row.started_at, now),
        took: duration(row.started_at, end),
        error: row.error,
        timings: row.timings.as_ref().map(timings).unwrap_or_default(),
        memory: row
            .peak_rss
            .map(|rss| bytes(rss.unsigned_abs()))
            .unwrap_or_default(),
        is_open: is_last,
        bars: [
            axis.span(Tone::Waiting.class(), since, row.started_at),
            axis.span(tone.class(), row.started_at, end),
        ],
    })
}

/// Times in milliseconds by what took them.
fn timings(value: &serde_json::Value) -> Vec<(String, String)> {
    let told = |(name, text): (String, String)| {
        let time = text.parse().map_or(text, milliseconds);
        (name, time)
    };
    flatten(value).into_iter().map(told).collect()
}

/// From the planning of a task until now, or until its last execution ended.
struct Axis {
    from: Timestamp,
    to: Timestamp,
}

impl Axis {
    fn of(task: &TaskRow, rows: &[AttemptRow], now: Timestamp) -> Self {
        let ends: Option<Vec<Timestamp>> = rows.iter().map(|row| row.ended_at).collect();
        let last = ends.and_then(|ends| ends.into_iter().max());
        Self {
            from: task.created_at,
            to: last.unwrap_or(now).max(task.created_at),
        }
    }

    fn at(&self, time: Timestamp) -> i64 {
        let whole = (self.to.as_millisecond() - self.from.as_millisecond()).max(1);
        let part = time.as_millisecond() - self.from.as_millisecond();
        (part.clamp(0, whole) * WIDTH / whole).clamp(0, WIDTH - LEAST)
    }

    fn span(&self, class: &'static str, from: Timestamp, to: Timestamp) -> Span {
        let x = self.at(from);
        Span {
            class,
            x,
            width: (self.at(to.max(from)) - x).max(LEAST),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn bars_stay_on_the_axis() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let axis = Axis {
            from: at(100),
            to: at(200),
        };
        let span = |from, to| {
            let span = axis.span("t-run", at(from), at(to));
            (span.x, span.width)
        };
        assert_eq!(span(100, 150), (0, 500));
        assert_eq!(span(150, 150), (500, LEAST));
        assert_eq!(span(200, 200), (WIDTH - LEAST, LEAST));
        assert_eq!(span(0, 999), (0, WIDTH - LEAST), "a clock that was set");
    }
}
