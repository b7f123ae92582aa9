//! Kills, restarts, and asks after each whether everything is still as it must be.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use faults::{Action, Occasion, Plan, Point, Role};
use serde_json::json;

use super::victim::was_killed;
use super::{Accounts, Feeder, Follower, Observer, Plans, Victim};
use crate::binary::run;
use crate::synthetic::Random;

/// Tasks that may be open before the microscope waits for the analysis.
const BACKLOG: usize = 150;
/// A complete comparison is made after so many faults.
const COMPARE_EVERY: usize = 40;

/// How long, and in which order.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// At least so many processes are killed, and every point is reached.
    pub kills: usize,
    /// Decides about the order of everything.
    pub seed: u64,
}

/// What was done.
#[derive(Debug, Default)]
pub struct Summary {
    /// The seed.
    pub seed: u64,
    /// Processes killed, and other faults, by kind.
    pub kinds: BTreeMap<&'static str, usize>,
    /// Of these, those that were kills.
    pub kills: usize,
    /// Starts of the daemon.
    pub launches: u32,
    /// Faults that happened, by point.
    pub points: BTreeMap<&'static str, usize>,
    /// How often everything was compared.
    pub comparisons: usize,
    /// Files opened by the other program while the loop ran, and its name.
    pub opened: (u64, &'static str),
    /// Times that the follower of the event stream had to connect, and the last event that it saw.
    pub stream: (i64, i64),
    /// Things done by the microscope.
    pub steps: u64,
    /// What is in the queue.
    pub figures: String,
    /// Wall time.
    pub elapsed: Duration,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |map: &BTreeMap<&str, usize>| {
            let words: Vec<String> = map.iter().map(|(k, n)| format!("{k} {n}")).collect();
            words.join(", ")
        };
        writeln!(
            f,
            "crash loop: seed {}, {} kills, {} starts of the daemon, {:.0} s",
            self.seed,
            self.kills,
            self.launches,
            self.elapsed.as_secs_f64()
        )?;
        writeln!(f, "  faults: {}", list(&self.kinds))?;
        writeln!(
            f,
            "  points reached: {} of {}: {}",
            self.points.len(),
            Point::ALL.len(),
            list(&self.points)
        )?;
        writeln!(
            f,
            "  microscope: {} steps; queue: {}",
            self.steps, self.figures
        )?;
        writeln!(
            f,
            "  read with {}: {} files while they were replaced; {} complete comparisons",
            self.opened.1, self.opened.0, self.comparisons
        )?;
        write!(
            f,
            "  event stream: {} events, each once, over {} connections",
            self.stream.1, self.stream.0
        )
    }
}

/// One fault to cause.
#[derive(Clone, Copy, Debug)]
enum Fault {
    At(Point, Plan),
    Daemon,
    Worker,
    All,
    Stop,
}

/// The loop.
pub struct Hunt {
    victim: Victim,
    plans: Plans,
    accounts: Accounts,
    feeder: Arc<Mutex<Feeder>>,
    room: Arc<AtomicUsize>,
    plates: Arc<AtomicUsize>,
    ended: Arc<AtomicBool>,
    feeding: Option<JoinHandle<()>>,
    follower: Follower,
    observer: Observer,
    random: Random,
    summary: Summary,
    /// Deaths of workers that may be, and those that must be, in the accounts.
    deaths: (i64, i64),
}

impl Hunt {
    /// Starts the daemon in `folder` for the first time, which is itself a point to be killed at, and the microscope.
    ///
    /// # Panics
    /// An invariant does not hold.
    #[must_use]
    pub fn start(folder: &Path, seed: u64) -> Self {
        let mut victim = Victim::new(folder, 2);
        let plans = victim.plans().clone();
        let mut summary = Summary {
            seed,
            ..Summary::default()
        };
        for action in [Action::Kill, Action::Enospc, Action::Eio] {
            plans.plant(Point::QueueMigrated, plan(action));
            victim.launch();
            let status = victim.wait_for_end("the first start ends");
            assert_eq!(was_killed(status), action == Action::Kill, "{status}");
            assert!(!status.success());
            *summary.kinds.entry("first start").or_default() += 1;
            summary.kills += usize::from(action == Action::Kill);
        }
        victim.launch_and_wait();
        let feeder = Arc::new(Mutex::new(Feeder::new(
            victim.folder("drop"),
            victim.folder("aside"),
            seed,
        )));
        let (room, plates, ended) = (
            Arc::new(AtomicUsize::new(BACKLOG)),
            Arc::new(AtomicUsize::new(2)),
            Arc::new(AtomicBool::new(false)),
        );
        let feeding = feed(
            Arc::clone(&feeder),
            Arc::clone(&room),
            Arc::clone(&plates),
            Arc::clone(&ended),
        );
        Self {
            accounts: Accounts::new(&victim.folder("state")),
            follower: Follower::start(folder),
            observer: Observer::start(&victim.folder("drop"), &victim.folder("results")),
            random: Random(seed ^ 0x5EED),
            feeding: Some(feeding),
            victim,
            plans,
            feeder,
            room,
            plates,
            ended,
            summary,
            deaths: (0, 0),
        }
    }

