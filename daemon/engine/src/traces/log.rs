//! The log of a plate: what its events and attempts tell of a stretch of time, in BatchLib's words where it has some.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use queue::{Cursor, EventId, EventKind, EventRow, Store, TaskId, TaskRow};

use super::facts::Facts;
use super::lines::{self, Level, Line};
use crate::because;
use crate::error::Result;

/// Events that are read at a time.
const PAGE: u32 = 1000;

/// What the events tell of one job.
#[derive(Default)]
struct Told {
    begin: Option<Timestamp>,
    end: Option<Timestamp>,
    ran: BTreeSet<TaskId>,
}

/// Builds the lines.
struct Teller<'a> {
    store: &'a Store,
    facts: &'a Facts,
    lines: Vec<Line>,
    jobs: BTreeMap<String, Told>,
    /// Job and reason of tasks that are run again, with the time of the first and their number.
    again: BTreeMap<(String, String), (Timestamp, usize)>,
}

/// The log of the events after the first of two, up to and with the second; empty where they tell nothing.
pub(super) fn text(
    store: &Store,
    facts: &Facts,
    folder: &Path,
    workflow: &str,
    (after, upto): (EventId, EventId),
) -> Result<String> {
    let mut teller = Teller {
        store,
        facts,
        lines: Vec::new(),
        jobs: BTreeMap::new(),
        again: BTreeMap::new(),
    };
    let mut begin = None;
    let mut cursor = Cursor {
        after: after.0,
        limit: PAGE,
    };
    loop {
        let page = store.events(Some(facts.plate.id), cursor)?;
        for event in page.items.iter().filter(|event| event.id <= upto) {
            begin.get_or_insert(event.at);
            teller.event(event)?;
        }
        match page.next {
            Some(next) if next < upto.0 => cursor.after = next,
            _ => break,
        }
    }
    let Some(begin) = begin else {
        return Ok(String::new());
    };
    teller.sums();
    teller.files(begin);
    if teller.lines.is_empty() {
        return Ok(String::new());
    }
    let source = &facts.prepared.workflow;
    // With the event, no two runs tell the same, be they as short and as alike as they may: a log that begins like the one
    // before is taken for its continuation.
    let heading = [
        format!(
            "Running workflow {workflow} on wellspring {}: `{}`, version {}, told from event {} on",
            env!("CARGO_PKG_VERSION"),
            source.name,
            source.version,
            after.0 + 1
        ),
        format!(
            "with workflow status file {}",
            folder.join(format!("{workflow}.status")).display()
        ),
    ];
    let heading = heading.map(|text| Line::workflow(begin, text));
    let lines = heading.into_iter().chain(teller.lines).collect();
    Ok(lines::text(lines, &TimeZone::system()))
}

