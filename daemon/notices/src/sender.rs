//! Takes out of the queue what is due, delivers it, and notes that.

use std::collections::BTreeSet;
use std::future::pending;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use config::DaemonConfig;
use faults::Point;
use queue::{NoticeRow, NoticeState, Store};
use tokio::sync::{Notify, watch};
use tokio::task::{JoinHandle, JoinSet, spawn_blocking};
use tokio_util::sync::CancellationToken;

use crate::addressee::Addressee;
use crate::error::Error;
use crate::message::Message;

/// Events come in crowds; the queue is asked once for all that come within this time.
const CROWD: Duration = Duration::from_millis(200);

/// Pause before the queue is asked again that did not answer, or did not take a note.
const TROUBLE: Duration = Duration::from_secs(10);

/// How long what is under way may take to end when the daemon stops.
const GRACE: Duration = Duration::from_secs(1);

/// Whom to tell, and where the page is.
#[derive(Debug, Default)]
struct Settings {
    addressees: Vec<Arc<Addressee>>,
    page: Option<String>,
}

/// The part of the daemon that tells people.
#[derive(Debug)]
pub struct Notices {
    store: Store,
    settings: watch::Sender<Arc<Settings>>,
    stop: CancellationToken,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Notices {
    /// Enters into the queue who wants to be told, and begins to deliver. To be called before anything can happen that is to be
    /// told, and inside a runtime.
    ///
    /// # Errors
    /// The queue fails.
    pub fn start(store: &Store, config: &DaemonConfig) -> queue::Result<Self> {
        let settings = enter(store, config)?;
        let (sender, receiver) = watch::channel(Arc::new(settings));
        let stop = CancellationToken::new();
        let news = Arc::new(Notify::new());
        let told = Arc::clone(&news);
        store.on_event(move |_| told.notify_one());
        let post = Post {
            store: store.clone(),
            settings: receiver,
            news,
            stop: stop.clone(),
        };
        Ok(Self {
            store: store.clone(),
            settings: sender,
            stop,
            task: Mutex::new(Some(tokio::spawn(post.run()))),
        })
    }

    /// Goes on with another configuration. What waits is tried at once. Blocks.
    ///
    /// # Errors
    /// The queue fails; then the configuration before holds.
    pub fn reload(&self, config: &DaemonConfig) -> queue::Result<()> {
        self.settings
            .send_replace(Arc::new(enter(&self.store, config)?));
        Ok(())
    }

    /// Delivers nothing more. What is under way has a second to end; else it is delivered again after the next start.
    pub async fn stop(&self) {
        self.stop.cancel();
        let task = self
            .task
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(task) = task else { return };
        if let Err(error) = task.await {
            tracing::error!(%error, "telling people ended by a bug");
        }
    }
}

fn enter(store: &Store, config: &DaemonConfig) -> queue::Result<Settings> {
    let addressees: Vec<_> = config
        .recipients
        .iter()
        .map(|recipient| Arc::new(Addressee::new(recipient.clone())))
        .collect();
    let rows: Vec<_> = addressees.iter().map(|a| a.for_queue()).collect();
    let withdrawn = store.put_recipients(&rows)?;
    if withdrawn > 0 {
        tracing::warn!(
            messages = withdrawn,
            "messages are withdrawn whose recipients are no longer configured"
        );
    }
    for addressee in &addressees {
        if let Err(error) = addressee.check() {
            tracing::warn!(recipient = addressee.name(), %error, remedy = error.remedy(), "messages cannot be delivered");
        }
    }
    Ok(Settings {
        addressees,
        page: config
            .server
            .public_url
            .as_ref()
            .map(|url| url.trim_end_matches('/').to_owned()),
    })
}

/// The task behind [`Notices`].
struct Post {
    store: Store,
    settings: watch::Receiver<Arc<Settings>>,
    news: Arc<Notify>,
    stop: CancellationToken,
}

/// What there is to do.
struct Due {
    now: Vec<(Arc<Addressee>, NoticeRow)>,
    /// Until the next, if there is one.
    next: Option<Duration>,
}

impl Post {
    async fn run(mut self) {
        // One message to a recipient at a time, in their order; recipients do not wait for each other.
        let mut sending: JoinSet<String> = JoinSet::new();
        let mut busy: BTreeSet<String> = BTreeSet::new();
        while !self.stop.is_cancelled() {
            let settings = Arc::clone(&self.settings.borrow_and_update());
            let due = self.look(&settings, &busy).await;
            for (addressee, notice) in due.now {
                busy.insert(addressee.name().to_owned());
                let delivery = Delivery {
                    store: self.store.clone(),
                    addressee,
                    notice: Arc::new(notice),
                    page: settings.page.clone(),
                    stop: self.stop.clone(),
                };
                sending.spawn(delivery.run());
            }
            let next = async {
                match due.next {
                    Some(wait) => tokio::time::sleep(wait).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                () = self.stop.cancelled() => {}
                Some(ended) = sending.join_next() => match ended {
                    Ok(name) => drop(busy.remove(&name)),
                    Err(error) => {
                        tracing::error!(%error, "a delivery ended by a bug");
                        // It is not known whose: all are free once nothing is under way.
                        if sending.is_empty() {
                            busy.clear();
                        }
                    }
                },
                changed = self.settings.changed() => {
                    if changed.is_err() {
                        return;
                    }
                }
                () = self.news.notified(), if !settings.addressees.is_empty() => {
                    tokio::select! {
                        () = self.stop.cancelled() => {}
                        () = tokio::time::sleep(CROWD) => {}
                    }
                }
                () = next => {}
            }
        }
        // What was just delivered is noted now, or else it is delivered again after the next start.
        let all = async { while sending.join_next().await.is_some() {} };
        if tokio::time::timeout(GRACE, all).await.is_err() {
            tracing::info!("messages that are under way are delivered after the next start");
        }
    }

    /// Asks the queue for the next message of everybody who is not busy.
    async fn look(&self, settings: &Arc<Settings>, busy: &BTreeSet<String>) -> Due {
        let (store, settings, busy) = (self.store.clone(), Arc::clone(settings), busy.clone());
        let looked = spawn_blocking(move || look(&store, &settings, &busy)).await;
        match looked {
            Ok(Ok(due)) => return due,
            Ok(Err(error)) => tracing::warn!(%error, "the queue cannot be asked for messages"),
            Err(error) => tracing::error!(%error, "asking for messages ended by a bug"),
        }
        Due {
            now: Vec::new(),
            next: Some(TROUBLE),
        }
    }
}

fn look(store: &Store, settings: &Settings, busy: &BTreeSet<String>) -> queue::Result<Due> {
    let mut due = Due {
        now: Vec::new(),
        next: None,
    };
    for addressee in &settings.addressees {
        if busy.contains(addressee.name()) {
            continue;
        }
        if let Some(notice) = store.due_notice(addressee.name())? {
            due.now.push((Arc::clone(addressee), notice));
        } else if let Some(at) = store.next_notice_at(addressee.name())? {
            let wait = at.as_millisecond() - store.clock().steady();
            let wait = Duration::from_millis(wait.max(1).unsigned_abs());
            due.next = Some(due.next.map_or(wait, |next| next.min(wait)));
        }
    }
    Ok(due)
}

/// One message on its way.
struct Delivery {
    store: Store,
    addressee: Arc<Addressee>,
    notice: Arc<NoticeRow>,
    page: Option<String>,
    stop: CancellationToken,
}

impl Delivery {
    /// Delivers, and notes what came of it. Returns the recipient's name.
    async fn run(self) -> String {
        let (addressee, notice, page) = (
            Arc::clone(&self.addressee),
            Arc::clone(&self.notice),
            self.page.clone(),
        );
        // The network may be slow or dead: not on the runtime's own threads.
        let sent = spawn_blocking(move || {
            let sent = addressee.send(&Message::of(&notice, page.as_deref()));
            if sent.is_ok() {
                faults::point(Point::NoticeSent);
            }
            sent
        })
        .await
        // What the bug says of itself might hold a secret.
        .unwrap_or(Err(Error::Bug));
        let sent = Arc::new(sent);
        // What is delivered and not noted would be delivered again at once: it is not let go before it is noted.
        loop {
            let (store, id, outcome) = (self.store.clone(), self.notice.id, Arc::clone(&sent));
            let noted = spawn_blocking(move || match &*outcome {
                Ok(()) => store.notice_sent(id).map(|()| NoticeState::Sent),
                Err(error) => store.notice_failed(id, &error.to_string(), error.retry_after()),
            })
            .await;
            match noted {
                Ok(Ok(state)) => {
                    self.say(&sent, state);
                    break;
                }
                Ok(Err(error)) => {
                    tracing::warn!(%error, "what became of a message cannot be noted; that is tried again");
                }
                Err(error) => tracing::error!(%error, "noting a message ended by a bug"),
            }
            tokio::select! {
                () = self.stop.cancelled() => break,
                () = tokio::time::sleep(TROUBLE) => {}
            }
        }
        self.addressee.name().to_owned()
    }

    fn say(&self, sent: &Result<(), Error>, state: NoticeState) {
        let (recipient, notice) = (self.addressee.name(), self.notice.id.0);
        let kind = self.notice.kind.as_str();
        match sent {
            Ok(()) => tracing::info!(recipient, notice, kind, "told"),
            Err(error) if state == NoticeState::GivenUp => {
                tracing::error!(recipient, notice, kind, %error, remedy = error.remedy(), tries = self.notice.attempts + 1, "a message is given up");
            }
            Err(error) => {
                tracing::warn!(recipient, notice, kind, %error, remedy = error.remedy(), tries = self.notice.attempts + 1, "a message was not delivered; it is tried again later");
            }
        }
    }
}
