//! The queue between notify's thread, the callers, and the thread of a root.

use crate::hint::{Hint, Signal, translate};
use crate::verification::Verification;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

/// What the thread of a root is told.
#[derive(Debug)]
pub(crate) enum Message {
    /// Something may have happened to this absolute path.
    Look(PathBuf, Hint),
    /// Events were lost.
    Lost,
    /// The user wants a full scan that also re-examines what was given up.
    Rescan,
    /// The host could not take something: scan, and report again what it does not know.
    Redeliver,
    /// List this folder (relative to the root), and tell when it is done.
    Verify(PathBuf, Verification),
    /// Look at the stop flag.
    Wake,
}

/// How full the queue is. Memory must stay bounded while the thread waits for a slow server.
#[derive(Debug)]
struct Gauge {
    waiting: AtomicUsize,
    capacity: usize,
    lost: AtomicBool,
}

/// The sending end.
#[derive(Debug, Clone)]
pub(crate) struct Mailbox {
    sender: Sender<Message>,
    gauge: Arc<Gauge>,
}

/// The receiving end.
#[derive(Debug)]
pub(crate) struct Inbox {
    pub receiver: Receiver<Message>,
    gauge: Arc<Gauge>,
}

/// A queue for at most `capacity` events; commands always fit.
pub(crate) fn mailbox(capacity: usize) -> (Mailbox, Inbox) {
    let (sender, receiver) = channel();
    let gauge = Arc::new(Gauge {
        waiting: AtomicUsize::new(0),
        capacity,
        lost: AtomicBool::new(false),
    });
    (
        Mailbox {
            sender,
            gauge: Arc::clone(&gauge),
        },
        Inbox { receiver, gauge },
    )
}

impl Mailbox {
    /// Sends a command. A thread that has ended needs none.
    pub fn command(&self, message: Message) {
        let _ = self.sender.send(message);
    }

    /// Takes an event on notify's thread: never blocks, and touches no file.
    pub fn event(&self, event: notify::Result<notify::Event>) {
        match event.map(translate) {
            Ok(Signal::Nothing) => {}
            Ok(Signal::Look(path, hint)) => self.hint(path, hint),
            Ok(Signal::Lost) => self.lost(),
            Err(error) => {
                tracing::warn!(%error, "watching reported an error; scanning instead");
                self.lost();
            }
        }
    }

    fn hint(&self, path: PathBuf, hint: Hint) {
        if self.gauge.waiting.fetch_add(1, Ordering::AcqRel) < self.gauge.capacity {
            self.command(Message::Look(path, hint));
        } else {
            self.gauge.waiting.fetch_sub(1, Ordering::AcqRel);
            self.lost();
        }
    }

    fn lost(&self) {
        // One message is enough, however many events are lost before it is read.
        if !self.gauge.lost.swap(true, Ordering::AcqRel) {
            self.command(Message::Lost);
        }
    }
}

impl Inbox {
    /// Must be called for each message taken out, before it is acted on: what is lost from here on is announced anew.
    pub fn taken(&self, message: &Message) {
        match message {
            Message::Look(..) => {
                self.gauge.waiting.fetch_sub(1, Ordering::AcqRel);
            }
            Message::Lost => self.gauge.lost.store(false, Ordering::Release),
            Message::Rescan | Message::Redeliver | Message::Verify(..) | Message::Wake => {}
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use notify::event::{CreateKind, Event, EventKind};

    #[test]
    fn a_full_queue_says_so_once_and_recovers() {
        let (mailbox, inbox) = mailbox(2);
        let create = || Ok(Event::new(EventKind::Create(CreateKind::File)).add_path("/r/a".into()));
        for _ in 0..10 {
            mailbox.event(create());
        }
        let got: Vec<Message> = inbox
            .receiver
            .try_iter()
            .inspect(|m| inbox.taken(m))
            .collect();
        assert!(
            matches!(
                got[..],
                [Message::Look(..), Message::Look(..), Message::Lost]
            ),
            "{got:?}"
        );
        mailbox.event(create());
        assert!(
            matches!(inbox.receiver.try_recv().unwrap(), Message::Look(..)),
            "there is room again"
        );
    }
}
