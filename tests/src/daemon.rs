//! A real daemon on a port of its own.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::binary::{repository, run, wellspring};

/// Longest wait for a condition. Generous: the machine may be busy, and a wait ends as soon as the condition holds.
const PATIENCE: Duration = Duration::from_secs(600);

/// A daemon with folders of its own. Killed when dropped.
pub struct Daemon {
    folder: tempfile::TempDir,
    child: Option<Child>,
    environment: Vec<(String, OsString)>,
}

/// How a daemon is started.
pub struct Start<'a> {
    /// File of the workflow, or its text.
    pub workflow: &'a str,
    /// Added to the root's configuration.
    pub root_lines: &'a str,
    /// Added to `[workers]`.
    pub worker_lines: &'a str,
    /// Sections added to the configuration.
    pub sections: &'a str,
    /// `min_free` of the state.
    pub min_free: &'a str,
    /// Settle time.
    pub settle_secs: u64,
    /// Added to the environment.
    pub environment: Vec<(String, OsString)>,
}

impl<'a> Start<'a> {
    /// No settle time, 1 MiB of free space.
    #[must_use]
    pub const fn new(workflow: &'a str) -> Self {
        Self {
            workflow,
            root_lines: "",
            worker_lines: "",
            sections: "",
            min_free: "1 MiB",
            settle_secs: 0,
            environment: Vec::new(),
        }
    }
}

impl Daemon {
    /// Starts a daemon that watches `drop/` with a workflow and these lines added to the root's configuration.
    ///
    /// # Panics
    /// It does not start.
    #[must_use]
    pub fn start(workflow: &Path, root_lines: &str) -> Self {
        Self::start_with(&Start {
            root_lines,
            ..Start::new(&workflow.display().to_string())
        })
    }

    /// Starts a daemon of its own kind.
    ///
    /// # Panics
    /// It does not start.
    #[must_use]
    pub fn start_with(start: &Start<'_>) -> Self {
        let mut daemon = Self::prepared(start);
        daemon.launch();
        daemon
    }

    /// The log of a daemon that refuses to start.
    ///
    /// # Panics
    /// It starts, or cannot be started at all.
    #[must_use]
    pub fn refused(start: &Start<'_>) -> String {
        let mut daemon = Self::prepared(start);
        daemon.spawn();
        daemon.wait_for_end("the daemon refuses to start");
        daemon.log()
    }

    fn wait_for_end(&mut self, what: &str) {
        let begin = Instant::now();
        while let Some(Ok(None)) = self.child.as_mut().map(Child::try_wait) {
            assert!(
                begin.elapsed() < PATIENCE,
                "waited in vain until {what}\n{}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// A daemon with its folders and its configuration, not started yet.
    ///
    /// # Panics
    /// They cannot be made.
    #[must_use]
    pub fn prepared(start: &Start<'_>) -> Self {
        let Ok(folder) = tempfile::tempdir() else {
            panic!("no temporary folder")
        };
        let daemon = Self {
            folder,
            child: None,
            environment: start.environment.clone(),
        };
        let path = |name: &str| daemon.folder.path().join(name).display().to_string();
        for name in ["drop", "results", "state"] {
            assert!(
                std::fs::create_dir(daemon.folder.path().join(name)).is_ok(),
                "cannot make {name}"
            );
        }
        let workflow = if start.workflow.contains('\n') {
            let file = daemon.folder.path().join("workflow.toml");
            assert!(
                std::fs::write(&file, start.workflow).is_ok(),
                "cannot write the workflow"
            );
            file.display().to_string()
        } else {
            start.workflow.to_owned()
        };
        let text = format!(
            "[state]\ndir = {:?}\nmin_free = {:?}\n[server]\nlisten = \"127.0.0.1:0\"\n[workers]\ncount = 2\ngrace_secs = 5\n{}\n[[root]]\npath = {:?}\noutput = {:?}\nworkflow = {:?}\nsettle_secs = {}\n{}\n{}\n",
            path("state"),
            start.min_free,
            start.worker_lines,
            path("drop"),
            path("results"),
            workflow,
            start.settle_secs,
            start.root_lines,
            start.sections,
        );
        assert!(
            std::fs::write(daemon.config(), text).is_ok(),
            "cannot write the configuration"
        );
        daemon
    }

    /// Starts the process again after a kill.
    ///
    /// # Panics
    /// It does not start.
    pub fn launch(&mut self) {
        self.spawn();
        self.wait("the daemon answers", || self.try_get("/livez").is_some());
    }

    fn spawn(&mut self) {
        let _ = std::fs::remove_file(self.folder.path().join("state/address"));
        let Ok(log) = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.folder.path().join("daemon.log"))
        else {
            panic!("no log file")
        };
        let child = Command::new(wellspring())
            .args(["serve", "--config"])
            .arg(self.config())
            .envs(self.environment.iter().map(|(key, value)| (key, value)))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        match child {
            Ok(child) => self.child = Some(child),
            Err(error) => panic!("the daemon cannot be started: {error}"),
        }
    }

    /// Sends a signal by name.
    pub fn signal(&self, name: &str) {
        if let Some(child) = &self.child {
            let _ = Command::new("kill")
                .args([&format!("-{name}"), &child.id().to_string()])
                .status();
        }
    }

    /// SIGKILL to the daemon; its workers die with it.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// SIGTERM, and whether it then ended well.
    pub fn terminate(&mut self) -> bool {
        let Some(mut child) = self.child.take() else {
            return false;
        };
        let id = child.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &id]).status();
        child.wait().is_ok_and(|status| status.success())
    }

