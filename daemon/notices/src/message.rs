//! What is told, in words, whoever it is told.

use jiff::Timestamp;
use queue::{News, NoticeKind, NoticeRow, PauseNews, PlateId, PlateNews};

use crate::addressee::machine;
use crate::summary::Summary;
use crate::text::{line, span};

/// Longest name that is quoted, in characters.
const NAME: usize = 200;

/// A message, before it is put into the form that a recipient takes.
#[derive(Debug)]
pub struct Message {
    /// The same at every try.
    pub(crate) token: String,
    /// What happened, in one word.
    pub(crate) kind: &'static str,
    /// When it happened.
    pub(crate) at: Timestamp,
    /// What happened, on one line. The name in it is foreign text.
    pub(crate) title: Title,
    /// Headings and values.
    pub(crate) facts: Vec<(&'static str, Fact)>,
    /// The first failures.
    pub(crate) failures: Vec<Failed>,
    /// What the plate's workflow wrote about it.
    pub(crate) summary: Summary,
    /// Where the plate is shown.
    pub(crate) link: Option<String>,
    /// What programs are told.
    pub(crate) news: Option<(Option<PlateId>, News)>,
}

/// A line with a foreign name in it.
#[derive(Debug, Default)]
pub(crate) struct Title {
    pub(crate) before: &'static str,
    pub(crate) name: String,
    pub(crate) after: &'static str,
}

/// A value.
#[derive(Debug)]
pub(crate) enum Fact {
    /// Our own words.
    Words(String),
    /// Foreign text.
    Name(String),
}

/// A failure, for people.
#[derive(Debug)]
pub(crate) struct Failed {
    /// The image set, well or plate, and the job.
    pub(crate) place: String,
    /// Why.
    pub(crate) why: String,
    /// What to do; may be empty.
    pub(crate) remedy: String,
}

impl Message {
    /// The message of a notice. Reads the plate's summary, if there is one. `page` is the address of the web page, without a
    /// slash at its end.
    #[must_use]
    pub fn of(notice: &NoticeRow, page: Option<&str>) -> Self {
        let mut message = Self {
            token: notice.token.clone(),
            kind: notice.kind.as_str(),
            at: notice.created_at,
            title: Title::default(),
            facts: Vec::new(),
            failures: Vec::new(),
            summary: Summary::default(),
            link: match (page, notice.plate) {
                (Some(page), Some(plate)) => Some(format!("{page}/plates/{plate}")),
                (Some(page), None) => Some(format!("{page}/")),
                (None, _) => None,
            },
            news: Some((notice.plate, notice.news.clone())),
        };
        match &notice.news {
            News::Plate(news) => message.tell_of_plate(notice.kind, news),
            News::Pause(news) => message.tell_of_pause(news),
        }
        message
    }

    /// A message that says that messages arrive.
    #[must_use]
    pub fn test() -> Self {
        let at = Timestamp::now();
        let machine = machine();
        let words = "if you can read this, you will be told what becomes of the plates";
        Self {
            token: format!("test-{}-{}", at.as_nanosecond(), std::process::id()),
            kind: "test",
            at,
            title: Title {
                before: "Test message of Wellspring on ",
                name: machine,
                after: "",
            },
            facts: vec![("Note", Fact::Words(words.to_owned()))],
            failures: Vec::new(),
            summary: Summary::default(),
            link: None,
            news: None,
        }
    }

    fn tell_of_plate(&mut self, kind: NoticeKind, news: &PlateNews) {
        self.title = Title {
            before: "Plate ",
            name: line(&news.plate, NAME),
            after: match kind {
                NoticeKind::Done => " is done",
                NoticeKind::DoneWithFailures => " is done, with failures",
                NoticeKind::Stale => " gets more images: its results are out of date",
                NoticeKind::Paused => " is paused",
            },
        };
        self.facts = vec![
            ("Image sets", Fact::Words(image_sets(news))),
            ("Tasks", Fact::Words(tasks(news))),
        ];
        if let Some(words) = times(news) {
            self.facts.push(("Time", Fact::Words(words)));
        }
        let output = line(&news.output.to_string_lossy(), NAME);
        self.facts
            .push(("Watched folder", Fact::Name(line(&news.root, NAME))));
        self.facts.push(("Results", Fact::Name(output)));
        if let Some(detail) = news.detail.as_ref().filter(|_| kind == NoticeKind::Stale) {
            self.facts.push(("Reason", Fact::Name(line(detail, NAME))));
        }
        self.failures = news
            .failures
            .iter()
            .map(|failed| Failed {
                place: line(&format!("{}, {}", failed.subject, failed.job), NAME),
                why: line(&failed.failure.message, 400),
                remedy: line(&failed.failure.remedy, 400),
            })
            .collect();
        if kind != NoticeKind::Stale {
            self.summary = Summary::read(&news.output, &news.plate);
        }
    }

    fn tell_of_pause(&mut self, news: &PauseNews) {
        self.title = match &news.root {
            Some(root) => Title {
                before: "Work is paused: ",
                name: line(root, NAME),
                after: "",
            },
            None => Title {
                before: "All work is paused",
                ..Title::default()
            },
        };
        self.facts = vec![
            ("Reason", Fact::Name(line(&news.reason, 400))),
            (
                "Note",
                Fact::Words("work goes on by itself once this has passed".to_owned()),
            ),
        ];
    }
}

impl std::fmt::Display for Title {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}{}", self.before, self.name, self.after)
    }
}

fn image_sets(news: &PlateNews) -> String {
    let counts = news.image_sets;
    let mut words = format!("{} complete", counts.complete);
    for (n, what) in [
        (counts.incomplete, "incomplete"),
        (counts.arriving, "arriving"),
        (news.failed_image_sets, "with failures"),
    ] {
        if n > 0 {
            words.push_str(&format!(", {n} {what}"));
        }
    }
    words
}

fn tasks(news: &PlateNews) -> String {
    let counts = news.tasks;
    let mut words = format!("{} succeeded", counts.succeeded);
    for (n, what) in [
        (counts.failed, "failed"),
        (counts.quarantined, "quarantined"),
        (counts.blocked, "not possible without those"),
        (counts.cancelled, "cancelled"),
        (counts.pending(), "to be run"),
    ] {
        if n > 0 {
            words.push_str(&format!(", {n} {what}"));
        }
    }
    words
}

fn times(news: &PlateNews) -> Option<String> {
    let end = news.finished_at?.as_second();
    let all = span(end - news.created_at.as_second());
    let mut words = format!("{all} from the first image to the last result");
    if let Some(complete) = news.completed_at {
        let after = span(end - complete.as_second());
        words.push_str(&format!(", {after} of it after the plate was complete"));
    }
    Some(words)
}
