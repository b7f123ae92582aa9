//! The folder `batchlib` in a plate's results, and how files get into it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use image_io::publish::{remove_leftovers, write_bytes_atomically};

use super::facts::Facts;
use super::status::JobStatus;
use crate::error::{Error, Result};
use crate::intake::Intake;
use crate::links::link_on_the_way;

/// BatchLib's name of it.
const NAME: &str = "batchlib";

/// The folder, which exists.
#[derive(Debug)]
pub(super) struct Folder {
    pub path: PathBuf,
}

/// Name of the workflow's files; not that of a job, whose file it would replace.
pub(super) fn workflow_name(facts: &Facts, jobs: &[JobStatus]) -> String {
    let name = facts.prepared.workflow.status_name();
    if jobs.iter().any(|job| job.name == name) {
        format!("{name}Workflow")
    } else {
        name.to_owned()
    }
}

impl Folder {
    /// Makes it, and clears away what a writer that was killed left in it.
    pub fn open(intake: &Intake, facts: &Facts) -> Result<Self> {
        let path = facts.plate.output.join(NAME);
        let refused = |reason| Error::StatusFiles {
            plate: facts.plate.name.clone(),
            reason,
        };
        let root = intake.root(facts.plate.root);
        let guard = root.as_ref().and_then(|root| root.guard.as_ref());
        if let Some(reason) = guard.and_then(|guard| guard.trouble()) {
            return Err(refused(reason));
        }
        if let Some(link) = link_on_the_way(&facts.root.output, &path) {
            let link = link.display();
            return Err(refused(format!(
                "`{link}` is a symbolic link; results are not written through it"
            )));
        }
        fs::create_dir_all(&path).map_err(|e| failed(&path, "create", e))?;
        remove_leftovers(&path)?;
        Ok(Self { path })
    }

    /// Writes a file, if it does not hold that already.
    pub fn publish(&self, name: &str, content: &[u8]) -> Result<()> {
        let path = self.path.join(name);
        if fs::read(&path).is_ok_and(|there| there == content) {
            return Ok(());
        }
        Ok(write_bytes_atomically(&path, content)?)
    }

    pub fn remove(&self, name: &str) -> Result<()> {
        let path = self.path.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(failed(&path, "remove", error))
            }
            _ => Ok(()),
        }
    }

    /// Whether a log was written before, be it an older one by now.
    pub fn has_log(&self, name: &str) -> bool {
        let path = self.path.join(name);
        path.exists() || numbered(&path, 1).exists()
    }

    /// Writes a log; the one before becomes `.log.1`, that one `.log.2`. A log that only goes on replaces itself: its writer
    /// died before it could note what it had told.
    pub fn publish_log(&self, name: &str, text: &str) -> Result<()> {
        let path = self.path.join(name);
        match fs::read(&path) {
            Ok(before) if text.as_bytes().starts_with(&before) => {}
            Ok(_) => roll(&path).map_err(|e| failed(&path, "rename", e))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(&path, "read", error)),
        }
        self.publish(name, text.as_bytes())
    }
}

fn failed(path: &Path, action: &'static str, source: io::Error) -> Error {
    Error::Io {
        path: path.to_owned(),
        action,
        source,
    }
}

fn numbered(log: &Path, number: u32) -> PathBuf {
    let mut name = log.to_owned().into_os_string();
    name.push(format!(".{number}"));
    name.into()
}

/// Makes room for a new log. From the first free number down, so that no name is taken twice: a process that dies in between
/// leaves a gap, which the next one fills.
fn roll(log: &Path) -> io::Result<()> {
    let taken = |number: &u32| numbered(log, *number).symlink_metadata().is_ok();
    let last = (1..).take_while(taken).last().unwrap_or(0);
    for number in (1..=last).rev() {
        fs::rename(numbered(log, number), numbered(log, number + 1))?;
    }
    fs::rename(log, numbered(log, 1))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn logs(folder: &Folder) -> Vec<(String, String)> {
        let mut all: Vec<_> = fs::read_dir(&folder.path)
            .unwrap()
            .map(|e| e.unwrap())
            .map(|e| {
                let text = fs::read_to_string(e.path()).unwrap();
                (e.file_name().into_string().unwrap(), text)
            })
            .collect();
        all.sort();
        all
    }

    fn folder() -> (tempfile::TempDir, Folder) {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().to_owned();
        (temporary, Folder { path })
    }

    #[test]
    fn thirteen_logs_are_thirteen_files() {
        let (_temporary, folder) = folder();
        for run in 1..=13 {
            folder
                .publish_log("W.log", &format!("run {run}.\n"))
                .unwrap();
        }
        let all = logs(&folder);
        assert_eq!(all.len(), 13);
        let text = |name: &str| all.iter().find(|(n, _)| n == name).unwrap().1.clone();
        assert_eq!(text("W.log"), "run 13.\n");
        assert_eq!(text("W.log.1"), "run 12.\n");
        // BatchLib loses this one: it sorts numbers as text.
        assert_eq!(text("W.log.11"), "run 2.\n");
        assert_eq!(text("W.log.12"), "run 1.\n");
    }

    #[test]
    fn a_log_that_goes_on_is_not_an_older_one() {
        let (_temporary, folder) = folder();
        folder.publish_log("W.log", "a\n").unwrap();
        folder.publish_log("W.log", "a\n").unwrap();
        folder.publish_log("W.log", "a\nb\n").unwrap();
        assert_eq!(logs(&folder), [("W.log".to_owned(), "a\nb\n".to_owned())]);
    }

    #[test]
    fn a_gap_that_a_killed_process_left_is_filled_and_nothing_is_lost() {
        let (_temporary, folder) = folder();
        for run in ["a", "b", "c"] {
            folder.publish_log("W.log", run).unwrap();
        }
        let log = folder.path.join("W.log");
        // Killed after `.log.1` had moved on, before `.log` had.
        fs::rename(numbered(&log, 2), numbered(&log, 3)).unwrap();
        fs::rename(numbered(&log, 1), numbered(&log, 2)).unwrap();
        folder.publish_log("W.log", "d").unwrap();
        let texts: Vec<_> = logs(&folder).into_iter().map(|(_, text)| text).collect();
        assert_eq!(texts, ["d", "c", "b", "a"]);
    }

    #[test]
    fn what_is_not_true_any_more_is_removed_and_nothing_to_remove_is_no_error() {
        let (_temporary, folder) = folder();
        folder.publish("A.status", b"{}").unwrap();
        folder.remove("A.status").unwrap();
        folder.remove("A.status").unwrap();
        assert!(logs(&folder).is_empty());
    }
}