    /// Its process id, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Runs the program as a client of this daemon.
    pub fn client<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Output {
        let first = [OsString::from("--config"), self.config().into()];
        let rest = arguments.into_iter().map(|a| a.as_ref().to_owned());
        run(first.into_iter().chain(rest))
    }

    /// The configuration file.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.folder.path().join("wellspring.toml")
    }

    /// A folder of this daemon: `drop`, `results` or `state`.
    #[must_use]
    pub fn folder(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Moves a folder into `drop/` that `fill` makes elsewhere: all its files are there at once. Of one that is filled in place a
    /// rule of quiet could take a part for the whole, if the test is kept waiting in between.
    ///
    /// # Panics
    /// It cannot be moved.
    pub fn move_in(&self, name: &str, fill: impl FnOnce(&Path)) {
        let aside = self.folder("to-be-moved-in");
        fill(&aside);
        let moved = std::fs::rename(&aside, self.folder("drop").join(name));
        assert!(moved.is_ok(), "cannot move {name} in: {moved:?}");
    }

    /// What the daemon logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("daemon.log")).unwrap_or_default()
    }

    fn url(&self, path: &str) -> Option<String> {
        let address = std::fs::read_to_string(self.folder.path().join("state/address")).ok()?;
        Some(format!("{}{path}", address.trim()))
    }

    /// Text of a page or answer, if the daemon answers with success.
    #[must_use]
    pub fn try_get(&self, path: &str) -> Option<String> {
        ureq::get(&self.url(path)?)
            .call()
            .ok()?
            .body_mut()
            .read_to_string()
            .ok()
    }

    /// Status and text of an answer, whatever it is.
    ///
    /// # Panics
    /// The daemon does not answer.
    #[must_use]
    pub fn answer(&self, path: &str) -> (u16, String) {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build();
        let answer = ureq::Agent::new_with_config(config)
            .get(self.url(path).unwrap_or_default())
            .call();
        match answer {
            Ok(mut answer) => (
                answer.status().as_u16(),
                answer.body_mut().read_to_string().unwrap_or_default(),
            ),
            Err(error) => panic!("GET {path}: {error}\n{}", self.log()),
        }
    }

    /// Status and text of any answer, asked with a token or without.
    #[must_use]
    pub fn ask(&self, path: &str, token: Option<&str>) -> (u16, String) {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .build();
        let agent = ureq::Agent::new_with_config(config);
        let mut request = agent.get(self.url(path).unwrap_or_default());
        if let Some(token) = token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        request.call().map_or_else(
            |error| (0, error.to_string()),
            |mut answer| {
                let text = answer.body_mut().read_to_string().unwrap_or_default();
                (answer.status().as_u16(), text)
            },
        )
    }

    /// JSON of an answer.
    ///
    /// # Panics
    /// There is none.
    #[must_use]
    pub fn get(&self, path: &str) -> Value {
        let text = self
            .try_get(path)
            .unwrap_or_else(|| panic!("GET {path} failed\n{}", self.log()));
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("GET {path}: {e}: {text}"))
    }

    /// All events of a kind so far, oldest first.
    ///
    /// # Panics
    /// The daemon does not answer.
    #[must_use]
    pub fn events(&self, kind: &str) -> Vec<Value> {
        let mut found = Vec::new();
        let mut after = 0;
        loop {
            let url = self.url(&format!("/api/v1/events?after={after}&limit=1000"));
            let answer = ureq::get(&url.unwrap_or_default())
                .header("Accept", "application/json")
                .call();
            let page: Value = match answer {
                Ok(mut answer) => answer.body_mut().read_json().unwrap_or_default(),
                Err(error) => panic!("GET events: {error}\n{}", self.log()),
            };
            let items = page["items"].as_array().cloned().unwrap_or_default();
            found.extend(items.into_iter().filter(|event| event["kind"] == kind));
            match page["next"].as_i64() {
                Some(next) => after = next,
                None => return found,
            }
        }
    }

    /// Has the first root listed.
    ///
    /// # Panics
    /// It is refused.
    pub fn rescan(&self) {
        let (status, _) = self.post("/api/v1/roots/1/rescan", &Value::Null);
        assert_eq!(status, 202, "a rescan is accepted");
    }

    /// Posts JSON as a client does; the answer's status and JSON.
    ///
    /// # Panics
    /// The daemon does not answer.
    pub fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let url = self.url(path).unwrap_or_default();
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build();
        let answer = ureq::Agent::new_with_config(config)
            .post(&url)
            .header("X-Wellspring", "1")
            .send_json(body);
        match answer {
            Ok(mut answer) => (
                answer.status().as_u16(),
                answer.body_mut().read_json().unwrap_or(Value::Null),
            ),
            Err(error) => panic!("POST {path}: {error}\n{}", self.log()),
        }
    }

    /// Waits for a condition.
    ///
    /// # Panics
    /// It does not come true; the daemon's log is in the message.
    pub fn wait(&self, what: &str, condition: impl FnMut() -> bool) {
        self.wait_long(what, PATIENCE, condition);
    }

    /// Waits for a condition that may take its time.
    ///
    /// # Panics
    /// It does not come true; the daemon's log is in the message.
    pub fn wait_long(&self, what: &str, patience: Duration, mut condition: impl FnMut() -> bool) {
        let begin = Instant::now();
        while !condition() {
            assert!(
                begin.elapsed() < patience,
                "waited in vain until {what}\n{}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until there are `plates` plates, and all are in `state`.
    ///
    /// # Panics
    /// They do not get there.
    pub fn wait_for_plates(&self, plates: usize, state: &str) {
        self.wait(&format!("{plates} plate(s) are {state}"), || {
            let Some(text) = self.try_get("/api/v1/plates") else {
                return false;
            };
            let page: Value = serde_json::from_str(&text).unwrap_or_default();
            page["items"].as_array().is_some_and(|items| {
                items.len() == plates && items.iter().all(|p| p["state"] == state)
            })
        });
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("the daemon's log:\n{}", self.log());
        }
    }
}

/// A limit of the kernel, put back when dropped.
pub struct TestLimit {
    file: &'static str,
    before: String,
}

impl TestLimit {
    /// Sets a limit; `None` where that is not allowed.
    #[must_use]
    pub fn lower(file: &'static str, value: &str) -> Option<Self> {
        let before = std::fs::read_to_string(file).ok()?;
        std::fs::write(file, value).ok()?;
        Some(Self { file, before })
    }
}

impl Drop for TestLimit {
    fn drop(&mut self) {
        let _ = std::fs::write(self.file, &self.before);
    }
}

/// The largest resident size that a process has had, in bytes.
#[must_use]
pub fn peak_memory(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let kib = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

/// A workflow of `config/examples/workflows`.
#[must_use]
pub fn example_workflow(name: &str) -> PathBuf {
    repository().join("config/examples/workflows").join(name)
}
