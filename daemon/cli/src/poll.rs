//! Asks again and again, also while the daemon restarts.

use std::time::{Duration, Instant};

use crate::args::ClientOptions;
use crate::console::Console;
use crate::error::Result;
use crate::http::Client;

/// Pause between two questions; tests need not wait.
const INTERVAL: Duration = Duration::from_millis(if cfg!(test) { 10 } else { 500 });

/// How long the daemon may be away: an upgrade, a restart after a crash.
const AWAY: Duration = Duration::from_secs(30);

/// Asks again and again.
pub(crate) struct Poll<'a> {
    options: &'a ClientOptions,
    console: &'a Console,
    client: Client,
    deadline: Option<Instant>,
    away_since: Option<Instant>,
    answered: bool,
    patience: Duration,
}

impl<'a> Poll<'a> {
    pub(crate) fn new(
        options: &'a ClientOptions,
        console: &'a Console,
        timeout: Option<Duration>,
    ) -> Result<Self> {
        Ok(Self {
            options,
            console,
            client: Client::new(options)?,
            // A timeout that is too long for the clock is none.
            deadline: timeout.and_then(|timeout| Instant::now().checked_add(timeout)),
            away_since: None,
            answered: false,
            patience: AWAY,
        })
    }

    #[cfg(test)]
    pub(crate) fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Asks once. `None` while a daemon that has answered before is away.
    pub(crate) fn ask<T>(
        &mut self,
        question: impl FnOnce(&Client) -> Result<T>,
    ) -> Result<Option<T>> {
        match question(&self.client) {
            Ok(answer) => {
                if self.away_since.take().is_some() {
                    self.console.note("the daemon is back");
                }
                self.answered = true;
                Ok(Some(answer))
            }
            Err(error) if error.passing && self.answered => {
                let since = *self.away_since.get_or_insert_with(|| {
                    self.console.note(format!("{error}; trying again"));
                    Instant::now()
                });
                if since.elapsed() >= self.patience {
                    return Err(error);
                }
                // After a restart it may listen elsewhere.
                if let Ok(client) = Client::new(self.options) {
                    self.client = client;
                }
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Lets some time pass; false if there is none left.
    pub(crate) fn pause(&self) -> bool {
        let left = self
            .deadline
            .map(|deadline| deadline.saturating_duration_since(Instant::now()));
        match left {
            Some(Duration::ZERO) => return false,
            Some(left) => std::thread::sleep(left.min(INTERVAL)),
            None => std::thread::sleep(INTERVAL),
        }
        true
    }
}
