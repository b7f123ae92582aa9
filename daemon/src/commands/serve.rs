//! `wellspring serve`: the daemon. Configuration, queue, engine, server, signals and systemd, wired together.

mod control;
mod explain;
mod reload;
mod state_dir;
mod workflows;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use config::DaemonConfig;
use engine::{Engine, EngineOptions};
use notices::Notices;
use queue::{Options, Store};
use sd_notify::NotifyState;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::args::ServeOptions;
use crate::commands::config as configuration;
use crate::logging::LogLevel;
use control::EngineControl;
use reload::{Asked, Load, Reloader, Signals};

/// Runs the daemon until it is asked to stop.
pub fn run(options: ServeOptions) -> anyhow::Result<ExitCode> {
    let mut overrides = Vec::new();
    if let Some(listen) = options.listen {
        overrides.push(("server.listen".to_owned(), toml::Value::String(listen)));
    }
    if let Some(dir) = options.state_dir {
        overrides.push((
            "state.dir".to_owned(),
            toml::Value::String(dir.to_string_lossy().into_owned()),
        ));
    }
    let load = move || Ok(configuration::load(&options.config, overrides.clone())?.config);
    let config: DaemonConfig = load()?;
    let log = crate::logging::daemon(&config.log.level, config.log.format)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(daemon(config, Arc::new(load), log))?;
    // Blocking calls that hang on a dead share must not keep the process.
    runtime.shutdown_timeout(Duration::from_secs(2));
    Ok(ExitCode::SUCCESS)
}

/// Processes that read containers for the pages: few, as the workers need the cores.
const VIEWERS: usize = 2;

/// Longest time for reading one container: a damaged one can hang the library that reads it.
const VIEWER_PATIENCE: Duration = Duration::from_secs(20);

/// Says in the log whether the configured onnxruntime works. Tried in a process of its own: a foreign library has no place in
/// the daemon.
async fn try_library(program: std::path::PathBuf, library: std::path::PathBuf) {
    let tried = tokio::process::Command::new(program)
        .args(["model", "engines", "--json", "--onnxruntime"])
        .arg(&library)
        .output()
        .await;
    match tried {
        Ok(output) if output.status.success() => {
            tracing::info!(path = %library.display(), "onnxruntime runs the networks");
        }
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            let reason = said.lines().next().unwrap_or("it ended without a word");
            tracing::warn!(path = %library.display(), reason, "onnxruntime cannot be used, the built-in engine runs the networks");
        }
        Err(error) => tracing::warn!(%error, "onnxruntime could not be tried"),
    }
}

async fn daemon(config: DaemonConfig, load: Arc<Load>, log: LogLevel) -> anyhow::Result<()> {
    state_dir::prepare(&config.state)?;
    let store = open_queue(&config.state.dir.join("queue.db")).await?;
    faults::point(faults::Point::StartOpened);
    let listener = TcpListener::bind(config.server.listen)
        .await
        .with_context(|| {
            format!(
                "cannot listen on {}; is another daemon running?",
                config.server.listen
            )
        })?;
    let address = listener.local_addr()?;
    let program = std::env::current_exe().context("cannot find this program's own file")?;
    if let Some(library) = &config.workers.onnxruntime {
        tokio::spawn(try_library(program.clone(), library.clone()));
    }
    // Before the engine, which brings plates to their end while it starts.
    let notices = Arc::new(Notices::start(&store, &config)?);
    let viewer = viewer::Viewer::new(
        viewer::SpawnOptions {
            program: program.clone(),
            arguments: vec!["render".to_owned()],
            patience: VIEWER_PATIENCE,
        },
        VIEWERS,
    );
    let engine = Engine::start(
        &store,
        &config,
        &EngineOptions {
            program,
            arguments: vec!["worker".to_owned()],
        },
    )?;
    let token = config
        .server
        .token_file
        .as_deref()
        .map(state_dir::read_token)
        .transpose()?;
    if token.is_some() || !config.recipients.is_empty() {
        keep_out_of_core_dumps();
    }
    let control = Arc::new(EngineControl::new(Arc::clone(&engine)));
    let state = server::AppState {
        store,
        control: Arc::clone(&control) as Arc<dyn server::Control>,
        viewer,
        options: server::Options {
            token,
            allowed_hosts: config.server.allowed_hosts.clone(),
            max_body: usize::try_from(config.server.max_body.bytes()).unwrap_or(usize::MAX),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        },
    };
    // Before anybody can know that it runs: a signal that nobody waits for ends the process at once.
    let mut signals = Signals::new()?;
    let closing = CancellationToken::new();
    let serving = tokio::spawn(server::serve(listener, state, closing.clone()));
    let published = state_dir::Address::publish(&config.state.dir, address)?;
    tracing::info!(address = %published.url(), roots = config.roots.len(), "ready");
    faults::point(faults::Point::StartReady);
    notify(&[NotifyState::Ready]);
    let watchdog = tokio::spawn(feed_watchdog(Arc::clone(&engine)));

    let mut reloader = Reloader {
        load,
        log,
        engine: Arc::clone(&engine),
        notices: Arc::clone(&notices),
        control,
        running: config,
    };
    while signals.next().await == Asked::Reload {
        reloader.reload().await;
    }
    notify(&[NotifyState::Stopping]);
    tracing::info!("stopping: running passes may end");
    watchdog.abort();
    notices.stop().await;
    engine.stop().await;
    closing.cancel();
    serving.await.context("the server ended by a bug")??;
    drop(published);
    tracing::info!("stopped");
    Ok(())
}

/// A crash must not write a secret into a file that others may read.
fn keep_out_of_core_dumps() {
    let none = rustix::process::Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    if let Err(error) = rustix::process::setrlimit(rustix::process::Resource::Core, none) {
        tracing::warn!(%error, "core dumps cannot be switched off; one would hold secrets");
    }
}

/// Opens the queue. A daemon that was killed while it started a worker leaves its lock to that child for a moment: as long as the
/// holder that the lock names is dead, it is worth waiting.
async fn open_queue(path: &Path) -> anyhow::Result<Store> {
    for _ in 0..100 {
        match Store::open(path, Options::default()) {
            Err(queue::Error::InUse { pid: Some(pid), .. })
                if !Path::new(&format!("/proc/{pid}")).exists() =>
            {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            result => return Ok(result?),
        }
    }
    Ok(Store::open(path, Options::default())?)
}

/// Tells systemd something; without systemd nothing happens.
pub(super) fn notify(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "systemd cannot be told");
    }
}

/// Feeds systemd's watchdog, but only after the queue has taken a write: a daemon that cannot write is not alive.
async fn feed_watchdog(engine: Arc<Engine>) {
    let Some(limit) = sd_notify::watchdog_enabled() else {
        return;
    };
    let mut tick = tokio::time::interval(limit / 3);
    loop {
        tick.tick().await;
        let store = engine.store().clone();
        match tokio::task::spawn_blocking(move || {
            store.set_setting("watchdog", &jiff::Timestamp::now().to_string())
        })
        .await
        {
            Ok(Ok(())) => notify(&[NotifyState::Watchdog]),
            Ok(Err(error)) => {
                tracing::error!(%error, "the queue does not take writes; the watchdog is not fed");
            }
            Err(error) => tracing::error!(%error, "the watchdog's check ended by a bug"),
        }
    }
}
