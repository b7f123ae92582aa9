//! What the end of a program means for the task.

use std::path::Path;

use super::guard::Order;
use super::process::{Ended, How};
use super::{Command, log};
use crate::error::{Failure, FailureClass};

/// Whether the program succeeded.
pub(super) fn judge(
    command: &Command,
    order: &Order,
    ended: &Ended,
    scratch: &Path,
) -> Result<(), Failure> {
    let program = order
        .program
        .file_name()
        .unwrap_or(order.program.as_os_str())
        .display();
    let (class, what) = match &ended.how {
        How::Exited(code) if command.success.contains(code) => return Ok(()),
        How::Exited(code) => (
            if command.retry.contains(code) {
                FailureClass::Transient
            } else {
                FailureClass::Permanent
            },
            format!("`{program}` ended with exit code {code}"),
        ),
        How::Killed(signal) => (
            FailureClass::Transient,
            format!("`{program}` was ended by {}", describe_signal(*signal)),
        ),
        How::Lost => (
            FailureClass::Transient,
            format!("`{program}` was ended together with its guard"),
        ),
        How::NotStarted { code, message } => {
            return Err(not_started(&order.program, *code, message));
        }
    };
    let reason = log::reason(&ended.tail).map_or_else(String::new, |line| format!(": {line}"));
    if log::says_disk_full(&ended.tail) {
        return Err(Failure {
            class: FailureClass::Environment,
            ..Failure::permanent(
                "scratch-full",
                format!("{what}{reason}"),
                format!(
                    "free some space in `{}` or choose another folder with `scratch` in [workers]; work resumes by itself",
                    scratch.display()
                ),
            )
        });
    }
    Err(Failure {
        class,
        ..Failure::permanent(
            "program-failed",
            format!("{what}{reason}"),
            "read the log of the attempt (`wellspring tasks log ID`), correct the cause, then requeue",
        )
    })
}

fn describe_signal(signal: i32) -> String {
    match signal {
        4 => "SIGILL: it was built for another processor".to_owned(),
        6 => "SIGABRT: it gave up".to_owned(),
        9 => "SIGKILL, often the kernel's out-of-memory killer".to_owned(),
        11 => "SIGSEGV: it crashed".to_owned(),
        15 => "SIGTERM".to_owned(),
        other => format!("signal {other}"),
    }
}

/// A program that is there but cannot run.
fn not_started(program: &Path, code: Option<i32>, message: &str) -> Failure {
    use rustix::io::Errno;
    let errno = code.map(Errno::from_raw_os_error);
    let why = match errno {
        Some(Errno::NOEXEC) => "it is no program for this machine",
        Some(Errno::NOENT) => {
            "the interpreter in its first line, or the loader that it needs, is missing"
        }
        Some(Errno::ACCESS) => {
            "it may not be executed: its mode, or its file system is mounted without that right"
        }
        Some(Errno::TOOBIG) => "its arguments or variables are too long",
        _ => message,
    };
    let class = match errno {
        Some(Errno::AGAIN | Errno::NOMEM | Errno::NFILE | Errno::MFILE) => {
            FailureClass::Environment
        }
        _ => FailureClass::Permanent,
    };
    Failure {
        class,
        ..Failure::permanent(
            "no-program",
            format!("`{}` cannot be started: {why}", program.display()),
            "correct the program or `program` in the workflow, then requeue",
        )
    }
}
