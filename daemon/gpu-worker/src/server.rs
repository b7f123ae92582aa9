//! The process that holds the devices: answers workers until nobody asks any more, its parent is gone, or a device is.

use std::collections::HashMap;
use std::io::{BufReader, BufWriter};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use gpu_kernels::{Gpu, Options};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::balance::Balance;
use crate::frame::{self, Sending};
use crate::protocol::{Reply, Request};
use crate::session::Session;
use crate::tally::Operation;

/// Requests that are worked on at a time: while the device works for one, the next is copied to it and the last one back.
const IN_FLIGHT: usize = 3;
/// How long to stay where there is no device: as long as workers that start together may take to ask.
const REFUSING: Duration = Duration::from_secs(10);
/// How long a request may wait for its turn.
const TURN: Duration = Duration::from_secs(60);
/// How long drivers may take to open their devices.
const OPENING: Duration = Duration::from_secs(55);
/// How often the process looks whether it is still wanted.
const LOOK: Duration = Duration::from_millis(500);

/// How to serve.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `auto`, or a part of the adapter's name. A named adapter is always used, `auto` only where it was measured to be faster.
    pub wanted: String,
    /// Where compiled kernels and measurements are kept.
    pub cache: Option<PathBuf>,
    /// How long to stay without a request.
    pub idle: Duration,
    /// How the device is used.
    pub device: Options,
}

/// Why serving ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Nobody asked any more.
    Idle,
    /// The process that started this one is gone.
    Orphaned,
    /// The device is of no use any more.
    Lost(String),
}

/// What all sessions on one device share.
pub(crate) struct Shared {
    pub gpu: Gpu,
    /// From which sizes on the device is worth it; absent while that is being measured.
    pub balance: OnceLock<Balance>,
    gate: Gate,
    lost: Mutex<Option<String>>,
    /// Milliseconds after `start` at which the last request came or ended.
    last: AtomicU64,
    start: Instant,
    pub classifiers: crate::session::Classifiers,
    /// Workers that talk to it.
    sessions: AtomicUsize,
    /// Bytes of the planes that are kept for workers.
    pub kept: AtomicU64,
}

/// Answers at `listener`, which must not block.
pub fn serve(listener: &UnixListener, settings: &Settings) -> Ended {
    let options = Options {
        cache: settings.cache.clone(),
        ..settings.device.clone()
    };
    let opening = end_if_it_hangs();
    let opened = faults::write_point(faults::Point::GpuOpening)
        .map_err(|error| gpu_kernels::Error::Refused {
            adapter: settings.wanted.clone(),
            reason: error.to_string(),
        })
        .and_then(|()| Gpu::open_all(&settings.wanted, &options));
    drop(opening);
    let gpus = match opened {
        Ok(gpus) => gpus,
        Err(error) => {
            if settings.wanted == "auto" && matches!(error, gpu_kernels::Error::NoAdapter(_)) {
                tracing::info!(%error, "no GPU computes");
            } else {
                tracing::warn!(%error, "no GPU computes");
            }
            let reply = || Reply::Unavailable {
                code: error.code().to_owned(),
                reason: error.to_string(),
            };
            return refuse_all(listener, settings.idle.min(REFUSING), reply);
        }
    };
    // Never dropped: a device that hangs would be waited for without end.
    let devices: &[Arc<Shared>] = gpus.into_iter().map(Shared::new).collect::<Vec<_>>().leak();
    devices.iter().for_each(|device| weigh(device, settings));
    let open: Arc<Mutex<HashMap<RawFd, UnixStream>>> = Arc::default();
    let ended = wait_for(listener, settings.idle, devices, |stream| {
        // Each worker stays with one device, the one with the fewest.
        let busy = |device: &&Arc<Shared>| device.sessions.load(Ordering::Relaxed);
        let Some(shared) = devices.iter().min_by_key(busy).map(Arc::clone) else {
            return;
        };
        shared.sessions.fetch_add(1, Ordering::Relaxed);
        shared.touch();
        let open = Arc::clone(&open);
        let number = stream.as_raw_fd();
        if let Ok(held) = stream.try_clone() {
            lock(&open).insert(number, held);
        }
        std::thread::spawn(move || {
            // A bug costs this worker its connection, and nobody else anything.
            let _ = catch_unwind(AssertUnwindSafe(|| converse(&stream, &shared)));
            shared.sessions.fetch_sub(1, Ordering::Relaxed);
            if let Some(held) = lock(&open).remove(&number) {
                let _ = held.shutdown(std::net::Shutdown::Both);
            }
        });
    });
    // Whoever asks from now on asks the next process.
    for stream in lock(&open).values() {
        let _ = stream.shutdown(std::net::Shutdown::Both);
    }
    if !matches!(ended, Ended::Lost(_)) {
        devices.iter().for_each(|device| device.gpu.save_kernels());
    }
    ended
}

