//! The daemon that is killed again and again.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::Plans;
use crate::binary::wellspring;
use crate::web_server::WebServer;

/// Longest wait for a condition; it ends as soon as the condition holds.
const PATIENCE: Duration = Duration::from_secs(600);

/// Small, but with everything: jobs on raw channels, a plate job whose images other jobs need, tables of the plate, another
/// program.
const WORKFLOW: &str = r#"
name = "crash"
version = "1"
[channels]
DAPI = "nuclei"
WF_GFP = "cells"
[container]
scale_factors = [1, 2]
[[job]]
id = "smooth"
kind = "filter.gaussian"
input = "nuclei"
output = "nuclei_smooth"
sigma = 1.5
keep = false
[[job]]
id = "threshold"
kind = "segment.threshold"
input = "nuclei_smooth"
output = "nucleus_mask"
method = "otsu"
minimum = 600.0
keep = false
[[job]]
id = "nuclei"
kind = "segment.declump"
input = "nucleus_mask"
output = "nucleus_segmentation"
min_distance = 7
smoothing = 1.0
[[job]]
id = "illumination"
kind = "correct.illumination_function"
input = ["cells"]
output = "illumination"
smoothing = 10.0
[[job]]
id = "correct"
kind = "correct.illumination"
input = { images = ["cells"], function = "illumination" }
output = "{}_corrected"
background_percentile = 5.0
[[job]]
id = "measure"
kind = "measure.objects"
input = { labels = "nucleus_segmentation", images = ["nuclei"] }
output = "nucleus_segmentation/objects"
[[job]]
id = "tables"
kind = "summarise.objects"
input = "nucleus_segmentation/objects"
output = "default"
[[job]]
id = "copy"
kind = "command"
input = "nuclei"
output = "nuclei_copy"
after = ["smooth"]
program = "cp"
args = ["{input.nuclei}", "copy.tif"]
[job.results]
nuclei_copy = { file = "copy.tif" }
"#;

/// A daemon with its folders. Killed when dropped.
pub struct Victim {
    folder: PathBuf,
    plans: Plans,
    child: Option<Child>,
    /// Who is told what becomes of the plates.
    pub told: WebServer,
    /// How often it was started.
    pub launches: u32,
}

impl Victim {
    /// Prepares folders and configuration; starts nothing.
    ///
    /// # Panics
    /// The program has no fault injection, or a file cannot be written.
    #[must_use]
    pub fn new(folder: &Path, workers: u32) -> Self {
        let version = Command::new(wellspring()).arg("--version").output();
        let version = version.map_or_else(
            |e| e.to_string(),
            |o| String::from_utf8_lossy(&o.stdout).into_owned(),
        );
        assert!(
            version.contains("fault injection"),
            "the program under test has no fault injection ({}): build it with `cargo build -p wellspring --features faults`",
            version.trim()
        );
        for name in ["drop", "results", "state", "aside"] {
            assert!(
                std::fs::create_dir(folder.join(name)).is_ok(),
                "cannot make {name}"
            );
        }
        let path = |name: &str| folder.join(name).display().to_string();
        let told = WebServer::start();
        // Scans come soon and a stop does not wait long, so that both happen within the test. Leases and time limits are long: a
        // machine that stands still for some seconds must not be charged to a task.
        let text = format!(
            "[state]\ndir = {:?}\nmin_free = \"1 MiB\"\n[server]\nlisten = \"127.0.0.1:0\"\n[workers]\ncount = {workers}\nthreads = 1\ngpu = \"off\"\ngrace_secs = 2\nlease_secs = 120\ntime_limit_secs = 600\n[log]\nlevel = \"info\"\nformat = \"text\"\n[[root]]\npath = {:?}\noutput = {:?}\nworkflow = {:?}\nsettle_secs = 0\nrescan_secs = 5\nplate_complete = [\"sentinel:FINISHED\"]\n[[notify]]\nname = \"peer\"\non = [\"done\", \"done_with_failures\", \"stale\"]\nformat = \"json\"\nwebhook = {:?}\n",
            path("state"),
            path("drop"),
            path("results"),
            path("workflow.toml"),
            told.url("/hook"),
        );
        assert!(
            std::fs::write(folder.join("wellspring.toml"), text).is_ok()
                && std::fs::write(folder.join("workflow.toml"), WORKFLOW).is_ok(),
            "cannot write the configuration"
        );
        Self {
            folder: folder.to_owned(),
            plans: Plans::new(folder.join("faults")),
            child: None,
            told,
            launches: 0,
        }
    }

