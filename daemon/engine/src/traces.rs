//! BatchLib's status and log files of a plate, for scripts that read them.
//!
//! They are made from the queue, and nothing here reads them: the queue stays the only truth. What BatchLib's words mean for
//! our states is in `docs/guide/from-batchlib.md`.

mod facts;
mod folder;
mod keeping;
mod lines;
mod log;
mod status;

use std::path::PathBuf;

use queue::{EventId, PlateId};

pub(crate) use keeping::Keeping;

use crate::error::{Error, Result};
use crate::intake::Intake;
use facts::Facts;
use folder::Folder;

/// The files that were written for a plate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatusFiles {
    /// Their folder, `batchlib` in the plate's results.
    pub folder: PathBuf,
    /// Their names: those of the jobs in the order of the workflow, then those of the workflow.
    pub names: Vec<String>,
}

/// Name of the setting with the last event that the files of a plate tell of.
fn setting(plate: PlateId) -> String {
    format!("plate.{plate}.status_files")
}

impl Intake {
    /// The last event that the files of a plate tell of; 0 where they were never written.
    pub(crate) fn traced(&self, plate: PlateId) -> Result<EventId> {
        let stored = self.store().setting(&setting(plate))?;
        Ok(EventId(
            stored.and_then(|text| text.parse().ok()).unwrap_or(0),
        ))
    }

    /// Writes the files of a plate as its tasks stand now. A job that still has something to run gets none.
    ///
    /// Each file is published by itself. A process that dies in the middle leaves whole files, some of them old; whoever writes
    /// next finishes the work, because what was told is noted last.
    ///
    /// # Errors
    /// The queue does not know the plate, or the folder cannot be written to.
    pub(crate) fn write_status_files(&self, plate: PlateId) -> Result<StatusFiles> {
        // Read first: what happens from here on is told next time. Read out of the queue, because a plate is seen to have ended
        // a moment before others are told of the event.
        let upto = self.store().status()?.last_event;
        let after = self.traced(plate)?;
        let facts = Facts::collect(self, plate)?;
        let folder = Folder::open(self, &facts)?;
        let jobs = status::of_jobs(&facts);
        let workflow = folder::workflow_name(&facts, &jobs);
        let mut names = Vec::new();
        for job in &jobs {
            let name = format!("{}.status", job.name);
            match job.json() {
                Some(text) => {
                    folder.publish(&name, text.as_bytes())?;
                    names.push(name);
                }
                // An old one would say something that is not true any more.
                None => folder.remove(&name)?,
            }
        }
        let name = format!("{workflow}.status");
        folder.publish(&name, status::of_workflow(&jobs).as_bytes())?;
        names.push(name);
        let name = format!("{workflow}.log");
        let after = if folder.has_log(&name) {
            after
        } else {
            EventId(0)
        };
        let text = log::text(self.store(), &facts, &folder.path, &workflow, (after, upto))?;
        if !text.is_empty() {
            folder.publish_log(&name, &text)?;
        }
        if folder.path.join(&name).exists() {
            names.push(name);
        }
        self.store()
            .set_setting(&setting(plate), &upto.0.to_string())?;
        Ok(StatusFiles {
            folder: folder.path,
            names,
        })
    }

    /// The same for a plate that has ended.
    ///
    /// # Errors
    /// [`Error::NotDone`] for another one.
    pub(crate) fn write_status_files_of_done(&self, plate: PlateId) -> Result<StatusFiles> {
        let row = self.store().plate(plate)?.plate;
        if !row.state.is_done() {
            return Err(Error::NotDone {
                plate: row.name,
                state: row.state,
            });
        }
        self.write_status_files(plate)
    }
}
