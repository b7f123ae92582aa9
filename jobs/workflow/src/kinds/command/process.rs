//! Starting a program behind a guard, and how it ended.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError, mpsc};
use std::time::Duration;

use faults::Point;

use super::guard::{News, Order};
use super::log;
use crate::error::{Failure, FailureClass};

/// How long the rest of what was written may take to arrive.
const LAST_WORDS: Duration = Duration::from_secs(5);

static GUARD: OnceLock<(PathBuf, Vec<String>)> = OnceLock::new();

/// Names the program that acts as guard ([`super::guard()`]) and its arguments; by default this process's own program with the
/// argument `guard`. Only the first call counts. For programs that are not `wellspring`, such as tests.
pub fn guard_with(program: PathBuf, arguments: Vec<String>) {
    let _ = GUARD.set((program, arguments));
}

/// Ends all programs of a job at once.
#[derive(Debug, Default)]
pub(super) struct Stop(Mutex<Stopping>);

#[derive(Debug, Default)]
struct Stopping {
    stopped: bool,
    started: u64,
    running: HashMap<u64, UnixStream>,
}

impl Stop {
    /// Ends what runs, and what would be started later.
    pub fn stop(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.stopped = true;
        for (_, control) in state.running.drain() {
            // To the guard this looks as if the worker had died.
            let _ = control.shutdown(Shutdown::Both);
        }
    }

    pub fn is_stopped(&self) -> bool {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .stopped
    }

    /// Remembers how to end a program, until [`Self::forget`].
    fn register(&self, control: &UnixStream) -> std::io::Result<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.stopped {
            control.shutdown(Shutdown::Both)?;
        }
        state.started += 1;
        let number = state.started;
        state.running.insert(number, control.try_clone()?);
        Ok(number)
    }

    fn forget(&self, number: u64) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.running.remove(&number);
    }
}

/// How a program ended, with the end of what it wrote.
#[derive(Debug)]
pub(super) struct Ended {
    pub how: How,
    pub tail: Vec<u8>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum How {
    Exited(i32),
    Killed(i32),
    NotStarted {
        code: Option<i32>,
        message: String,
    },
    /// Its guard was killed, or it was stopped.
    Lost,
}

/// Runs a program to its end.
///
/// # Errors
/// No process can be started at all.
pub(super) fn run(order: &Order, stop: &Stop) -> Result<Ended, Failure> {
    let no_process = |source: std::io::Error| Failure {
        class: FailureClass::Environment,
        ..Failure::permanent(
            "no-process",
            format!(
                "no process can be started for `{}`: {source}",
                order.program.display()
            ),
            "check the memory and process limits of the service; work resumes by itself",
        )
    };
    let (control, of_guard) = UnixStream::pair().map_err(no_process)?;
    let (output, writer) = std::io::pipe().map_err(no_process)?;
    let own = || (PathBuf::from("/proc/self/exe"), vec!["guard".to_owned()]);
    let (program, arguments) = GUARD.get_or_init(own);
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .stdin(OwnedFd::from(of_guard))
        .stdout(writer.try_clone().map_err(no_process)?)
        .stderr(Stdio::from(writer))
        // Not in the worker's group: it must survive the worker's end to clean up.
        .process_group(0);
    let mut guard = command.spawn().map_err(no_process)?;
    // It holds our copies of the guard's ends of socket and pipe.
    drop(command);
    let (send, end) = mpsc::channel();
    // Standard error is the attempt's log.
    std::thread::spawn(move || send.send(log::follow(output, std::io::stderr())));
    let how = talk(order, control, stop);
    // With the guard everything is gone that could still write, unless the guard itself was killed.
    let tail = end.recv_timeout(LAST_WORDS).unwrap_or_default();
    let _ = guard.wait();
    Ok(Ended { how, tail })
}

/// Gives the order and hears what becomes of it.
fn talk(order: &Order, mut control: UnixStream, stop: &Stop) -> How {
    let Ok(number) = stop.register(&control) else {
        return How::Lost;
    };
    let sent = serde_json::to_vec(order)
        .map_err(std::io::Error::other)
        .and_then(|mut line| {
            line.push(b'\n');
            control.write_all(&line)
        });
    let how = if sent.is_ok() {
        hear(control)
    } else {
        How::Lost
    };
    stop.forget(number);
    how
}

fn hear(control: UnixStream) -> How {
    for line in BufReader::new(control).lines() {
        let news = line.ok().and_then(|line| serde_json::from_str(&line).ok());
        match news {
            Some(News::Started) => faults::point(Point::ProgramRunning),
            Some(News::NotStarted { code, message }) => return How::NotStarted { code, message },
            Some(News::Exited { code }) => return How::Exited(code),
            Some(News::Killed { signal }) => return How::Killed(signal),
            None => return How::Lost,
        }
    }
    How::Lost
}
