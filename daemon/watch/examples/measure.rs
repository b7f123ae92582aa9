//! Measures the watcher: `cargo run --release -p watch --example measure [folder]`.
//!
//! Latency from the close of a file to its report without settle time, a storm of small files, a scan of files that are
//! all known, and what an idle root costs.
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use watch::{Event, FileIdentity, Host, Mode, Probe, RootSpec, Watcher};

struct Registry {
    known: Mutex<HashMap<PathBuf, FileIdentity>>,
    sender: Mutex<Sender<(Instant, Event)>>,
}

impl Host for Registry {
    fn known(&self, _: i64, relative: &Path) -> Option<FileIdentity> {
        self.known.lock().unwrap().get(relative).copied()
    }
    fn for_each_known(
        &self,
        _: i64,
        each: &mut dyn FnMut(&Path, &FileIdentity) -> ControlFlow<()>,
    ) {
        let _ = self
            .known
            .lock()
            .unwrap()
            .iter()
            .try_for_each(|(path, identity)| each(path, identity));
    }
    fn ignore(&self, _: i64, _: &Path) -> Option<String> {
        None
    }
    fn probe(&self, _: &Path) -> Probe {
        Probe::Whole
    }
    fn emit(&self, event: Event) {
        let now = Instant::now();
        if let Event::Whole { path, identity, .. } = &event {
            self.known.lock().unwrap().insert(path.clone(), *identity);
        }
        let _ = self.sender.lock().unwrap().send((now, event));
    }
}

fn main() {
    let base = std::env::args_os()
        .nth(1)
        .map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = tempfile::tempdir_in(base).unwrap();
    let (sender, events) = channel();
    let host = Arc::new(Registry {
        known: Mutex::default(),
        sender: Mutex::new(sender),
    });
    let mut spec = RootSpec::new(1, folder.path());
    spec.mode = Mode::Native;
    spec.settle = Duration::ZERO;
    let watcher = Watcher::start(vec![spec], host).unwrap();
    scanned(&events);
    println!("root on {}", watch::fs_kind(folder.path()).unwrap().name);

    latency(folder.path(), &events);
    storm(folder.path(), &events, &watcher);
    assert!(watcher.rescan(1));
    let (files, elapsed) = scanned(&events);
    println!("scan of {files} known files in {elapsed:?}");
    idle(&watcher);
}

fn scanned(events: &Receiver<(Instant, Event)>) -> (u64, Duration) {
    loop {
        if let Event::ScanDone { files, elapsed, .. } = events.recv().unwrap().1 {
            return (files, elapsed);
        }
    }
}

fn latency(root: &Path, events: &Receiver<(Instant, Event)>) {
    let content = vec![1_u8; 1 << 20];
    let mut times: Vec<Duration> = (0..500)
        .map(|number| {
            fs::write(root.join(format!("{number}.tif")), &content).unwrap();
            let closed = Instant::now();
            let (reported, event) = events.recv().unwrap();
            assert!(matches!(event, Event::Whole { .. }), "{event:?}");
            reported.saturating_duration_since(closed)
        })
        .collect();
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 100];
    println!(
        "close to report: median {:?}, 99 % {:?}, longest {:?}",
        at(50),
        at(99),
        at(100)
    );
}

fn storm(root: &Path, events: &Receiver<(Instant, Event)>, watcher: &Watcher) {
    const FILES: usize = 20_000;
    let (start, cpu) = (Instant::now(), cpu_time());
    for number in 0..FILES {
        if number % 384 == 0 {
            fs::create_dir(root.join(format!("plate{}", number / 384))).unwrap();
        }
        fs::write(root.join(format!("plate{}/{number}", number / 384)), "x").unwrap();
    }
    let written = start.elapsed();
    let mut reports = 0;
    while reports < FILES {
        if let Event::Whole { .. } = events.recv().unwrap().1 {
            reports += 1;
        }
    }
    println!(
        "{FILES} small files written in {written:?}, the last reported {:?} later, {:?} CPU with the writer, overflows {}",
        start.elapsed() - written,
        cpu_time() - cpu,
        watcher.counters()[&1].overflows
    );
}

fn idle(watcher: &Watcher) {
    let (cpu, wakeups) = (cpu_time(), watcher.counters()[&1].wakeups);
    let watched = Duration::from_secs(60);
    std::thread::sleep(watched);
    println!(
        "idle for {watched:?}: {:?} CPU, {} wakeups",
        cpu_time() - cpu,
        watcher.counters()[&1].wakeups - wakeups
    );
}

/// Time on the CPU of all threads of this process that still run.
fn cpu_time() -> Duration {
    let threads = fs::read_dir("/proc/self/task").unwrap();
    let nanoseconds = |thread: PathBuf| -> u64 {
        let text = fs::read_to_string(thread.join("schedstat")).unwrap();
        text.split_whitespace().next().unwrap().parse().unwrap()
    };
    Duration::from_nanos(
        threads
            .map(|thread| nanoseconds(thread.unwrap().path()))
            .sum(),
    )
}
