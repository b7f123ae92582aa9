//! A worker's stderr: read as it comes, and to its end when the log is taken.
//!
//! A worker writes its last lines before it reports, but the report comes through another pipe and may be read first. Whoever
//! takes the log then reads what is in the pipe itself, instead of hoping that the task that collects it was quick enough.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::io::Errno;
use tokio::net::unix::pipe;
use tokio::process::ChildStderr;

use crate::log::Log;

/// Reads of 4 KiB that empty a pipe, and some more.
const READS: usize = 64;

/// The reading end of a worker's stderr, and what was read.
#[derive(Debug)]
pub(crate) struct Stderr {
    pipe: Arc<pipe::Receiver>,
    log: Arc<Mutex<Log>>,
}

impl Stderr {
    /// Reads from now on.
    pub fn collect(stderr: ChildStderr) -> io::Result<Self> {
        let pipe = Arc::new(pipe::Receiver::from_owned_fd(stderr.into_owned_fd()?)?);
        let log = Arc::<Mutex<Log>>::default();
        tokio::spawn(collect(Arc::clone(&pipe), Arc::clone(&log)));
        Ok(Self { pipe, log })
    }

    /// The log so far, which goes on to grow.
    pub fn log(&self) -> Arc<Mutex<Log>> {
        Arc::clone(&self.log)
    }

    /// All that was written since it was last taken, and takes it.
    pub fn take(&self) -> Log {
        std::mem::take(&mut *self.read())
    }

    /// All that was written since it was last taken. It stays there.
    pub fn look(&self) -> Log {
        self.read().clone()
    }

    /// Reads to the end of what was written before this call. A pipe holds 64 KiB: whoever goes on to write is not followed.
    fn read(&self) -> MutexGuard<'_, Log> {
        // The lock keeps what is read in order.
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let mut buffer = [0_u8; 4096];
        for _ in 0..READS {
            // Not through tokio, which may not know yet that there is something.
            match rustix::io::read(&*self.pipe, &mut buffer) {
                Ok(n @ 1..) => log.add(&buffer[..n]),
                Err(Errno::INTR) => {}
                Ok(0) | Err(_) => break,
            }
        }
        log
    }
}

async fn collect(pipe: Arc<pipe::Receiver>, log: Arc<Mutex<Log>>) {
    let mut buffer = [0_u8; 4096];
    while pipe.readable().await.is_ok() {
        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
        match pipe.try_read(&mut buffer) {
            Ok(n @ 1..) => log.add(&buffer[..n]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Ok(0) | Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::process::Stdio;

    use tokio::io::AsyncReadExt;
    use tokio::process::Command;

    use super::*;

    /// Whether or not the task that collects was quick enough.
    #[tokio::test]
    async fn what_was_written_before_the_report_is_in_the_log() {
        let mut child = Command::new("/bin/sh")
            .args([
                "-c",
                "for i in 1 2 3; do echo line $i >&2; echo done; read next; done",
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = Stderr::collect(child.stderr.take().unwrap()).unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        for i in 1..=3 {
            let mut report = [0; 5];
            stdout.read_exact(&mut report).await.unwrap();
            assert_eq!(stderr.look().text(), format!("line {i}\n"));
            assert_eq!(stderr.take().text(), format!("line {i}\n"));
            tokio::io::AsyncWriteExt::write_all(&mut stdin, b"\n")
                .await
                .unwrap();
        }
        child.wait().await.unwrap();
        assert_eq!(stderr.take().text(), "");
    }
}
