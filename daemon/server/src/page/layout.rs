//! What all pages have: head, navigation, banners, and what just happened.

use jiff::Timestamp;
use queue::{EventKind, Hold, PlateId, Target};
use serde::Deserialize;

use crate::api::USER;
use crate::app::Inner;
use crate::extract::empty_is_none;

/// What a form did, told by the page that follows it. Only words from here are shown, never text from the address.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Notice {
    notice: Option<String>,
    // A flattened field of a query is a text.
    #[serde(default, deserialize_with = "empty_is_none")]
    n: Option<u64>,
}

impl Notice {
    fn text(&self) -> Option<String> {
        let n = self.n.unwrap_or(0);
        let tasks = if n == 1 { "task" } else { "tasks" };
        Some(match self.notice.as_deref()? {
            "requeued" if n == 0 => "Nothing to requeue.".to_owned(),
            "requeued" => format!("{n} {tasks} requeued, with what depends on them."),
            "finalized" => "The plate is complete: what waited for it may run.".to_owned(),
            "paused" => "Paused. What is running goes on.".to_owned(),
            "resumed" => "Resumed.".to_owned(),
            "cancelled" if n == 0 => "Nothing to cancel: it had ended.".to_owned(),
            "cancelled" => "Cancelled. A running task is stopped.".to_owned(),
            "rescan" => "The folder is being scanned.".to_owned(),
            _ => return None,
        })
    }
}

/// A pause that concerns the page.
#[derive(Clone, Debug)]
pub(super) struct Paused {
    pub what: &'static str,
    pub holder: String,
    pub reason: String,
    /// Where a person can end it; empty for pauses of the daemon, which it ends itself.
    pub resume: String,
}

/// What all pages have.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub title: String,
    pub section: &'static str,
    pub version: String,
    pub now: String,
    pub notice: Option<String>,
    pub paused: Vec<Paused>,
    /// Where the script listens; empty for pages that stay as they are.
    pub events: String,
    pub kinds: String,
    /// The path of this page, where its forms come back to.
    pub here: String,
    pub can_log_out: bool,
    /// Whether it is shown to somebody who has not presented the token: no page can be opened yet.
    pub is_outside: bool,
}

impl Layout {
    pub(super) fn new(inner: &Inner, title: impl Into<String>, section: &'static str) -> Self {
        let kinds: Vec<_> = EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
        Self {
            title: title.into(),
            section,
            version: inner.options.version.clone(),
            now: Timestamp::now().strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
            notice: None,
            paused: Vec::new(),
            events: String::new(),
            kinds: kinds.join(" "),
            here: "/".to_owned(),
            can_log_out: inner.options.token.is_some(),
            is_outside: false,
        }
    }

    /// The page before the login.
    pub(super) fn outside(mut self) -> Self {
        self.is_outside = true;
        self.can_log_out = false;
        self
    }

    pub(super) fn notice(mut self, notice: &Notice) -> Self {
        self.notice = notice.text();
        self
    }

    /// The path of this page, and whose events it listens to (`None` for all).
    pub(super) fn live(mut self, here: impl Into<String>, plate: Option<PlateId>) -> Self {
        self.here = here.into();
        self.events = match plate {
            None => "/api/v1/events".to_owned(),
            Some(plate) => format!("/api/v1/events?plate={plate}"),
        };
        self
    }

    /// Shows the pauses of everything, and of one plate.
    pub(super) fn pauses(mut self, holds: &[Hold], plate: Option<PlateId>) -> Self {
        for hold in holds {
            let (what, resume) = match hold.target {
                Target::All => ("Everything", "/queue/resume".to_owned()),
                Target::Plate(id) if Some(id) == plate => {
                    ("This plate", format!("/plates/{id}/resume"))
                }
                Target::Root(_) => ("A watched folder", String::new()),
                Target::Plate(_) => continue,
            };
            self.paused.push(Paused {
                what,
                holder: hold.holder.clone(),
                reason: hold.reason.clone(),
                resume: if hold.holder == USER {
                    resume
                } else {
                    String::new()
                },
            });
        }
        self
    }

    /// Whether a person paused `what`.
    pub(super) fn is_paused_by_user(&self, what: &str) -> bool {
        self.paused
            .iter()
            .any(|pause| pause.what == what && !pause.resume.is_empty())
    }
}
