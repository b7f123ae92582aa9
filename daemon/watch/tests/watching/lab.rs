//! A root in a temporary folder, a host with a memory, and waiting for events.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};
use watch::{Event, FileIdentity, Host, Mode, Probe, RootSpec, RootState, Watcher};

pub const ROOT: i64 = 7;
/// No wait in these tests takes longer on a working machine, however busy.
pub const DEADLINE: Duration = Duration::from_secs(300);

/// Registers what is whole, as the daemon does, and passes every event on.
pub struct Recorder {
    pub known: Mutex<BTreeMap<PathBuf, FileIdentity>>,
    pub registers: AtomicBool,
    /// Probes of files that start with `HANG` return when this is true, as on a server that does not answer.
    pub answers: (Mutex<bool>, Condvar),
    sender: Mutex<Sender<Event>>,
}

impl Host for Recorder {
    fn known(&self, root: i64, relative: &Path) -> Option<FileIdentity> {
        assert_eq!(root, ROOT);
        self.known.lock().unwrap().get(relative).copied()
    }

    fn for_each_known(
        &self,
        _: i64,
        each: &mut dyn FnMut(&Path, &FileIdentity) -> ControlFlow<()>,
    ) {
        for (path, identity) in &*self.known.lock().unwrap() {
            if each(path, identity).is_break() {
                return;
            }
        }
    }

    fn ignore(&self, _: i64, relative: &Path) -> Option<String> {
        let name = relative.file_name().unwrap().as_encoded_bytes();
        name.starts_with(b".").then(|| "hidden".into())
    }

    /// A file is whole when it ends with `END`.
    fn probe(&self, absolute: &Path) -> Probe {
        match fs::read(absolute) {
            Err(error) => Probe::Unreadable(error.to_string()),
            Ok(bytes) if bytes.starts_with(b"BROKEN") => Probe::Unreadable("no such format".into()),
            Ok(bytes) if bytes.starts_with(b"CRASH") => panic!("a decoder bug"),
            Ok(bytes) if bytes.starts_with(b"HANG") => {
                let (answers, bell) = &self.answers;
                drop(
                    bell.wait_while(answers.lock().unwrap(), |answers| !*answers)
                        .unwrap(),
                );
                Probe::Whole
            }
            Ok(bytes) if bytes.ends_with(b"END") => Probe::Whole,
            Ok(_) => Probe::NotYet("the end is missing".into()),
        }
    }

    fn emit(&self, event: Event) {
        let mut known = self.known.lock().unwrap();
        match &event {
            Event::Whole { path, identity, .. } | Event::Changed { path, identity, .. }
                if self.registers.load(Ordering::Relaxed) =>
            {
                known.insert(path.clone(), *identity);
            }
            Event::Vanished { path, .. } => {
                known.remove(path);
            }
            _ => {}
        }
        let _ = self.sender.lock().unwrap().send(event);
    }
}

/// A watched folder. Dropping it stops the watcher before the folder goes.
pub struct Lab {
    pub watcher: Option<Watcher>,
    pub host: Arc<Recorder>,
    pub spec: RootSpec,
    pub seen: Vec<Event>,
    events: Receiver<Event>,
    folder: tempfile::TempDir,
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.watcher = None;
    }
}

impl Lab {
    /// A root that is not watched yet: native, no settle time.
    pub fn new() -> Self {
        Self::on(tempfile::tempdir().unwrap())
    }

    /// The same where the disk does not count, if the machine has such a place.
    #[allow(dead_code, reason = "one of the programs uses it")]
    pub fn in_memory() -> Self {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        Self::on(folder.unwrap())
    }

    fn on(folder: tempfile::TempDir) -> Self {
        let path = folder.path().join("root");
        fs::create_dir(&path).unwrap();
        let (sender, events) = channel();
        let host = Arc::new(Recorder {
            known: Mutex::default(),
            registers: AtomicBool::new(true),
            answers: (Mutex::new(false), Condvar::new()),
            sender: Mutex::new(sender),
        });
        let mut spec = RootSpec::new(ROOT, path);
        spec.mode = Mode::Native;
        spec.settle = Duration::ZERO;
        Self {
            watcher: None,
            host,
            spec,
            seen: Vec::new(),
            events,
            folder,
        }
    }

    /// A root that is being watched, after its first scan.
    pub fn native() -> Self {
        let mut lab = Self::new();
        lab.start();
        lab
    }

    pub fn polling() -> Self {
        let mut lab = Self::new();
        lab.spec.mode = Mode::Poll;
        lab.spec.poll_interval = Duration::from_millis(50);
        lab.start();
        lab
    }

    pub fn start(&mut self) {
        self.watcher = Some(Watcher::start(vec![self.spec.clone()], self.host.clone()).unwrap());
        self.scanned();
    }

    pub fn watcher(&self) -> &Watcher {
        self.watcher.as_ref().unwrap()
    }

