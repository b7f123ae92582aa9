//! The state that handlers share.

use std::net::SocketAddr;
use std::sync::Arc;

use jiff::Timestamp;
use queue::{EventId, Store};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;

use crate::api::Feed;
use crate::control::Control;
use crate::problem::Problem;
use crate::security::{Hosts, Sessions};
use crate::state::{AppState, Options};
use viewer::Viewer;

/// Most event streams at a time: half of the connections, so that forgotten tabs never keep anybody out.
const STREAMS: usize = 256;

/// The state that handlers share; clones are one pointer.
#[derive(Clone)]
pub(crate) struct App(Arc<Inner>);

pub(crate) struct Inner {
    pub store: Store,
    pub control: Arc<dyn Control>,
    pub viewer: Viewer,
    pub options: Options,
    pub started_at: Timestamp,
    pub hosts: Hosts,
    pub sessions: Sessions,
    /// The last committed event: wakes the streams.
    pub events: watch::Receiver<EventId>,
    /// The last events, for all streams.
    pub feed: Feed,
    /// Places for event streams.
    pub streams: Arc<Semaphore>,
    pub shutdown: CancellationToken,
}

impl App {
    pub(crate) fn new(state: AppState, address: SocketAddr, shutdown: CancellationToken) -> Self {
        let AppState {
            store,
            control,
            viewer,
            options,
        } = state;
        let (sender, events) = watch::channel(store.last_event());
        // Runs on the thread that committed: it only stores a number and wakes whoever waits for it.
        store.on_event(move |event| {
            sender.send_if_modified(|last| {
                let newer = event > *last;
                *last = event.max(*last);
                newer
            });
        });
        Self(Arc::new(Inner {
            hosts: Hosts::new(address, &options.allowed_hosts),
            sessions: Sessions::default(),
            feed: Feed::default(),
            streams: Arc::new(Semaphore::new(STREAMS)),
            started_at: Timestamp::now(),
            store,
            control,
            viewer,
            options,
            events,
            shutdown,
        }))
    }

    /// Runs a question or a change that blocks on a thread where it may.
    pub(crate) async fn blocking<T, E>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, E> + Send + 'static,
    ) -> Result<T, Problem>
    where
        T: Send + 'static,
        E: Into<Problem> + Send + 'static,
    {
        let inner = Arc::clone(&self.0);
        match tokio::task::spawn_blocking(move || work(&inner)).await {
            Ok(result) => result.map_err(Into::into),
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(Problem::internal("the daemon is stopping")),
            },
        }
    }
}

impl std::ops::Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}