    /// Causes faults until there were enough, then lets everything come to its end and compares.
    ///
    /// # Panics
    /// An invariant does not hold; the message says which, the seed is in it.
    pub fn run(mut self, options: Options) -> Summary {
        let begin = Instant::now();
        let mut round = 0;
        let mut faults = 0;
        while self.summary.kills < options.kills || round == 0 {
            for fault in self.schedule(round) {
                if round > 0 && self.summary.kills >= options.kills {
                    break;
                }
                self.cause(fault);
                self.check(&format!("after {fault:?}"));
                faults += 1;
                if faults % COMPARE_EVERY == 0 {
                    self.compare();
                    // Old plates stay as they are from now on, but may be written to again.
                    self.plates.fetch_add(1, Ordering::SeqCst);
                }
            }
            round += 1;
        }
        self.ended.store(true, Ordering::SeqCst);
        if let Some(feeding) = self.feeding.take() {
            assert!(feeding.join().is_ok(), "the microscope has failed");
        }
        self.compare();
        self.compare_with_an_undisturbed_run();
        self.end();
        self.summary.elapsed = begin.elapsed();
        std::mem::take(&mut self.summary)
    }

    /// Every point with a kill; some with a hang; those that write with errors; and in between as many kills at random.
    fn schedule(&mut self, round: u64) -> Vec<Fault> {
        let mut out = Vec::new();
        for (number, &point) in (round..).zip(Point::ALL) {
            // The daemon of the hunt uses no GPU; that has a test of its own.
            if matches!(point.occasion(), Occasion::FirstStart | Occasion::Gpu) {
                continue;
            }
            let at = |action| {
                Fault::At(
                    point,
                    Plan {
                        role: Some(point.role()),
                        ..plan(action)
                    },
                )
            };
            out.push(at(Action::Kill));
            if point.role() == Role::Worker {
                out.push(at(Action::KillDaemon));
            }
            // A process that stands still shows the state at this point to everybody, for longer.
            if number % 3 == 0 {
                out.push(at(Action::Hang));
            }
            if point.writes() {
                out.push(at(if number % 2 == 0 {
                    Action::Enospc
                } else {
                    Action::Eio
                }));
            }
            // The daemon publishes too: its address, at every start.
            if point.name().starts_with("publish.") {
                for action in [Action::Kill, Action::Enospc] {
                    if action == Action::Kill || point.writes() && number % 3 == 1 {
                        let role = Some(Role::Daemon);
                        out.push(Fault::At(
                            point,
                            Plan {
                                role,
                                ..plan(action)
                            },
                        ));
                    }
                }
            }
        }
        for number in 0..out.len() * 3 / 2 {
            out.push(match number % 10 {
                0..=4 => Fault::Daemon,
                5..=7 => Fault::Worker,
                8 => Fault::All,
                _ => Fault::Stop,
            });
        }
        for i in (1..out.len()).rev() {
            let other = usize::try_from(self.random.below(i as u64 + 1)).unwrap_or(0);
            out.swap(i, other);
        }
        out
    }

    fn cause(&mut self, fault: Fault) {
        let kind = match fault {
            Fault::At(point, plan) => {
                self.at(point, plan);
                plan.action.as_str()
            }
            Fault::Daemon => {
                self.some_progress();
                self.killed(1);
                self.victim.kill();
                "daemon at random"
            }
            Fault::Worker => {
                self.some_progress();
                let number = self.random.below(8);
                if self.victim.kill_worker(number) {
                    self.killed(1);
                    self.deaths.0 += 1;
                }
                "worker at random"
            }
            Fault::All => {
                self.some_progress();
                let first = self.random.below(2) == 0;
                // Those that were really there: one may have been started a moment ago.
                let workers = self.victim.kill_all(first);
                self.killed(1 + workers);
                self.deaths.0 += i64::try_from(if first { workers } else { 0 }).unwrap_or(0);
                "all at random"
            }
            Fault::Stop => {
                self.some_progress();
                let status = self.victim.terminate();
                assert!(
                    status.is_some_and(|s| s.success()),
                    "after SIGTERM: {status:?}\n{}",
                    self.victim.log()
                );
                "stop at random"
            }
        };
        *self.summary.kinds.entry(kind).or_default() += 1;
        if self.victim.has_ended() {
            self.victim.launch_and_wait();
        }
    }

