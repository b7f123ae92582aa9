//! The daemon's side: starts a worker in its own process group, talks to it, and ends it.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use gpu_worker::Tally;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use workflow::pass::{PassReport, PassRequest};

use crate::log::Log;
use crate::messages::Messages;
use crate::protocol::{FromWorker, ToWorker};
use crate::stderr::Stderr;

/// How a worker is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpawnOptions {
    /// The program, normally this very binary.
    pub program: PathBuf,
    /// Its arguments, normally `["worker"]`.
    pub arguments: Vec<String>,
}

/// What one pass may use before its worker is killed.
#[derive(Clone, Debug)]
pub struct PassLimits {
    /// Wall-clock time of a job that `times` does not name.
    pub time: Duration,
    /// Wall-clock time of single jobs, by id.
    pub times: HashMap<String, Duration>,
    /// Resident size in bytes.
    pub memory: Option<u64>,
}

impl PassLimits {
    fn time_of(&self, job: &str) -> Duration {
        self.times.get(job).copied().unwrap_or(self.time)
    }
}

/// Why there is no worker to talk to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkerError {
    /// The program could not be started.
    #[error("cannot start worker `{}`: {source}", program.display())]
    Spawn {
        /// The program.
        program: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// It started, but did not say that it is ready.
    #[error("worker did not become ready: {0}")]
    NotReady(String),
}

/// How a pass ended, as the daemon sees it.
#[derive(Debug)]
pub enum PassEnd {
    /// The worker reported.
    Done {
        /// Outcome of each job.
        report: Box<PassReport>,
        /// Largest resident size of the worker during the pass, in bytes.
        peak_rss: u64,
        /// What a GPU did for the pass.
        gpu: Tally,
    },
    /// The worker refused the message.
    Refused(String),
    /// The worker died.
    Died(String),
    /// The wall-clock limit passed; the worker was killed.
    TimedOut(Duration),
    /// The memory limit was passed; the worker was killed.
    OverMemory(u64),
    /// The caller cancelled; the worker was killed.
    Cancelled,
}

/// Looks at what a worker writes, while it writes.
#[derive(Clone, Debug, Default)]
pub struct LogView(Arc<Mutex<Log>>);

impl LogView {
    /// What there is now, as [`WorkerProcess::take_log`] would give it. It stays there.
    #[must_use]
    pub fn text(&self) -> String {
        let log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Copied first, so that the worker's pipe does not wait for the text to be made.
        let copy = log.clone();
        drop(log);
        copy.text()
    }
}

/// A running worker.
pub struct WorkerProcess {
    started_as: SpawnOptions,
    child: Child,
    stdin: ChildStdin,
    stdout: Messages<BufReader<ChildStdout>>,
    stderr: Stderr,
    known_workflows: HashSet<String>,
}

impl WorkerProcess {
    /// How it was started.
    #[must_use]
    pub fn started_as(&self) -> &SpawnOptions {
        &self.started_as
    }

