//! SIGHUP: the configuration is read again, and what can change in a running daemon changes.

use std::sync::Arc;

use config::DaemonConfig;
use engine::Engine;
use notices::Notices;
use sd_notify::NotifyState;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::control::EngineControl;
use super::notify;
use crate::logging::LogLevel;

/// Reads the configuration, with the command line's own settings.
pub(super) type Load = dyn Fn() -> anyhow::Result<DaemonConfig> + Send + Sync;

/// What a signal asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// SIGTERM, SIGINT.
    Stop,
    /// SIGHUP.
    Reload,
}

/// The signals that the daemon answers.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    pub fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    pub async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.terminate.recv() => Asked::Stop,
            _ = self.interrupt.recv() => Asked::Stop,
            _ = self.hangup.recv() => Asked::Reload,
        }
    }
}

/// Applies a changed configuration.
pub(super) struct Reloader {
    pub load: Arc<Load>,
    pub log: LogLevel,
    pub engine: Arc<Engine>,
    pub notices: Arc<Notices>,
    pub control: Arc<EngineControl>,
    /// What the daemon runs with.
    pub running: DaemonConfig,
}

impl Reloader {
    /// Reads the configuration and goes on with it; with the old one if it cannot be used.
    pub async fn reload(&mut self) {
        // systemd takes the message only together with the time.
        if let Ok(now) = NotifyState::monotonic_usec_now() {
            notify(&[NotifyState::Reloading, now]);
        }
        let (load, engine) = (Arc::clone(&self.load), Arc::clone(&self.engine));
        let notices = Arc::clone(&self.notices);
        // Files are read and threads are joined: not on the runtime's own threads.
        let done = tokio::task::spawn_blocking(move || {
            let config = load()?;
            engine.reload(&config)?;
            notices.reload(&config)?;
            anyhow::Ok(config)
        })
        .await
        .unwrap_or_else(|bug| Err(bug.into()));
        match done {
            Ok(config) => {
                for what in needs_restart(&self.running, &config) {
                    tracing::warn!("{what} changed: that takes effect at the next restart");
                }
                if let Err(error) = self.log.set(&config.log.level) {
                    tracing::warn!(%error, "the log level stays");
                }
                if !config.recipients.is_empty() {
                    super::keep_out_of_core_dumps();
                }
                // Who reads the line may ask `/readyz` at once.
                self.control.reloaded(None);
                tracing::info!(roots = config.roots.len(), "configuration reloaded");
                self.running = config;
            }
            Err(error) => {
                let error = format!("{error:#}");
                self.control.reloaded(Some(error.clone()));
                tracing::error!(
                    error,
                    "the configuration cannot be used; the daemon goes on with the one that it has"
                );
            }
        }
        notify(&[NotifyState::Ready]);
    }
}

/// Sections that a running daemon cannot change.
fn needs_restart(old: &DaemonConfig, new: &DaemonConfig) -> Vec<&'static str> {
    let mut changed = Vec::new();
    // Links in messages follow at once.
    let server = |config: &DaemonConfig| config::Server {
        public_url: None,
        ..config.server.clone()
    };
    if server(old) != server(new) {
        changed.push("[server]");
    }
    if (&old.state.dir, old.state.allow_network) != (&new.state.dir, new.state.allow_network) {
        changed.push("[state] dir");
    }
    if old.log.format != new.log.format {
        changed.push("[log] format");
    }
    changed
}