    fn killed(&mut self, processes: usize) {
        self.summary.kills += processes;
    }

    /// Plants a fault, does what leads there, and waits until it has happened.
    fn at(&mut self, point: Point, plan: Plan) {
        let before = self.plans.plant(point, plan);
        let (role, occasion) = match plan.role {
            Some(role) if role != point.role() => (role, Occasion::Start),
            _ => (point.role(), point.occasion()),
        };
        match occasion {
            Occasion::Work | Occasion::Gpu => {}
            Occasion::Spawn => {
                for number in 0..self.victim.workers().len() {
                    if self.victim.kill_worker(number as u64) {
                        self.killed(1);
                        self.deaths.0 += 1;
                    }
                }
            }
            Occasion::Start | Occasion::FirstStart => {
                self.killed(1);
                self.victim.kill();
                self.victim.launch();
            }
            Occasion::Stop => drop(self.victim.request_stop()),
        }
        let (plans, name) = (&self.plans, point.name());
        self.victim.wait(&format!("{name} is reached"), |_| {
            plans.hits().len() > before
        });
        *self.summary.points.entry(name).or_default() += 1;
        match plan.action {
            Action::Kill if role == Role::Worker => {
                self.killed(1);
                self.deaths.0 += 1;
                // A worker that has reported already dies outside its pass.
                if point != Point::WorkerReported {
                    self.deaths.1 += 1;
                }
            }
            Action::Kill => {
                self.killed(1);
                let status = self.victim.wait_for_end(&format!("it dies at {name}"));
                assert!(was_killed(status), "at {name}: {status}");
            }
            Action::KillDaemon => {
                self.killed(2);
                let status = self.victim.wait_for_end(&format!("it is killed at {name}"));
                assert!(was_killed(status), "at {name}: {status}");
            }
            Action::Hang => {
                self.dwell();
                self.killed(1);
                self.victim.kill();
            }
            Action::Enospc | Action::Eio if occasion == Occasion::Start => {
                let status = self.victim.wait_for_end(&format!("it ends at {name}"));
                assert!(!status.success() && !was_killed(status), "{name}: {status}");
            }
            Action::Hold | Action::Enospc | Action::Eio => {}
        }
    }

    /// Waits until the daemon has done something since the last fault, and then for a random moment.
    fn some_progress(&mut self) {
        let (before, accounts) = (self.follower.last(), &self.accounts);
        self.victim
            .wait("there is a new event", |_| accounts.last_event() > before);
        self.dwell();
    }

    /// The moment at which a process is killed must not be always the same.
    fn dwell(&mut self) {
        std::thread::sleep(Duration::from_millis(self.random.below(150)));
    }

    /// Invariants that hold at any time.
    fn check(&mut self, when: &str) {
        let open = self.victim.get("/api/v1/status");
        let open: u64 = ["ready", "running", "retrying"]
            .iter()
            .filter_map(|s| open["tasks"][s].as_u64())
            .sum();
        let room = BACKLOG.saturating_sub(usize::try_from(open).unwrap_or(BACKLOG));
        self.room.store(room, Ordering::SeqCst);
        let mut wrong = self.accounts.wrong();
        let crashes = self.accounts.crashes();
        if crashes > self.deaths.0 {
            wrong.push(format!(
                "{crashes} crashes are recorded, but only {} workers were killed",
                self.deaths.0
            ));
        }
        wrong.extend(self.follower.faults());
        wrong.extend(self.observer.report().1);
        assert!(
            wrong.is_empty(),
            "{when} (seed {}): {wrong:#?}\n{}",
            self.summary.seed,
            self.victim.log()
        );
    }

