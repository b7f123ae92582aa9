//! The daemon's side: offers the socket, starts the GPU's process when somebody asks there, and starts it anew when it is gone.

use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

/// Pauses before the process is started again after it failed: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// A process that ran so long had not failed at its start.
const HEALTHY: Duration = Duration::from_secs(60);
/// Longer paths than this are not possible for a socket.
const LONGEST_PATH: usize = 100;
/// The last bytes of what the process wrote that are told when it fails.
const LAST_WORDS: usize = 400;

/// How the process is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpawnOptions {
    /// The program, normally this very binary.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
}

/// What is known of the process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostState {
    /// How often it was started.
    pub starts: u64,
    /// How often it ended because of its device, or crashed.
    pub failures: u64,
}

/// The process and its socket, until it is dropped.
#[derive(Debug)]
pub struct Host {
    place: Place,
    state: Arc<Mutex<HostState>>,
    tending: JoinHandle<()>,
}

/// Where the socket lies; removed when it is dropped.
#[derive(Debug)]
struct Place {
    socket: PathBuf,
    /// Its own folder, if the path below the folder that was given is too long.
    aside: Option<PathBuf>,
}

impl Place {
    fn make(folder: &Path, name: &str) -> io::Result<Self> {
        remove_sockets(folder);
        let socket = folder.join(name);
        if socket.as_os_str().len() <= LONGEST_PATH {
            // Of a process with the same number that was killed.
            let _ = std::fs::remove_file(&socket);
            return Ok(Self {
                socket,
                aside: None,
            });
        }
        let aside = std::env::temp_dir().join(format!("wellspring-{name}"));
        let _ = std::fs::remove_dir_all(&aside);
        std::fs::DirBuilder::new().mode(0o700).create(&aside)?;
        Ok(Self {
            socket: aside.join("s"),
            aside: Some(aside),
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.socket);
        if let Some(aside) = &self.aside {
            let _ = std::fs::remove_dir(aside);
        }
    }
}

impl Host {
    /// Offers a socket in `folder`. Nothing is started before somebody asks there. Needs a tokio runtime.
    ///
    /// # Errors
    /// The socket cannot be made.
    pub fn start(folder: &Path, options: SpawnOptions) -> io::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("gpu-{}-{number}.sock", std::process::id());
        let place = Place::make(folder, &name)?;
        let listener = UnixListener::bind(&place.socket)?;
        std::fs::set_permissions(&place.socket, std::fs::Permissions::from_mode(0o600))?;
        listener.set_nonblocking(true)?;
        let state = Arc::<Mutex<HostState>>::default();
        let listener = watched(listener)?;
        let tending = tokio::spawn(tend(listener, options, Arc::clone(&state)));
        Ok(Self {
            place,
            state,
            tending,
        })
    }

    /// Where to ask.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.place.socket
    }

    /// What is known of the process now.
    #[must_use]
    pub fn state(&self) -> HostState {
        lock(&self.state).clone()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // The process dies with its handle.
        self.tending.abort();
    }
}

#[allow(unsafe_code)]
fn watched(listener: UnixListener) -> io::Result<AsyncFd<UnixListener>> {
    // SAFETY: the listener owns its descriptor and is owned here: it is the same and open as long as it is watched.
    let watched = unsafe { AsyncFd::register(listener) };
    watched.map_err(|error| io::Error::other(error.to_string()))
}

/// Sockets that a killed daemon left in the folder, which only one daemon has at a time; not those of this process.
fn remove_sockets(folder: &Path) {
    let own = format!("gpu-{}-", std::process::id());
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("gpu-") && name.ends_with(".sock") && !name.starts_with(&own) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

fn lock(state: &Mutex<HostState>) -> std::sync::MutexGuard<'_, HostState> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn tend(
    listener: AsyncFd<UnixListener>,
    options: SpawnOptions,
    state: Arc<Mutex<HostState>>,
) {
    let mut pause = PAUSES.0;
    loop {
        let Ok(mut ready) = listener.readable().await else {
            return;
        };
        if !somebody_asks(listener.get_ref()) {
            ready.clear_ready();
            continue;
        }
        drop(ready);
        let begin = Instant::now();
        let ended = match spawn(&options, listener.get_ref()) {
            Ok(child) => {
                lock(&state).starts += 1;
                run(child).await
            }
            Err(error) => Err(error.to_string()),
        };
        lock(&state).failures += u64::from(ended.is_err());
        if ended.is_ok() || begin.elapsed() > HEALTHY {
            pause = PAUSES.0;
        }
        match ended {
            Ok(()) => {}
            Err(reason) => {
                // Who asks waits in vain, and shall know.
                while listener.get_ref().accept().is_ok() {}
                tracing::warn!(
                    reason,
                    "the GPU's process ended; what it was asked is computed by the workers, and it is started again when it is asked again"
                );
            }
        }
        // Not sooner, even if somebody asks already: a driver that crashes at once must not be started all the time.
        tokio::time::sleep(pause).await;
        pause = (2 * pause).min(PAUSES.1);
    }
}