impl Teller<'_> {
    fn event(&mut self, event: &EventRow) -> Result<()> {
        match event.kind {
            EventKind::PlateCreated => {
                let folder = self.facts.root.path.join(&self.facts.plate.directory);
                let text = format!(
                    "{}: called on the folder {}",
                    self.plate(),
                    folder.display()
                );
                self.lines.push(Line::workflow(event.at, text));
            }
            EventKind::PlateState => {
                let to = event.data["to"].as_str().unwrap_or_default();
                let why = event.data["detail"].as_str().map(|why| format!(" ({why})"));
                let text = format!("{}: {to}{}", self.plate(), why.unwrap_or_default());
                self.lines.push(Line::workflow(event.at, text));
            }
            EventKind::TaskWaiting | EventKind::TaskReady => self.set_back(event),
            EventKind::TaskRunning => self.begins(event),
            EventKind::TaskSucceeded => self.ends(event),
            EventKind::TaskRetrying => self.fails(event, Level::Warning, "it is tried again")?,
            EventKind::TaskFailed => self.fails(event, Level::Error, "it is given up")?,
            EventKind::TaskQuarantined => self.fails(event, Level::Error, "it is quarantined")?,
            EventKind::TaskCancelled => self.fails(event, Level::Warning, "cancelled")?,
            _ => {}
        }
        Ok(())
    }

    fn plate(&self) -> &str {
        &self.facts.plate.name
    }

    fn task(&self, event: &EventRow) -> Option<&TaskRow> {
        self.facts.tasks.get(&event.task?)
    }

    /// BatchLib's name of an event's job; that in the workflow for one that was taken out of it.
    fn job(&self, event: &EventRow) -> String {
        let id = event.data["job"].as_str().unwrap_or_default();
        let workflow = &self.facts.prepared.workflow;
        workflow
            .position(id)
            .map_or_else(|| id.to_owned(), |i| workflow.jobs[i].status_name.clone())
    }

    fn set_back(&mut self, event: &EventRow) {
        let own = event.data["job"].as_str().unwrap_or_default();
        let Some(why) = because::words(&event.data["because"], own) else {
            return;
        };
        let entry = self.again.entry((self.job(event), why));
        entry.or_insert((event.at, 0)).1 += 1;
    }

    fn begins(&mut self, event: &EventRow) {
        let told = self.jobs.entry(self.job(event)).or_default();
        told.begin.get_or_insert(event.at);
        told.ran.extend(event.task);
    }

    fn ends(&mut self, event: &EventRow) {
        // One whose result was found made already never ran.
        if event.data["from"] == "running" {
            self.jobs.entry(self.job(event)).or_default().end = Some(event.at);
        }
    }

    fn fails(&mut self, event: &EventRow, level: Level, what: &str) -> Result<()> {
        self.ends(event);
        let error = &event.data["error"];
        let why = error["message"].as_str().map(|m| format!(": {m}"));
        let subject = self
            .task(event)
            .map_or_else(|| "a task".to_owned(), |t| t.subject_name.clone());
        let text = format!("{subject}: {what}{}", why.unwrap_or_default());
        let mut line = Line::job(event.at, &self.job(event), text).level(level);
        if let Some(task) = event.task {
            let attempts = self.store.attempts(task)?;
            let attempt = attempts.into_iter().find(|a| a.ended_at == Some(event.at));
            line.thread = attempt.map(|a| a.worker);
        }
        self.lines.push(line);
        Ok(())
    }

    /// What is told of a job as a whole.
    fn sums(&mut self) {
        for (job, told) in std::mem::take(&mut self.jobs) {
            if let Some(begin) = told.begin {
                let text = format!("call run method with {} inputs.", told.ran.len());
                self.lines.push(Line::job(begin, &job, text));
                if let Some(end) = told.end {
                    let seconds = end.duration_since(begin).as_secs_f64();
                    let text = format!("runtime: {seconds} s");
                    self.lines.push(Line::job(end, &job, text));
                }
            }
        }
        for ((job, why), (at, tasks)) in std::mem::take(&mut self.again) {
            let text = format!("{tasks} inputs are processed again ({why})");
            self.lines.push(Line::job(at, &job, text));
        }
    }

    /// Files that were left out since then.
    fn files(&mut self, begin: Timestamp) {
        for file in self.facts.left_out.iter().filter(|f| f.seen_at >= begin) {
            let path = self.facts.root.path.join(&file.path);
            let why = file.reason.as_deref().unwrap_or("it cannot be read");
            let text = format!("left out: {}: {why}", path.display());
            self.lines
                .push(Line::workflow(file.seen_at, text).level(Level::Warning));
        }
        let at = self.facts.plate.completed_at.filter(|at| *at >= begin);
        for set in self.facts.incomplete() {
            let (Some(at), Some(missing)) = (at, &set.missing) else {
                continue;
            };
            let text = format!("left out: {}: missing {missing}", set.name);
            self.lines
                .push(Line::workflow(at, text).level(Level::Warning));
        }
    }
}
