//! A process that reads containers.

use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::wire::Head;
use crate::{Answer, Question, Refusal};

/// Longest first line of an answer.
const LONGEST_HEAD: u64 = 1 << 16;
/// Largest answer.
const LARGEST: usize = 256 << 20;

/// How a process that reads containers is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpawnOptions {
    /// The program, normally this very binary.
    pub program: PathBuf,
    /// Its arguments, normally `["render"]`.
    pub arguments: Vec<String>,
    /// Longest time for one answer.
    pub patience: Duration,
}

/// A process that reads containers, between two questions.
#[derive(Debug)]
pub(crate) struct Process {
    /// Killed when this is dropped.
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    /// When it last answered.
    pub used: Instant,
}

impl Process {
    pub fn spawn(options: &SpawnOptions) -> io::Result<Self> {
        let mut command = Command::new(&options.program);
        command
            .args(&options.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        confine(&mut command);
        let mut child = command.spawn()?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("its pipes are missing"));
        };
        Ok(Self {
            child,
            stdin,
            stdout: BufReader::with_capacity(1 << 16, stdout),
            used: Instant::now(),
        })
    }

    /// Asks. After an error of this function the process is of no more use.
    pub async fn ask(&mut self, question: &Question) -> io::Result<Result<Answer, Refusal>> {
        let mut line = serde_json::to_vec(question)?;
        line.push(b'\n');
        match self.stdin.write_all(&line).await {
            // One that has ended already: how is told below.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            put => put?,
        }
        self.stdin.flush().await?;
        let mut head = Vec::new();
        (&mut self.stdout)
            .take(LONGEST_HEAD)
            .read_until(b'\n', &mut head)
            .await?;
        if head.is_empty() {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                self.end().await,
            ));
        }
        let answer = match serde_json::from_slice(&head)? {
            Head::Refused(refusal) => Err(refusal),
            Head::Content { kind, length, meta } => {
                if length > LARGEST {
                    return Err(io::Error::other(format!("its answer has {length} bytes")));
                }
                let mut bytes = vec![0; length];
                self.stdout.read_exact(&mut bytes).await?;
                Ok(Answer { kind, bytes, meta })
            }
        };
        self.used = Instant::now();
        Ok(answer)
    }

    /// How it ended, in words.
    async fn end(&mut self) -> String {
        match self.child.wait().await {
            Ok(status) => format!("the process that reads containers ended ({status})"),
            Err(error) => error.to_string(),
        }
    }
}

/// Most memory of a process, in bytes: what a damaged file makes it ask for must not take the machine's.
const MOST_MEMORY: u64 = 4 << 30;

/// It must not outlive the daemon, nor take all memory.
#[allow(unsafe_code)]
fn confine(command: &mut Command) {
    // SAFETY: prctl and setrlimit are async-signal-safe and touch only the child.
    unsafe {
        command.pre_exec(|| {
            if libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) != 0 {
                return Err(io::Error::last_os_error());
            }
            let limit = libc::rlimit {
                rlim_cur: MOST_MEMORY,
                rlim_max: MOST_MEMORY,
            };
            match libc::setrlimit(libc::RLIMIT_AS, &raw const limit) {
                0 => Ok(()),
                _ => Err(io::Error::last_os_error()),
            }
        });
    }
}