/// Ends this process if a driver takes longer to open than workers wait, until the answer is dropped.
fn end_if_it_hangs() -> Sender<()> {
    let (opened, is_open) = channel::<()>();
    std::thread::spawn(move || {
        if is_open.recv_timeout(OPENING) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!("the driver does not open its device");
            end_now();
        }
    });
    opened
}

/// Ends this process without asking its drivers, which may wait for a device that hangs.
pub fn end_now() -> ! {
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    std::process::abort()
}

/// Sets the sizes from which the device is worth it: read, or measured aside, while workers are told to come again.
fn weigh(shared: &Arc<Shared>, settings: &Settings) {
    let known = if settings.wanted == "auto" {
        Balance::read(settings.cache.as_deref(), shared.gpu.adapter())
    } else {
        Some(Balance::always())
    };
    if let Some(balance) = known {
        let _ = shared.balance.set(balance);
        return;
    }
    let (shared, cache) = (Arc::clone(shared), settings.cache.clone());
    std::thread::spawn(move || {
        match catch_unwind(AssertUnwindSafe(|| Balance::measure(&shared.gpu))) {
            Ok(Ok(balance)) => {
                tracing::info!(%balance, "measured from which sizes on the GPU is faster");
                balance.write(cache.as_deref(), shared.gpu.adapter());
                shared.gpu.save_kernels();
                let _ = shared.balance.set(balance);
            }
            Ok(Err(error)) => shared.lose(format!("while it was measured: {error}")),
            Err(_) => shared.lose("a bug, while it was measured".to_owned()),
        }
    });
}

/// Accepts connections until it is time to end.
fn wait_for(
    listener: &UnixListener,
    idle: Duration,
    devices: &[Arc<Shared>],
    mut accept: impl FnMut(UnixStream),
) -> Ended {
    let parent = rustix::process::getppid();
    loop {
        if let Some(reason) = devices.iter().find_map(|device| lock(&device.lost).clone()) {
            return Ended::Lost(reason);
        }
        if rustix::process::getppid() != parent {
            return Ended::Orphaned;
        }
        if devices.iter().all(|device| device.is_idle(idle)) {
            return Ended::Idle;
        }
        if let Some(stream) = next(listener) {
            accept(stream);
        }
    }
}

/// The next connection, if one comes soon.
fn next(listener: &UnixListener) -> Option<UnixStream> {
    let timeout = Timespec::try_from(LOOK).ok()?;
    let mut wanted = [PollFd::new(listener, PollFlags::IN)];
    let ready = poll(&mut wanted, Some(&timeout)).unwrap_or(0);
    let accepted = (ready > 0).then(|| listener.accept())?;
    if accepted.is_err() {
        // Of descriptors there are too many: it will wait.
        std::thread::sleep(LOOK);
    }
    let (stream, _) = accepted.ok()?;
    // What the listener is, the stream must not be.
    stream.set_nonblocking(false).ok()?;
    Some(stream)
}

/// Tells everybody that there is no device.
fn refuse_all(listener: &UnixListener, idle: Duration, reply: impl Fn() -> Reply) -> Ended {
    let parent = rustix::process::getppid();
    let mut since = Instant::now();
    while since.elapsed() < idle {
        if rustix::process::getppid() != parent {
            return Ended::Orphaned;
        }
        if let Some(stream) = next(listener) {
            since = Instant::now();
            let _ = stream.set_write_timeout(Some(LOOK));
            let _ = stream.set_read_timeout(Some(LOOK));
            // Who has not written yet would not read.
            let _ = frame::read::<Request>(&stream);
            let _ = frame::write(&stream, &reply(), &[]);
        }
    }
    Ended::Idle
}

