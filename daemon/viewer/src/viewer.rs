//! The daemon's side: a few processes, a time limit, a memory for answers.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use crate::cache::Cache;
use crate::process::{Process, SpawnOptions};
use crate::{Answer, Error, Identity, Question, Result};

/// A process that was not asked for so long is ended: an idle daemon costs nothing.
const IDLE: Duration = Duration::from_secs(120);
/// Bytes of answers that are remembered.
const REMEMBERED: usize = 64 << 20;

/// Answers questions about containers. Clones share everything.
#[derive(Clone, Debug)]
pub struct Viewer(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    options: SpawnOptions,
    /// Places for questions that are being answered.
    places: Arc<Semaphore>,
    idle: Mutex<Vec<Process>>,
    cache: Mutex<Cache>,
}

impl Viewer {
    /// Starts nothing yet; at most `processes` run at a time.
    #[must_use]
    pub fn new(options: SpawnOptions, processes: usize) -> Self {
        Self(Arc::new(Inner {
            options,
            places: Arc::new(Semaphore::new(processes.max(1))),
            idle: Mutex::default(),
            cache: Mutex::new(Cache::new(REMEMBERED)),
        }))
    }

    /// Answers a question about a container in the state `identity`: from memory, or by a process, which is killed if it takes
    /// too long. A question that was put to a process is answered to its end, and remembered,
    /// whether or not anybody still waits.
    ///
    /// # Errors
    /// [`Error::Refused`] with the reason, [`Error::Died`], [`Error::Io`].
    pub async fn ask(&self, question: Question, identity: Identity) -> Result<Arc<Answer>> {
        let tag = identity.tag(&question);
        if let Some(answer) = self.0.cache().get(&tag) {
            return Ok(answer);
        }
        let inner = Arc::clone(&self.0);
        let closed = |_| Error::io("ask", std::io::Error::other("the daemon is stopping"));
        // Whoever goes away while waiting here is forgotten: nobody waits for the tiles of a view that was left.
        let place = Arc::clone(&inner.places)
            .acquire_owned()
            .await
            .map_err(closed)?;
        // Somebody else may have asked the same meanwhile.
        if let Some(answer) = inner.cache().get(&tag) {
            return Ok(answer);
        }
        // A question that was put is answered to its end, or its process would be of no more use.
        let asking = tokio::spawn(async move {
            let _place = place;
            let answer = Arc::new(inner.ask(&question).await?);
            inner.cache().put(tag, &answer);
            Ok(answer)
        });
        asking
            .await
            .map_err(|error| Error::io("ask", std::io::Error::other(error)))?
    }
}

impl Inner {
    async fn ask(self: &Arc<Self>, question: &Question) -> Result<Answer> {
        let waiting = self.idle().pop();
        let mut process = match waiting {
            Some(process) => process,
            None => Process::spawn(&self.options)
                .map_err(|source| Error::io("start the process that reads containers", source))?,
        };
        let died = |reason: String| Error::Died {
            path: question.path.clone(),
            reason,
        };
        // Dropped on the way out of an error, which kills it.
        match tokio::time::timeout(self.options.patience, process.ask(question)).await {
            Ok(Ok(answer)) => {
                self.keep(process);
                answer.map_err(Error::Refused)
            }
            Ok(Err(error)) => {
                tracing::warn!(path = %question.path.display(), %error, "a container could not be read");
                Err(died(error.to_string()))
            }
            Err(_) => {
                let limit = self.options.patience.as_secs();
                tracing::warn!(path = %question.path.display(), "reading a container took longer than {limit} s");
                Err(died(format!("it took longer than {limit} s")))
            }
        }
    }

    /// Keeps a process for the next question, and ends it if none comes.
    fn keep(self: &Arc<Self>, process: Process) {
        self.idle().push(process);
        let inner: Weak<Self> = Arc::downgrade(self);
        tokio::spawn(async move {
            tokio::time::sleep(IDLE).await;
            if let Some(inner) = inner.upgrade() {
                let now = Instant::now();
                inner
                    .idle()
                    .retain(|process| now.duration_since(process.used) < IDLE);
            }
        });
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Process>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cache(&self) -> std::sync::MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
