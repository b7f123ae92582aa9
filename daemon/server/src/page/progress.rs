//! How far something is, as a bar and in words.

use askama::Template;
use queue::{PlateState, TaskCounts};

use super::show::number;
use super::tone::Tone;

/// Width of a bar in its own units.
const WIDTH: u64 = 1000;

/// A part of a bar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    pub class: &'static str,
    pub x: u64,
    pub width: u64,
}

/// How far the tasks are. The bar is an SVG, as the content security policy forbids styles in the page.
#[derive(Clone, Debug, Template)]
#[template(path = "progress.html")]
pub(super) struct Progress {
    pub segments: Vec<Segment>,
    pub percent: u64,
    pub words: String,
}

impl askama::filters::HtmlSafe for Progress {}

impl Progress {
    pub(super) fn new(tasks: TaskCounts) -> Self {
        let total = tasks.total();
        let failed = tasks.failed + tasks.quarantined;
        let waiting = tasks.waiting + tasks.ready + tasks.retrying;
        let parts = [
            (Tone::Done, tasks.succeeded),
            (Tone::Failed, failed),
            (Tone::Blocked, tasks.blocked),
            (Tone::Cancelled, tasks.cancelled),
            (Tone::Running, tasks.running),
            (Tone::Waiting, waiting),
        ];
        let mut segments = Vec::new();
        let mut sum = 0;
        for (tone, n) in parts.into_iter().filter(|(_, n)| *n > 0) {
            let x = scale(sum, total);
            sum += n;
            // What is there is seen, however little it is.
            let width = (scale(sum, total) - x).max(4);
            segments.push(Segment {
                class: tone.class(),
                x,
                width,
            });
        }
        let mut words = match total {
            0 => "no tasks yet".to_owned(),
            _ => format!("{} of {} tasks", number(tasks.succeeded), number(total)),
        };
        for (n, word) in [
            (tasks.running, "running"),
            (failed, "failed"),
            (tasks.blocked, "blocked"),
            (tasks.cancelled, "cancelled"),
        ] {
            if n > 0 {
                words.push_str(&format!(" · {} {word}", number(n)));
            }
        }
        Self {
            segments,
            percent: match total {
                0 => 0,
                _ => tasks.succeeded * 100 / total,
            },
            words,
        }
    }
}

impl Progress {
    /// Of a plate: while it arrives, more tasks are to come, and the words say so.
    pub(super) fn of_plate(tasks: TaskCounts, state: PlateState) -> Self {
        let mut progress = Self::new(tasks);
        if matches!(state, PlateState::Arriving | PlateState::Stale) && tasks.total() > 0 {
            let known = format!("{} tasks", number(tasks.total()));
            progress.words = progress
                .words
                .replacen(&known, &format!("{known} so far"), 1);
        }
        progress
    }
}

fn scale(n: u64, total: u64) -> u64 {
    match total {
        0 => 0,
        _ => (u128::from(n) * u128::from(WIDTH) / u128::from(total)) as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_fill_the_bar() {
        let progress = Progress::new(TaskCounts {
            succeeded: 50,
            failed: 25,
            ready: 25,
            ..TaskCounts::default()
        });
        let spans: Vec<_> = progress
            .segments
            .iter()
            .map(|part| (part.class, part.x, part.width))
            .collect();
        assert_eq!(
            spans,
            [
                ("t-done", 0, 500),
                ("t-fail", 500, 250),
                ("t-wait", 750, 250)
            ]
        );
        assert_eq!(progress.percent, 50);
        assert_eq!(progress.words, "50 of 100 tasks · 25 failed");
    }

    #[test]
    fn one_failure_of_many_is_seen() {
        let progress = Progress::new(TaskCounts {
            succeeded: 99_999,
            failed: 1,
            ..TaskCounts::default()
        });
        assert!(progress.segments[1].width >= 4);
        assert_eq!(progress.percent, 99, "only all of them is 100 %");
    }

    #[test]
    fn nothing_is_no_bar() {
        let progress = Progress::new(TaskCounts::default());
        assert!(progress.segments.is_empty());
        assert_eq!(progress.words, "no tasks yet");
    }
}