    pub fn path(&self, relative: &str) -> PathBuf {
        self.spec.path.join(relative)
    }

    /// A place on the same file system that is not watched.
    pub fn outside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a whole file.
    pub fn write(&self, relative: &str, content: &str) {
        write(&self.path(relative), content);
    }

    /// The next event that `wanted` takes.
    pub fn wait<T>(&mut self, what: &str, wanted: impl Fn(&Event) -> Option<T>) -> T {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(event) = self.events.recv_timeout(left) else {
                panic!("no {what} in time; seen: {:#?}", self.seen);
            };
            let found = wanted(&event);
            self.seen.push(event);
            if let Some(found) = found {
                return found;
            }
        }
    }

    /// Takes the events that are there.
    pub fn drain(&mut self) {
        self.seen.extend(self.events.try_iter());
    }

    pub fn whole(&mut self, relative: impl AsRef<Path>) -> FileIdentity {
        let relative = relative.as_ref();
        self.wait(&format!("whole {relative:?}"), |event| match event {
            Event::Whole { path, identity, .. } if path == relative => Some(*identity),
            _ => None,
        })
    }

    /// Waits until all of these are whole, in any order.
    pub fn all_whole(&mut self, paths: impl IntoIterator<Item = String>) {
        let mut missing: BTreeSet<PathBuf> = paths.into_iter().map(PathBuf::from).collect();
        for event in &self.seen {
            if let Event::Whole { path, .. } = event {
                missing.remove(path);
            }
        }
        while !missing.is_empty() {
            let path = self.wait(&format!("whole {missing:?}"), |event| match event {
                Event::Whole { path, .. } => Some(path.clone()),
                _ => None,
            });
            missing.remove(&path);
        }
    }

    /// The new and the previous state.
    pub fn changed(&mut self, relative: &str) -> (FileIdentity, FileIdentity) {
        self.wait(&format!("changed {relative}"), |event| match event {
            Event::Changed {
                path,
                identity,
                previous,
                ..
            } if path == Path::new(relative) => Some((*identity, *previous)),
            _ => None,
        })
    }

    pub fn unreadable(&mut self, relative: &str) -> String {
        self.wait(&format!("unreadable {relative}"), |event| match event {
            Event::Unreadable { path, reason, .. } if path == Path::new(relative) => {
                Some(reason.clone())
            }
            _ => None,
        })
    }

    pub fn vanished(&mut self, relative: &str) {
        let is_it = |event: &Event| matches!(event, Event::Vanished { path, .. } if path == Path::new(relative));
        // It may have been told while something else was waited for.
        if self.seen.iter().any(is_it) {
            return;
        }
        self.wait(&format!("vanished {relative}"), |event| {
            is_it(event).then_some(())
        });
    }

    pub fn offline(&mut self) -> String {
        self.wait("offline", |event| match event {
            Event::RootState {
                state: RootState::Offline { reason },
                ..
            } => Some(reason.clone()),
            _ => None,
        })
    }

    /// Mode and reason.
    pub fn online(&mut self) -> (watch::ActiveMode, String) {
        self.wait("online", |event| match event {
            Event::RootState {
                state: RootState::Online { mode, reason, .. },
                ..
            } => Some((*mode, reason.clone())),
            _ => None,
        })
    }

    /// The files that a scan counted.
    pub fn scanned(&mut self) -> u64 {
        self.wait("end of a scan", |event| match event {
            Event::ScanDone { files, .. } => Some(*files),
            _ => None,
        })
    }

    /// The files that a scan counted which began after this call.
    pub fn scanned_anew(&mut self) -> u64 {
        // What is told first may be the end of a scan that was under way. The next one began after that.
        self.drain();
        assert!(self.watcher().rescan(ROOT));
        self.scanned();
        assert!(self.watcher().rescan(ROOT));
        self.scanned()
    }

    /// A scan that began after this call, and all that it leads to for `sentinel`, a file written now: whatever was
    /// going to be reported about files that were quiet before has been reported then.
    pub fn everything_is_told(&mut self, sentinel: &str) {
        self.scanned_anew();
        self.write(sentinel, "END");
        self.whole(sentinel);
    }

    /// How often a path was reported as whole or changed.
    pub fn reports_of(&self, relative: impl AsRef<Path>) -> usize {
        let relative = relative.as_ref();
        let is_report = |event: &&Event| matches!(event, Event::Whole { path, .. } | Event::Changed { path, .. } if path == relative);
        self.seen.iter().filter(is_report).count()
    }

    pub fn has_vanished_any(&self) -> bool {
        self.seen
            .iter()
            .any(|event| matches!(event, Event::Vanished { .. }))
    }
}

/// Writes a whole file anywhere.
pub fn write(path: &Path, content: &str) {
    File::create(path)
        .unwrap()
        .write_all(content.as_bytes())
        .unwrap();
}

/// Waits until a condition holds.
pub fn until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !condition() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}