    /// A folder: `drop`, `results`, `state` or `aside`.
    #[must_use]
    pub fn folder(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Its faults.
    #[must_use]
    pub const fn plans(&self) -> &Plans {
        &self.plans
    }

    /// Starts the process; it may be dead at once.
    ///
    /// # Panics
    /// It cannot be started, or is running already.
    pub fn launch(&mut self) {
        assert!(self.child.is_none(), "it is running already");
        let _ = std::fs::remove_file(self.folder.join("state/address"));
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.folder.join("daemon.log"));
        let Ok(log) = log else { panic!("no log file") };
        let child = Command::new(wellspring())
            .args(["serve", "--config"])
            .arg(self.folder.join("wellspring.toml"))
            .env(faults::VARIABLE, self.plans.folder())
            .env_remove("WELLSPRING_CONFIG")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        match child {
            Ok(child) => self.child = Some(child),
            Err(error) => panic!("the daemon cannot be started: {error}"),
        }
        self.launches += 1;
    }

    /// Starts it and waits until it answers.
    ///
    /// # Panics
    /// It does not answer.
    pub fn launch_and_wait(&mut self) {
        self.launch();
        self.wait("the daemon answers", |v| v.try_get("/livez").is_some());
    }

    /// SIGKILL to the daemon.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// SIGKILL to the daemon and all of its workers, the workers first or last. Returns how many workers there were.
    pub fn kill_all(&mut self, workers_first: bool) -> usize {
        let workers = self.workers();
        if workers_first {
            signal("-KILL", &workers);
        }
        self.kill();
        if !workers_first {
            signal("-KILL", &workers);
        }
        workers.len()
    }

    /// SIGKILL to one of the workers. Returns whether there was one.
    #[must_use]
    pub fn kill_worker(&self, number: u64) -> bool {
        let workers = self.workers();
        let Some(&pid) = usize::try_from(number)
            .ok()
            .and_then(|n| workers.get(n % workers.len().max(1)))
        else {
            return false;
        };
        signal("-KILL", &[pid])
    }

    /// SIGTERM. Returns whether there was somebody to ask.
    pub fn request_stop(&self) -> bool {
        self.pid().is_some_and(|pid| signal("-TERM", &[pid]))
    }

    /// SIGTERM, and how it then ended.
    ///
    /// # Panics
    /// It does not end.
    pub fn terminate(&mut self) -> Option<ExitStatus> {
        self.request_stop().then_some(())?;
        Some(self.wait_for_end("the daemon ends after SIGTERM"))
    }

