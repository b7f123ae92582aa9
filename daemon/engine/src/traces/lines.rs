//! Lines of a log in the form of BatchLib's.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// How much a line matters, in the words of Python's `logging`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Info,
    Warning,
    Error,
}

/// The loggers that write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Logger {
    Workflow,
    Job,
}

/// One line.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub at: Timestamp,
    /// The worker; none for what no worker did.
    pub thread: Option<String>,
    pub level: Level,
    pub logger: Logger,
    pub text: String,
}

impl Line {
    /// A line of the workflow's logger.
    pub fn workflow(at: Timestamp, text: impl Into<String>) -> Self {
        Self {
            at,
            thread: None,
            level: Level::Info,
            logger: Logger::Workflow,
            text: text.into(),
        }
    }

    /// A line of the jobs' logger.
    pub fn job(at: Timestamp, job: &str, text: impl std::fmt::Display) -> Self {
        Self {
            logger: Logger::Job,
            ..Self::workflow(at, format!("{job}: {text}"))
        }
    }

    /// The same, more or less important.
    pub fn level(self, level: Level) -> Self {
        Self { level, ..self }
    }

    /// `%(asctime)s [%(threadName)s] %(levelname)s %(name)s - %(message)s`, in local time as Python writes it. Always one line.
    fn write(&self, zone: &TimeZone, out: &mut String) {
        let at = self.at.to_zoned(zone.clone());
        let thread = self.thread.as_deref().unwrap_or("MainThread");
        let level = match self.level {
            Level::Info => "INFO",
            Level::Warning => "WARNING",
            Level::Error => "ERROR",
        };
        let logger = match self.logger {
            Logger::Workflow => "Workflow",
            Logger::Job => "Workflow.BatchJob",
        };
        let text = self.text.replace(char::is_control, " ");
        out.push_str(&format!(
            "{} [{thread}] {level} {logger} - {text}\n",
            at.strftime("%Y-%m-%d %H:%M:%S")
        ));
    }
}

/// The text of a log, in the order of time.
pub(super) fn text(mut lines: Vec<Line>, zone: &TimeZone) -> String {
    lines.sort_by_key(|line| line.at);
    let mut out = String::new();
    for line in &lines {
        line.write(zone, &mut out);
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn lines_have_the_form_of_batchlib_and_stand_in_the_order_of_time() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let failed = Line {
            thread: Some("worker-2".to_owned()),
            ..Line::job(
                at("2026-11-21T05:13:52.9Z"),
                "Preprocess",
                "A01-0000: two\nlines",
            )
            .level(Level::Error)
        };
        let first = Line::workflow(at("2026-11-21T05:13:51Z"), "Running workflow W");
        assert_eq!(
            text(vec![failed, first], &TimeZone::UTC),
            "2026-11-21 05:13:51 [MainThread] INFO Workflow - Running workflow W\n\
             2026-11-21 05:13:52 [worker-2] ERROR Workflow.BatchJob - Preprocess: A01-0000: two lines\n"
        );
    }
}