/// Answers one worker until it is gone.
fn converse(stream: &UnixStream, shared: &Arc<Shared>) {
    let mut reader = BufReader::with_capacity(1 << 16, stream);
    let mut session = Session::new(Arc::clone(shared));
    while let Ok((request, arrays)) = frame::read::<Request>(&mut reader) {
        shared.touch();
        let (reply, array) = session.answer(request, arrays);
        let sending: Vec<_> = array.iter().map(Sending::from).collect();
        let sent = frame::write(BufWriter::with_capacity(1 << 16, stream), &reply, &sending);
        shared.touch();
        if let Err(error) = shared.gpu.alive() {
            shared.lose(error.to_string());
        }
        if sent.is_err() {
            return;
        }
    }
}

impl Shared {
    fn new(gpu: Gpu) -> Arc<Self> {
        let info = gpu.adapter();
        tracing::info!(adapter = info.name, driver = info.driver, "the GPU is open");
        Arc::new(Self {
            gpu,
            balance: OnceLock::new(),
            gate: Gate::default(),
            lost: Mutex::default(),
            last: AtomicU64::new(0),
            start: Instant::now(),
            classifiers: crate::session::Classifiers::default(),
            sessions: AtomicUsize::new(0),
            kept: AtomicU64::new(0),
        })
    }

    /// Whether nothing was asked for so long, and nothing is under way.
    fn is_idle(&self, idle: Duration) -> bool {
        self.balance.get().is_some() && self.gate.is_empty() && self.quiet_for() >= idle
    }

    fn lose(&self, reason: String) {
        tracing::warn!(reason, "the GPU is of no use any more");
        lock(&self.lost).get_or_insert(reason);
    }

    fn touch(&self) {
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(now, Ordering::Relaxed);
    }

    fn quiet_for(&self) -> Duration {
        let last = Duration::from_millis(self.last.load(Ordering::Relaxed));
        self.start.elapsed().saturating_sub(last)
    }

    /// A turn at the device. `None`: so many wait already that the worker's own processor is sooner done.
    pub fn turn(&self, operation: Operation) -> Option<Turn<'_>> {
        let gain = self.balance.get().map_or(0.0, |b| b.speedup(operation));
        self.gate.enter(gain)
    }
}

/// Lets some in at a time.
#[derive(Default)]
struct Gate {
    /// Inside, and waiting.
    state: Mutex<(usize, usize)>,
    changed: Condvar,
}

/// The right to use the device, until it is dropped.
pub(crate) struct Turn<'g>(&'g Gate);

impl Gate {
    fn enter(&self, most_waiting: f64) -> Option<Turn<'_>> {
        let mut state = lock(&self.state);
        if state.0 >= IN_FLIGHT && state.1 as f64 >= most_waiting {
            return None;
        }
        state.1 += 1;
        let full = |state: &mut (usize, usize)| state.0 >= IN_FLIGHT;
        let (mut state, waited) = self
            .changed
            .wait_timeout_while(state, TURN, full)
            .unwrap_or_else(PoisonError::into_inner);
        state.1 -= 1;
        if waited.timed_out() {
            return None;
        }
        state.0 += 1;
        Some(Turn(self))
    }

    fn is_empty(&self) -> bool {
        *lock(&self.state) == (0, 0)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        lock(&self.0.state).0 -= 1;
        self.0.changed.notify_one();
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_wait_than_gain_by_it() {
        let gate = Gate::default();
        let inside: Vec<_> = (0..IN_FLIGHT).map(|_| gate.enter(1.0)).collect();
        assert!(inside.iter().all(Option::is_some));
        assert!(gate.enter(0.0).is_none());
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| gate.enter(2.0).is_some());
            while lock(&gate.state).1 == 0 {
                std::thread::yield_now();
            }
            assert!(gate.enter(1.0).is_none());
            drop(inside);
            assert!(waiting.join().is_ok_and(|entered| entered));
        });
        assert!(gate.is_empty());
    }
}
