//! What the queue knows of a plate, as far as the files tell of it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use queue::{
    FileFilter, FileRow, FileState, PlateId, PlateRow, SubjectId, SubjectState, TaskFilter, TaskId,
    TaskRow,
};
use workflow::plate_table_file;

use crate::error::{Error, Result};
use crate::facility::{Prepared, RootSettings};
use crate::image_set::ImageSet;
use crate::intake::Intake;
use crate::records;

/// A plate.
pub(super) struct Facts {
    pub plate: PlateRow,
    pub root: Arc<RootSettings>,
    pub prepared: Arc<Prepared>,
    /// Its tasks of the workflow of today.
    pub tasks: HashMap<TaskId, TaskRow>,
    /// Files of its image sets, and their containers.
    pub sets: HashMap<SubjectId, SetFiles>,
    /// Files in its folder that are no usable images.
    pub left_out: Vec<FileRow>,
}

/// The files of an image set.
pub(super) struct SetFiles {
    pub name: String,
    /// Absolute paths.
    pub inputs: Vec<PathBuf>,
    pub container: PathBuf,
    /// Planes that are missing, where the set is incomplete.
    pub missing: Option<String>,
}

impl Facts {
    pub fn collect(intake: &Intake, plate: PlateId) -> Result<Self> {
        let store = intake.store();
        let plate = store.plate(plate)?.plate;
        let root = intake.root(plate.root).ok_or_else(|| Error::StatusFiles {
            plate: plate.name.clone(),
            reason: "its root is not in the configuration".to_owned(),
        })?;
        // A mapping that cannot be used is the reason why tasks failed; their names are the same.
        let prepared = intake
            .facility()
            .workflow_for(&root, &plate.directory)
            .unwrap_or_else(|_| Arc::clone(&root.prepared));
        let filter = TaskFilter {
            workflow: Some(prepared.workflow.name.clone()),
            ..TaskFilter::plate(plate.id)
        };
        let tasks = records::pages(|cursor| store.tasks(&filter, cursor))?;
        let sets = records::image_sets(store, plate.id)?
            .into_iter()
            .map(|row| {
                let set: ImageSet = serde_json::from_value(row.inputs).unwrap_or_default();
                let files = SetFiles {
                    inputs: set.files.iter().map(|f| root.path.join(&f.path)).collect(),
                    container: row
                        .container
                        .unwrap_or_else(|| plate.output.join(&set.container)),
                    missing: (row.state != SubjectState::Complete).then(|| row.missing.to_string()),
                    name: row.name,
                };
                (row.id, files)
            })
            .collect();
        Ok(Self {
            left_out: left_out(intake, &plate)?,
            tasks: tasks.into_iter().map(|task| (task.id, task)).collect(),
            sets,
            prepared,
            root,
            plate,
        })
    }

    /// What a task reads from the acquisition.
    pub fn inputs(&self, task: &TaskRow) -> &[PathBuf] {
        self.sets.get(&task.subject).map_or(&[], |set| &set.inputs)
    }

    /// The file that a task's result is kept in.
    pub fn container(&self, task: &TaskRow) -> PathBuf {
        let set = self.sets.get(&task.subject);
        set.map_or_else(
            || plate_table_file(&self.plate.output),
            |set| set.container.clone(),
        )
    }

    /// Image sets that the plate completed without, by name.
    pub fn incomplete(&self) -> Vec<&SetFiles> {
        let mut sets: Vec<_> = self.sets.values().filter(|s| s.missing.is_some()).collect();
        sets.sort_by(|a, b| a.name.cmp(&b.name));
        sets
    }
}

/// Files that cannot be read, or whose names say nothing, in the folder of this plate rather than in that of one below it.
fn left_out(intake: &Intake, plate: &PlateRow) -> Result<Vec<FileRow>> {
    let store = intake.store();
    let others: Vec<PathBuf> = records::plates_of(store, plate.root)?
        .into_iter()
        .map(|other| other.directory)
        .filter(|other| other.starts_with(&plate.directory) && *other != plate.directory)
        .collect();
    let is_of_plate = |path: &Path| {
        path.starts_with(&plate.directory) && !others.iter().any(|other| path.starts_with(other))
    };
    let mut found = Vec::new();
    for state in [FileState::Unmatched, FileState::Unreadable] {
        let filter = FileFilter {
            root: Some(plate.root),
            state: Some(state),
            vanished: Some(false),
            ..FileFilter::default()
        };
        let files = records::pages(|cursor| store.files(&filter, cursor))?;
        found.extend(files.into_iter().filter(|file| is_of_plate(&file.path)));
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}