    /// Stops the microscope, lets everything come to its end, and compares all of it.
    fn compare(&mut self) {
        let feeder = Arc::clone(&self.feeder);
        let mut feeder = lock(&feeder);
        let finished = feeder.finish();
        assert!(finished.is_ok(), "the microscope: {finished:?}");
        self.summary.steps = feeder.steps;
        let mut truth = feeder.truth();
        let again = json!({ "filter": { "state": ["quarantined", "retrying"] }, "dry_run": false });
        let (accounts, observer) = (&self.accounts, &mut self.observer);
        let mut differences = Vec::new();
        let ended = self.victim.wait_up_to(Duration::from_secs(600), |victim| {
            differences = accounts.unfinished();
            if differences.is_empty() {
                accounts.add_keys(&mut truth);
                differences = observer.compare(&truth);
                if accounts.unfinished().is_empty() && differences.is_empty() {
                    return true;
                }
            }
            // What a person would do who does not want to wait for the next try.
            let _ = victim.post("/api/v1/tasks/requeue", &again);
            std::thread::sleep(Duration::from_millis(200));
            false
        });
        assert!(
            ended,
            "in vain until everything is done and equal (seed {}): {differences:#?}\n{}",
            self.summary.seed,
            self.victim.log()
        );
        let sites: usize = truth
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|p| p["sites"].as_array())
            .map(Vec::len)
            .sum();
        assert_eq!(
            self.accounts.subjects("image_set"),
            i64::try_from(sites).unwrap_or(-1),
            "each image set once"
        );
        assert!(
            self.accounts.crashes() >= self.deaths.1,
            "{} workers were killed in a pass, but {} crashes are recorded",
            self.deaths.1,
            self.accounts.crashes()
        );
        assert!(self.accounts.is_sound(), "the database is damaged");
        self.summary.comparisons += 1;
        self.check("in a comparison");
    }

    /// The same images once more, without a daemon and without faults: every number must be the same.
    fn compare_with_an_undisturbed_run(&mut self) {
        let fresh = self.victim.folder("fresh");
        let output = run([
            Path::new("run"),
            &self.victim.folder("workflow.toml"),
            &self.victim.folder("drop"),
            Path::new("--output"),
            &fresh,
        ]);
        assert!(
            output.status.success(),
            "the undisturbed run: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let differences = self.observer.equal(&fresh);
        assert!(
            differences.is_empty(),
            "other results than without faults (seed {}): {differences:#?}",
            self.summary.seed
        );
    }

    /// Every message came, and more than once only if the daemon died between sending and noting it.
    fn compare_messages(&self) {
        let accounts = &self.accounts;
        self.victim
            .wait("all messages are delivered", |_| accounts.notices().1 == 0);
        let (sent, tokens) = (accounts.notices().0, self.victim.told.tokens());
        assert!(!sent.is_empty(), "no plate has ended");
        let lost: Vec<_> = sent.iter().filter(|t| !tokens.contains_key(*t)).collect();
        assert!(lost.is_empty(), "noted as sent, but never came: {lost:?}");
        assert_eq!(tokens.len(), sent.len(), "messages that nobody noted");
        let again: usize = tokens.values().map(|times| times - 1).sum();
        let deaths = usize::try_from(self.victim.launches).unwrap_or(usize::MAX);
        assert!(again < deaths, "{again} repetitions in {deaths} lives");
    }

    /// The last stop must be a clean one, and leave nothing but results.
    fn end(&mut self) {
        self.compare_messages();
        let last = self.accounts.last_event();
        let follower = &self.follower;
        self.victim
            .wait("the last event has come", |_| follower.last() >= last);
        self.summary.figures = self.accounts.figures();
        self.summary.opened = (self.observer.report().0, self.observer.name());
        let status = self.victim.terminate();
        assert!(
            status.is_some_and(|s| s.success()),
            "at the end: {status:?}"
        );
        self.follower.stop();
        assert_eq!(self.follower.faults(), Vec::<String>::new());
        self.summary.stream = (self.follower.connections(), self.follower.last());
        self.summary.launches = self.victim.launches;
        let state: Vec<String> = std::fs::read_dir(self.victim.folder("state"))
            .into_iter()
            .flatten()
            .flatten()
            .map(|e| e.file_name().to_string_lossy().into_owned())
            .filter(|n| !n.starts_with("queue.db"))
            .collect();
        assert_eq!(state, Vec::<String>::new(), "left in the state folder");
        let missed: Vec<&str> = Point::ALL
            .iter()
            .filter(|p| !matches!(p.occasion(), Occasion::FirstStart | Occasion::Gpu))
            .map(|p| p.name())
            .filter(|n| !self.summary.points.contains_key(n))
            .collect();
        assert_eq!(missed, Vec::<&str>::new(), "points that nobody has reached");
        self.summary.points.insert(
            Point::QueueMigrated.name(),
            self.summary.kinds["first start"],
        );
    }
}

impl Drop for Hunt {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
    }
}

fn plan(action: Action) -> Plan {
    Plan {
        action,
        after: 0,
        role: None,
    }
}

/// The microscope at work, as long as there is room for its images.
fn feed(
    feeder: Arc<Mutex<Feeder>>,
    room: Arc<AtomicUsize>,
    plates: Arc<AtomicUsize>,
    ended: Arc<AtomicBool>,
) -> JoinHandle<()> {
    std::thread::spawn(move || {
        while !ended.load(Ordering::SeqCst) {
            if room.load(Ordering::SeqCst) > 0 {
                let done = lock(&feeder).step(plates.load(Ordering::SeqCst));
                assert!(done.is_ok(), "the microscope: {done:?}");
            }
            std::thread::sleep(Duration::from_millis(60));
        }
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
