//! The thread of one root: takes hints, walks folders, examines what has settled.
//!
//! Everything happens in turns of a few milliseconds, so that a listing of a slow share that takes minutes neither holds
//! up a file that is whole nor the end of the daemon.

mod examine;
mod mode;
mod observe;
mod presence;
mod reconcile;
mod walk;

use crate::clock::Clock;
use crate::counters::count;
use crate::hint::Hint;
use crate::mailbox::{Inbox, Mailbox, Message};
use crate::native::Native;
use crate::shared::Shared;
use crate::verification::Waiting;
use crate::{Event, Host};
use presence::Presence;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use walk::Walk;

/// How long one turn of walking or examining lasts.
const TURN: Duration = Duration::from_millis(20);
/// How many messages are put together before they are acted on.
const MESSAGES_A_TURN: usize = 4096;
/// A scan that a removal asks for may take this share of the time at most.
const REMOVAL_SCAN_SHARE: u32 = 20;
/// A scan that a lost event asks for may take this share.
const OVERFLOW_SCAN_SHARE: u32 = 2;

/// What the thread of a root owns.
pub(crate) struct Root<'a> {
    shared: &'a Shared,
    host: &'a dyn Host,
    inbox: &'a Inbox,
    mailbox: Mailbox,
    presence: Presence,
    native: Option<Native>,
    walk: Walk,
    /// Told when nothing is left to be listed.
    waiting: Waiting,
    clock: Clock,
    /// When the next full scan starts.
    scan_at: Option<Instant>,
    /// When the root itself is looked at again.
    check_at: Option<Instant>,
    /// When native watching is tried again, after the kernel gave no watches.
    native_at: Option<Instant>,
    /// End and length of the last full scan.
    last_scan: Option<(Instant, Duration)>,
    /// What the present turn found out about files.
    found: Vec<Event>,
}

impl<'a> Root<'a> {
    pub fn new(shared: &'a Shared, host: &'a dyn Host, inbox: &'a Inbox, mailbox: Mailbox) -> Self {
        Self {
            shared,
            host,
            inbox,
            mailbox,
            presence: Presence::default(),
            native: None,
            walk: Walk::default(),
            waiting: Waiting::default(),
            clock: Clock::start(),
            scan_at: None,
            check_at: None,
            native_at: None,
            last_scan: None,
            found: Vec::new(),
        }
    }

    /// Runs until told to stop.
    pub fn run(&mut self) {
        self.attach();
        while !self.stopping() {
            self.receive();
            if !self.stopping() {
                self.examine_due(Instant::now() + TURN);
                self.keep_time();
                self.walk_on(Instant::now() + TURN);
            }
        }
    }

    fn stopping(&self) -> bool {
        self.shared.stop.load(Ordering::Acquire)
    }

    fn id(&self) -> i64 {
        self.shared.spec.id
    }

    fn absolute(&self, relative: &Path) -> PathBuf {
        // Joining an empty path would append a slash.
        if relative.as_os_str().is_empty() {
            self.shared.spec.path.clone()
        } else {
            self.shared.spec.path.join(relative)
        }
    }

    /// Tells the host, unless nobody listens any more: a thread that hung while the watcher was stopped ends silently,
    /// and what it found is found again by the next start.
    fn emit(&self, event: Event) {
        if !self.stopping() {
            self.host.emit(event);
        }
    }

    /// Waits for messages until there is something else to do, and acts on them.
    fn receive(&mut self) {
        let mut hints = Hints::default();
        let mut verify = Vec::new();
        let mut taken = 0;
        let mut next = self.first_message();
        while let Some(message) = next {
            self.inbox.taken(&message);
            match message {
                Message::Look(path, hint) => hints.add(path, hint),
                Message::Lost => self.overflowed(),
                Message::Rescan => {
                    self.shared.arrivals().unreadable.clear();
                    self.check_at = Some(Instant::now());
                    self.scan_at = Some(Instant::now());
                }
                Message::Redeliver => {
                    self.shared.arrivals().reported.clear();
                    self.scan_at = Some(Instant::now());
                }
                Message::Verify(folder, verification) => verify.push((folder, verification)),
                Message::Wake => {}
            }
            taken += 1;
            next = if taken < MESSAGES_A_TURN {
                self.inbox.receiver.try_recv().ok()
            } else {
                None
            };
        }
        self.act_on(hints);
        for (folder, verification) in verify {
            self.waiting.add(verification);
            if self.online().is_none() {
                self.waiting.lost();
            } else {
                // Also while everything is being listed: that may have passed the folder already.
                self.walk.add(folder);
            }
        }
    }

    fn first_message(&self) -> Option<Message> {
        if self.walk.is_active() {
            return self.inbox.receiver.try_recv().ok();
        }
        let message = match self
            .next_wakeup()
            .map(|at| at.saturating_duration_since(Instant::now()))
        {
            Some(Duration::ZERO) => return self.inbox.receiver.try_recv().ok(),
            Some(pause) => self.inbox.receiver.recv_timeout(pause).ok(),
            None => self.inbox.receiver.recv().ok(),
        };
        count(&self.shared.tally.wakeups);
        message
    }

    fn next_wakeup(&self) -> Option<Instant> {
        let due = self.shared.arrivals().settling.next_due();
        [due, self.scan_at, self.check_at, self.native_at]
            .into_iter()
            .flatten()
            .min()
    }

    /// Starts what is due by the clock.
    fn keep_time(&mut self) {
        let now = Instant::now();
        let due = |at: &mut Option<Instant>| at.take_if(|at| *at <= now).is_some();
        if due(&mut self.check_at) {
            self.check_root();
        }
        if due(&mut self.native_at) {
            self.try_native_again();
        }
        // A scan that is wanted while one is running starts after it: the running one may already have passed the place.
        if !self.walk.is_full_scan() && due(&mut self.scan_at) {
            self.start_full_scan();
        }
    }

    fn overflowed(&mut self) {
        count(&self.shared.tally.overflows);
        tracing::warn!(
            root = %self.shared.spec.path.display(),
            "file events were lost; scanning the folder. if it happens often: sysctl fs.inotify.max_queued_events=131072"
        );
        self.emit(Event::Overflow { root: self.id() });
        self.want_scan(Duration::ZERO, OVERFLOW_SCAN_SHARE);
    }

    /// Asks for a full scan after `delay`, or later if scans would otherwise take more than one `share`th of the time.
    fn want_scan(&mut self, delay: Duration, share: u32) {
        let mut at = Instant::now() + delay;
        if let Some((end, elapsed)) = self.last_scan {
            at = at.max(end + elapsed * share);
        }
        self.scan_at = Some(self.scan_at.map_or(at, |planned| planned.min(at)));
    }
}

/// Hints of one turn, one for each path, in the order of their first event.
#[derive(Default)]
struct Hints {
    order: Vec<PathBuf>,
    by_path: HashMap<PathBuf, Hint>,
}

impl Hints {
    fn add(&mut self, path: PathBuf, hint: Hint) {
        match self.by_path.get_mut(&path) {
            Some(sum) => sum.add(hint),
            None => {
                self.order.push(path.clone());
                self.by_path.insert(path, hint);
            }
        }
    }
}