    /// Starts a worker and waits until it is ready.
    ///
    /// # Errors
    /// The program cannot be started, or is of another version.
    pub async fn spawn(options: &SpawnOptions) -> Result<Self, WorkerError> {
        let mut command = Command::new(&options.program);
        command
            .args(&options.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        die_with_parent(&mut command);
        let mut child = command.spawn().map_err(|source| WorkerError::Spawn {
            program: options.program.clone(),
            source,
        })?;
        let (Some(stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(WorkerError::NotReady("its pipes are missing".to_owned()));
        };
        let stderr = Stderr::collect(stderr).map_err(|error| {
            WorkerError::NotReady(format!("its stderr cannot be read: {error}"))
        })?;
        let mut worker = Self {
            started_as: options.clone(),
            child,
            stdin,
            stdout: Messages::new(BufReader::new(stdout)),
            stderr,
            known_workflows: HashSet::new(),
        };
        match tokio::time::timeout(Duration::from_secs(30), worker.receive()).await {
            Ok(Ok(FromWorker::Ready { version })) if version == env!("CARGO_PKG_VERSION") => {
                Ok(worker)
            }
            Ok(Ok(other)) => Err(WorkerError::NotReady(format!(
                "unexpected answer {other:?}"
            ))),
            Ok(Err(reason)) => Err(WorkerError::NotReady(format!(
                "{reason}; {}",
                worker.take_log()
            ))),
            Err(_) => Err(WorkerError::NotReady("no answer within 30 s".to_owned())),
        }
    }

    /// Process id, which is also the process group's.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Whether it has died since its last pass: nobody is to blame for that.
    #[must_use]
    pub fn has_died(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Runs one pass. `started` is told each job as it starts. After any end but `Done` and `Refused` the worker is dead.
    pub async fn run(
        &mut self,
        workflow: (&str, &config::WorkflowFile),
        request: PassRequest,
        threads: usize,
        limits: &PassLimits,
        cancelled: impl Future<Output = ()>,
        mut started: impl FnMut(&str),
    ) -> PassEnd {
        let (mut begin, mut time_limit) = (Instant::now(), limits.time_of(""));
        if !self.known_workflows.contains(workflow.0) {
            let message = ToWorker::Workflow {
                id: workflow.0.to_owned(),
                file: Box::new(workflow.1.clone()),
            };
            if let Err(error) = self.send(&message).await {
                return self.died(&error).await;
            }
            self.known_workflows.insert(workflow.0.to_owned());
        }
        if let Err(error) = self
            .send(&ToWorker::Pass {
                workflow: workflow.0.to_owned(),
                threads,
                request: Box::new(request),
            })
            .await
        {
            return self.died(&error).await;
        }
        tokio::pin!(cancelled);
        let mut tick = tokio::time::interval(Duration::from_millis(500));
        loop {
            tokio::select! {
                biased;
                message = self.stdout.next_line() => match message {
                    Ok(Some(line)) => match serde_json::from_str(&line) {
                        Ok(FromWorker::Started { job }) => {
                            // Each job has its own time; the last one's covers publishing too.
                            (begin, time_limit) = (Instant::now(), limits.time_of(&job));
                            started(&job);
                        }
                        Ok(FromWorker::Done { report, peak_rss, gpu }) => return PassEnd::Done { report, peak_rss, gpu },
                        Ok(FromWorker::Refused { reason }) => return PassEnd::Refused(reason),
                        Ok(FromWorker::Ready { .. }) => {}
                        Err(error) => return self.died(&format!("it wrote something that is no message: {error}")).await,
                    },
                    Ok(None) => return self.died("").await,
                    Err(error) => return self.died(&error.to_string()).await,
                },
                () = &mut cancelled => {
                    self.kill().await;
                    return PassEnd::Cancelled;
                }
                _ = tick.tick() => {
                    if begin.elapsed() > time_limit {
                        self.kill().await;
                        return PassEnd::TimedOut(time_limit);
                    }
                    if let (Some(limit), Some(used)) = (limits.memory, self.resident())
                        && used > limit
                    {
                        self.kill().await;
                        return PassEnd::OverMemory(used);
                    }
                }
            }
        }
    }

    /// What the worker and the programs that it started wrote to stderr since the last call: at most the first 16 and the last
    /// 48 KiB.
    #[must_use]
    pub fn take_log(&self) -> String {
        self.stderr.take().text()
    }

    /// The same, but it stays there.
    #[must_use]
    pub fn look_at_log(&self) -> String {
        self.stderr.look().text()
    }

    /// A way to look at its log while it runs.
    #[must_use]
    pub fn log_view(&self) -> LogView {
        LogView(self.stderr.log())
    }

    /// Kills the worker and everything that it started.
    pub async fn kill(&mut self) {
        if let Some(group) = self
            .child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(rustix::process::Pid::from_raw)
        {
            // Fails only where the group is gone already.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _ = self.child.wait().await;
    }

    async fn send(&mut self, message: &ToWorker) -> Result<(), String> {
        let mut line = serde_json::to_vec(message).map_err(|e| e.to_string())?;
        line.push(b'\n');
        self.stdin
            .write_all(&line)
            .await
            .map_err(|e| e.to_string())?;
        self.stdin.flush().await.map_err(|e| e.to_string())
    }

    async fn receive(&mut self) -> Result<FromWorker, String> {
        let line = self.stdout.next_line().await.map_err(|e| e.to_string())?;
        let line = line.ok_or_else(|| "it ended at once".to_owned())?;
        serde_json::from_str(&line)
            .map_err(|e| format!("it wrote something that is no message: {e}"))
    }

    async fn died(&mut self, detail: &str) -> PassEnd {
        // Give a dying process a moment to be reaped; then make sure.
        let status = match tokio::time::timeout(Duration::from_secs(2), self.child.wait()).await {
            Ok(status) => status.ok(),
            Err(_) => {
                self.kill().await;
                None
            }
        };
        let mut text = status.map_or_else(|| "worker stopped answering".to_owned(), describe);
        if !detail.is_empty() {
            text = format!("{text}: {detail}");
        }
        PassEnd::Died(text)
    }

    fn resident(&self) -> Option<u64> {
        Some(resident_with_children(self.child.id()?))
    }
}

/// Resident size in bytes of a process and of all that it started; 0 for one that is gone.
fn resident_with_children(id: u32) -> u64 {
    let own = || {
        let statm = std::fs::read_to_string(format!("/proc/{id}/statm")).ok()?;
        let pages: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
        Some(pages * rustix::param::page_size() as u64)
    };
    let children = std::fs::read_dir(format!("/proc/{id}/task"))
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    let of_children: u64 = children
        .flat_map(|list| {
            let ids: Vec<u32> = list
                .split_whitespace()
                .filter_map(|id| id.parse().ok())
                .collect();
            ids
        })
        .map(resident_with_children)
        .sum();
    own().unwrap_or(0) + of_children
}

fn describe(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.signal(), status.code()) {
        (Some(9), _) => {
            "worker was killed (SIGKILL; often the kernel's out-of-memory killer)".to_owned()
        }
        (Some(11), _) => "worker crashed (SIGSEGV)".to_owned(),
        (Some(6), _) => "worker aborted (SIGABRT)".to_owned(),
        (Some(signal), _) => format!("worker was ended by signal {signal}"),
        (None, Some(code)) => format!("worker exited with status {code}"),
        (None, None) => "worker ended".to_owned(),
    }
}

/// A worker must not outlive the daemon: it would publish results that nobody commits.
#[allow(unsafe_code)]
fn die_with_parent(command: &mut Command) {
    // SAFETY: prctl with PR_SET_PDEATHSIG is async-signal-safe and touches only the child.
    unsafe {
        command.pre_exec(|| {
            if libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) == 0 {
                Ok(())
            } else {
                Err(std::io::Error::last_os_error())
            }
        });
    }
}
