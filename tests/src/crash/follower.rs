//! A client that follows the event stream through all restarts: each event must come exactly once.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::victim::url_of;

#[derive(Default)]
struct State {
    stop: AtomicBool,
    last: AtomicI64,
    connections: AtomicI64,
    faults: Mutex<Vec<String>>,
}

/// Follows the stream in a thread of its own.
pub struct Follower {
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
}

impl Follower {
    /// Follows the daemon whose folder this is, from the first event on.
    #[must_use]
    pub fn start(folder: &Path) -> Self {
        let state = Arc::new(State::default());
        let (shared, folder) = (Arc::clone(&state), folder.to_owned());
        let thread = std::thread::spawn(move || follow(&folder, &shared));
        Self {
            state,
            thread: Some(thread),
        }
    }

    /// The last event that came.
    #[must_use]
    pub fn last(&self) -> i64 {
        self.state.last.load(Ordering::SeqCst)
    }

    /// How often it had to connect.
    #[must_use]
    pub fn connections(&self) -> i64 {
        self.state.connections.load(Ordering::SeqCst)
    }

    /// What was wrong with the stream so far.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        self.state
            .faults
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Ends with the next end of the stream.
    pub fn stop(&mut self) {
        self.state.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn follow(folder: &Path, state: &State) {
    let folder: PathBuf = folder.to_owned();
    while !state.stop.load(Ordering::SeqCst) {
        let last = state.last.load(Ordering::SeqCst);
        let answer = url_of(&folder, "/api/v1/events").and_then(|url| {
            ureq::get(&url)
                .header("Last-Event-ID", last.to_string())
                .header("Accept", "text/event-stream")
                .call()
                .ok()
        });
        let Some(answer) = answer else {
            std::thread::sleep(Duration::from_millis(5));
            continue;
        };
        state.connections.fetch_add(1, Ordering::SeqCst);
        let mut kind = String::new();
        let lines = BufReader::new(answer.into_body().into_reader()).lines();
        let (mut id, mut whole) = (None, false);
        for line in lines.map_while(Result::ok) {
            if let Some(word) = line.strip_prefix("event: ") {
                word.clone_into(&mut kind);
            } else if let Some(number) = line.strip_prefix("id: ") {
                id = number.parse().ok();
            } else if line.starts_with("data: ") {
                whole = true;
            } else if line.is_empty()
                && std::mem::take(&mut whole)
                && let Some(id) = id.take()
            {
                note(state, id, &kind);
            }
        }
    }
}

fn note(state: &State, id: i64, kind: &str) {
    let last = state.last.swap(id, Ordering::SeqCst);
    if id != last + 1 || kind == "gap" {
        state
            .faults
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(format!("after event {last} came {id} ({kind})"));
    }
}
