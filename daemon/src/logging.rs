//! Where log lines go: always stderr, so that stdout stays data.

use std::io::{IsTerminal, stderr};

use config::LogFormat;
use tracing_subscriber::EnvFilter;

/// Sets up the daemon's log.
///
/// # Errors
/// The level cannot be understood.
pub fn daemon(level: &str, format: LogFormat) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(level)?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr);
    match format {
        LogFormat::Json => builder.json().init(),
        LogFormat::Text => builder.with_ansi(colour()).init(),
        // The journal stamps the time itself.
        LogFormat::Journald => builder.without_time().with_ansi(false).init(),
        LogFormat::Auto if std::env::var_os("JOURNAL_STREAM").is_some() => {
            builder.without_time().with_ansi(false).init();
        }
        LogFormat::Auto if stderr().is_terminal() => builder.with_ansi(colour()).init(),
        LogFormat::Auto => builder.json().init(),
    }
    Ok(())
}

/// Sets up the log of a command: errors only, because the command reports failures itself, unless the environment asks for more.
pub fn command() {
    let level = std::env::var("WELLSPRING_LOG_LEVEL")
        .or_else(|_| std::env::var("LOGLEVEL"))
        .unwrap_or_else(|_| "error".to_owned());
    let filter = EnvFilter::try_new(level).unwrap_or_else(|_| EnvFilter::new("error"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr)
        .with_ansi(colour())
        .init();
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