/// Whether a connection waits to be accepted.
fn somebody_asks(listener: &UnixListener) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let now = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    poll(&mut [PollFd::new(listener, PollFlags::IN)], Some(&now)).is_ok_and(|ready| ready > 0)
}

fn spawn(options: &SpawnOptions, listener: &UnixListener) -> io::Result<Child> {
    let listener = std::os::fd::OwnedFd::from(listener.try_clone()?);
    let mut command = Command::new(&options.program);
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        // Some drivers complain at every start without one; they put nothing there.
        command.env("XDG_RUNTIME_DIR", std::env::temp_dir());
    }
    command
        .args(&options.arguments)
        .stdin(Stdio::from(listener))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
}

/// Waits for its end; what it writes goes to the log.
async fn run(mut child: Child) -> Result<(), String> {
    let stderr = child.stderr.take();
    let telling = tokio::spawn(async move {
        match stderr {
            Some(stderr) => tell(stderr).await,
            None => String::new(),
        }
    });
    let ended = child.wait().await;
    // Something that it started may hold its stderr open.
    let last = tokio::time::timeout(Duration::from_secs(1), telling).await;
    match ended {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => {
            let last = last.ok().and_then(Result::ok).unwrap_or_default();
            Err(format!("{status}; its last words: {last}"))
        }
        Err(error) => Err(error.to_string()),
    }
}

/// Writes what it says to the log, line by line, whatever bytes they are; gives the last ones.
async fn tell(mut stderr: impl AsyncRead + Unpin) -> String {
    let (mut buffer, mut last) = ([0; 4096], Vec::new());
    while let Ok(count @ 1..) = stderr.read(&mut buffer).await {
        let text = String::from_utf8_lossy(&buffer[..count]);
        for line in text.lines() {
            if line.contains(" WARN ") {
                tracing::warn!(gpu = line, "the GPU's process");
            } else {
                tracing::info!(gpu = line, "the GPU's process");
            }
        }
        last.extend_from_slice(&buffer[..count]);
        let excess = last.len().saturating_sub(LAST_WORDS);
        last.drain(..excess);
    }
    String::from_utf8_lossy(&last).trim().to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::io::Read;
    use std::os::unix::net::UnixStream;

    fn options(program: &str, arguments: &[&str]) -> SpawnOptions {
        SpawnOptions {
            program: program.into(),
            arguments: arguments.iter().map(|&a| a.to_owned()).collect(),
        }
    }

    async fn until(host: &Host, what: impl Fn(&HostState) -> bool) {
        let begin = Instant::now();
        while !what(&host.state()) {
            assert!(
                begin.elapsed() < Duration::from_secs(300),
                "{:?}",
                host.state()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    #[tokio::test]
    async fn the_socket_is_for_one_user_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("d".repeat(120));
        std::fs::create_dir(&deep).unwrap();
        std::fs::write(folder.path().join("gpu-1-0.sock"), "of a killed daemon").unwrap();
        for folder in [folder.path(), &deep] {
            let host = Host::start(folder, options("false", &[])).unwrap();
            let mode = std::fs::metadata(host.socket())
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600);
            let socket = host.socket().to_owned();
            drop(host);
            assert!(!socket.exists());
            let left = std::fs::read_dir(folder).unwrap().flatten();
            assert!(left.into_iter().all(|f| f.file_type().unwrap().is_dir()));
        }
    }

    /// Who asks a process that dies at once is told, and it is not started again for nobody.
    #[tokio::test]
    async fn a_process_that_dies_at_once_is_not_started_in_a_loop() {
        let folder = tempfile::tempdir().unwrap();
        let host = Host::start(folder.path(), options("false", &[])).unwrap();
        assert_eq!(host.state(), HostState::default());
        let mut asking = UnixStream::connect(host.socket()).unwrap();
        until(&host, |state| state.failures == 1).await;
        asking
            .set_read_timeout(Some(Duration::from_secs(300)))
            .unwrap();
        let told = tokio::task::spawn_blocking(move || asking.read(&mut [0]).unwrap());
        assert_eq!(told.await.unwrap(), 0);
        // Until somebody asks again.
        let _again = UnixStream::connect(host.socket()).unwrap();
        until(&host, |state| state.starts == 2 && state.failures == 2).await;
    }

    #[tokio::test]
    async fn what_it_writes_need_not_be_text() {
        let written = [b"first\n".as_slice(), &[0xff, b'\n'], &[b'x'; 10_000]].concat();
        let last = tell(&written[..]).await;
        assert_eq!(last.len(), LAST_WORDS);
    }
}
