//! Where log lines go: always stderr, so that stdout stays data.

use std::io::{IsTerminal, stderr};

use config::LogFormat;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, reload};

/// The level of the daemon's log, which can be changed while it runs.
pub struct LogLevel(reload::Handle<EnvFilter, Registry>);

impl LogLevel {
    /// Changes the level.
    ///
    /// # Errors
    /// The level cannot be understood.
    pub fn set(&self, level: &str) -> anyhow::Result<()> {
        Ok(self.0.reload(EnvFilter::try_new(level)?)?)
    }
}

/// Sets up the daemon's log.
///
/// # Errors
/// The level cannot be understood.
pub fn daemon(level: &str, format: LogFormat) -> anyhow::Result<LogLevel> {
    let (filter, handle) = reload::Layer::new(EnvFilter::try_new(level)?);
    let lines = tracing_subscriber::fmt::layer().with_writer(stderr);
    let lines = match format {
        LogFormat::Json => lines.json().boxed(),
        LogFormat::Text => lines.with_ansi(colour()).boxed(),
        // The journal stamps the time itself.
        LogFormat::Journald => lines.without_time().with_ansi(false).boxed(),
        LogFormat::Auto if std::env::var_os("JOURNAL_STREAM").is_some() => {
            lines.without_time().with_ansi(false).boxed()
        }
        LogFormat::Auto if stderr().is_terminal() => lines.with_ansi(colour()).boxed(),
        LogFormat::Auto => lines.json().boxed(),
    };
    tracing_subscriber::registry()
        .with(filter)
        .with(filter_fn(|line| !may_tell_secrets(line)))
        .with(lines)
        .init();
    Ok(LogLevel(handle))
}

/// Sets up the log of a command: errors only, because the command reports failures itself, unless the environment asks for more.
pub fn command() {
    let level = std::env::var("WELLSPRING_LOG_LEVEL")
        .or_else(|_| std::env::var("LOGLEVEL"))
        .unwrap_or_else(|_| "error".to_owned());
    let filter = EnvFilter::try_new(level).unwrap_or_else(|_| EnvFilter::new("error"));
    tracing_subscriber::registry()
        .with(filter)
        .with(filter_fn(|line| !may_tell_secrets(line)))
        .with(
            tracing_subscriber::fmt::layer()
                .with_writer(stderr)
                .with_ansi(colour()),
        )
        .init();
}

/// Libraries that speak with webhooks, mail servers and databases: what they say of themselves below a warning holds addresses,
/// headers and passwords. No level shows it.
fn may_tell_secrets(line: &Metadata<'_>) -> bool {
    const LIBRARIES: [&str; 6] = [
        "ureq",
        "ureq_proto",
        "lettre",
        "rustls",
        "postgres",
        "tokio_postgres",
    ];
    let library = line.target().split("::").next().unwrap_or_default();
    *line.level() > Level::WARN && LIBRARIES.contains(&library)
}

/// Sets up a worker's log, which the daemon keeps with the attempt.
pub fn worker() {
    let level = std::env::var("LOGLEVEL").unwrap_or_else(|_| "info".to_owned());
    let filter = EnvFilter::try_new(level).unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr)
        .with_ansi(false)
        .init();
}

fn colour() -> bool {
    std::env::var_os("NO_COLOR").is_none() && stderr().is_terminal()
}