    /// Waits until the process has ended by itself.
    ///
    /// # Panics
    /// It does not end.
    pub fn wait_for_end(&mut self, what: &str) -> ExitStatus {
        let begin = Instant::now();
        loop {
            match self.child.as_mut().map(Child::try_wait) {
                Some(Ok(Some(status))) => {
                    self.child = None;
                    return status;
                }
                Some(Ok(None)) => {}
                other => panic!("{what}: {other:?}"),
            }
            assert!(
                begin.elapsed() < PATIENCE,
                "waited in vain until {what}\n{}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Whether the process has ended, without asking for it.
    #[must_use]
    pub fn has_ended(&mut self) -> bool {
        match self.child.as_mut().map(Child::try_wait) {
            None | Some(Ok(Some(_))) => {
                self.child = None;
                true
            }
            _ => false,
        }
    }

    fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Process ids of its workers. Dead ones that it has not noticed yet are none.
    #[must_use]
    pub fn workers(&self) -> Vec<u32> {
        let Some(pid) = self.pid() else {
            return Vec::new();
        };
        // Children are listed by the thread that started them.
        let Ok(threads) = std::fs::read_dir(format!("/proc/{pid}/task")) else {
            return Vec::new();
        };
        threads
            .flatten()
            .filter_map(|t| std::fs::read_to_string(t.path().join("children")).ok())
            .flat_map(|text| {
                text.split_whitespace()
                    .filter_map(|p| p.parse().ok())
                    .filter(|pid| is_alive(*pid))
                    .collect::<Vec<u32>>()
            })
            .collect()
    }

    /// The end of what it logged.
    #[must_use]
    pub fn log(&self) -> String {
        let log = std::fs::read_to_string(self.folder.join("daemon.log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let tail = &lines[lines.len().saturating_sub(80)..];
        format!(
            "{}\n(faults so far: {})",
            tail.join("\n"),
            self.plans.hits().len()
        )
    }

    /// Where it answers, once it does.
    #[must_use]
    pub fn url(&self, path: &str) -> Option<String> {
        url_of(&self.folder, path)
    }

    /// Text of an answer, if it answers with success.
    #[must_use]
    pub fn try_get(&self, path: &str) -> Option<String> {
        let agent = ureq::Agent::new_with_config(
            ureq::Agent::config_builder()
                .timeout_global(Some(Duration::from_secs(120)))
                .build(),
        );
        agent
            .get(&self.url(path)?)
            .header("Accept", "application/json")
            .call()
            .ok()?
            .body_mut()
            .read_to_string()
            .ok()
    }

    /// JSON of an answer; null if there is none.
    #[must_use]
    pub fn get(&self, path: &str) -> Value {
        self.try_get(path)
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or(Value::Null)
    }

    /// Posts JSON; whether it was accepted.
    #[must_use]
    pub fn post(&self, path: &str, body: &Value) -> bool {
        let Some(url) = self.url(path) else {
            return false;
        };
        ureq::post(&url)
            .header("X-Wellspring", "1")
            .send_json(body)
            .is_ok()
    }

    /// Waits for a condition.
    ///
    /// # Panics
    /// It does not come true; the end of the daemon's log is in the message.
    pub fn wait(&self, what: &str, condition: impl FnMut(&Self) -> bool) {
        assert!(
            self.wait_up_to(PATIENCE, condition),
            "waited in vain until {what}\n{}",
            self.log()
        );
    }

    /// Waits for a condition for so long. Returns whether it came true.
    #[must_use]
    pub fn wait_up_to(&self, patience: Duration, mut condition: impl FnMut(&Self) -> bool) -> bool {
        let begin = Instant::now();
        while !condition(self) {
            if begin.elapsed() > patience {
                return false;
            }
            std::thread::sleep(Duration::from_millis(4));
        }
        true
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("the end of the daemon's log:\n{}", self.log());
        }
    }
}

/// The address that the daemon has published, with a path.
pub(super) fn url_of(folder: &Path, path: &str) -> Option<String> {
    let address = std::fs::read_to_string(folder.join("state/address")).ok()?;
    Some(format!("{}{path}", address.trim()))
}

fn is_alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    !state.is_empty() && !state.starts_with(['Z', 'X'])
}

/// Whether a process was ended by SIGKILL.
#[must_use]
pub(super) fn was_killed(status: ExitStatus) -> bool {
    status.signal() == Some(9)
}

fn signal(which: &str, pids: &[u32]) -> bool {
    !pids.is_empty()
        && Command::new("kill")
            .arg(which)
            .args(pids.iter().map(ToString::to_string))
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|s| s.success())
}
