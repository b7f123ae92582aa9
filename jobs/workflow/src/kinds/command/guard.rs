//! The process between a worker and another program. Nothing that the program starts outlives it or the worker, however it
//! tries: when the program has ended, and when the worker is gone in whatever way, the guard kills all that is left. If the
//! guard itself is killed, the program is, too.
//!
//! It is a process of its own, because a worker may be killed at any moment, and a small one, because the memory of a fork
//! of the worker would be counted twice. The program itself runs in the worker's process group.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, WaitOptions, WaitStatus, getpid, getppid, kill_process, set_child_subreaper,
    set_parent_process_death_signal, wait,
};
use serde::{Deserialize, Serialize};

/// Between two looks at processes that are dying.
const PAUSE: Duration = Duration::from_millis(2);

/// What is to be started.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Order {
    #[serde(with = "plate::portable")]
    pub program: PathBuf,
    #[serde(with = "plate::portable::list")]
    pub arguments: Vec<PathBuf>,
    pub variables: Vec<String>,
    #[serde(with = "plate::portable::list")]
    pub values: Vec<PathBuf>,
    #[serde(with = "plate::portable")]
    pub directory: PathBuf,
    /// The worker's process group.
    pub group: i32,
}

/// What the worker is told.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum News {
    /// The program runs.
    Started,
    /// It did not start, for this reason of the system.
    NotStarted { code: Option<i32>, message: String },
    /// It has ended with this code, and all that it started is gone.
    Exited { code: i32 },
    /// It was ended by this signal.
    Killed { signal: i32 },
}

/// Reads an order from its standard input, a socket to the worker, runs the program and answers there. For `wellspring guard`.
#[must_use]
pub fn guard() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        // The worker is gone, and so is the program.
        Err(_) => ExitCode::FAILURE,
    }
}

fn serve() -> io::Result<()> {
    // Orphans come to this process, so that it knows them.
    set_child_subreaper(Some(getpid()))?;
    let mut control = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let mut lines = BufReader::new(control.try_clone()?);
    let mut order = String::new();
    lines.read_line(&mut order)?;
    let order: Order = serde_json::from_str(&order)?;
    let mut command = Command::new(&order.program);
    command
        .args(&order.arguments)
        .env_clear()
        .envs(order.variables.iter().zip(&order.values))
        .current_dir(&order.directory)
        .stdin(Stdio::null())
        .process_group(order.group);
    die_with_parent(&mut command);
    let child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            let (code, message) = (error.raw_os_error(), error.to_string());
            return tell(&mut control, &News::NotStarted { code, message });
        }
    };
    let told = tell(&mut control, &News::Started);
    std::thread::spawn(move || {
        let mut nothing = [0_u8; 16];
        // Ends when the worker closes its end, which its death does too.
        while matches!(lines.read(&mut nothing), Ok(n) if n > 0) {}
        // Again and again until this process ends: the program may be starting others at this moment.
        loop {
            kill_children();
            std::thread::sleep(PAUSE);
        }
    });
    if told.is_err() {
        kill_children();
    }
    let main = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let status = loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((pid, how))) if Some(pid) == main => break Some(how),
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => break None,
        }
    };
    // What the program left behind are children of this process by now.
    loop {
        kill_children();
        match wait(WaitOptions::NOHANG) {
            Ok(Some(_)) | Err(Errno::INTR) => {}
            Ok(None) => std::thread::sleep(PAUSE),
            // No child is left.
            Err(_) => break,
        }
    }
    tell(&mut control, &ended(status))
}

fn ended(status: Option<WaitStatus>) -> News {
    let code = status.and_then(WaitStatus::exit_status);
    let signal = status.and_then(WaitStatus::terminating_signal);
    match (code, signal) {
        (Some(code), _) => News::Exited { code },
        (None, signal) => News::Killed {
            signal: signal.unwrap_or(0),
        },
    }
}

fn tell(control: &mut UnixStream, news: &News) -> io::Result<()> {
    let mut line = serde_json::to_vec(news)?;
    line.push(b'\n');
    control.write_all(&line)
}

/// Kills all children of this process. Theirs become its own.
fn kill_children() {
    let threads = std::fs::read_dir("/proc/self/task");
    for thread in threads.into_iter().flatten().flatten() {
        let list = std::fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        for pid in list
            .split_whitespace()
            .filter_map(|pid| Pid::from_raw(pid.parse().ok()?))
        {
            // Fails only where it is gone already.
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

/// The program goes too if this process is killed.
#[allow(unsafe_code)]
fn die_with_parent(command: &mut Command) {
    let parent = Some(getpid());
    // SAFETY: two system calls, which are async-signal-safe and touch only the child.
    unsafe {
        command.pre_exec(move || {
            set_parent_process_death_signal(Some(Signal::KILL))?;
            // It was killed before: no signal will come.
            if getppid() != parent {
                return Err(Errno::SRCH.into());
            }
            Ok(())
        });
    }
}
