//! Temporary files of killed workers in the output folders.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Those that could not be removed at the start, because their writers were still dying.
#[derive(Debug, Default)]
pub(crate) struct Leftovers(Mutex<Vec<PathBuf>>);

impl Leftovers {
    /// Removes what dead workers left below the output folders. A worker of a daemon that was killed a moment ago may still be
    /// waiting for the disk, and holds its file until it is dead: [`Self::look_again`] gets that one.
    pub fn sweep<'p>(outputs: impl IntoIterator<Item = &'p Path>) -> Self {
        let mut held = Vec::new();
        for output in outputs {
            let mut removed = 0;
            let mut open = vec![output.to_owned()];
            while let Some(folder) = open.pop() {
                removed += remove(&folder);
                held.extend(image_io::publish::leftovers(&folder).unwrap_or_default());
                let Ok(entries) = std::fs::read_dir(&folder) else {
                    continue;
                };
                open.extend(
                    entries
                        .flatten()
                        .filter(|e| e.file_type().is_ok_and(|t| t.is_dir()))
                        .map(|e| e.path()),
                );
            }
            if removed > 0 {
                tracing::info!(output = %output.display(), files = removed, "temporary files of dead workers removed");
            }
        }
        Self(Mutex::new(held))
    }

    /// Removes those whose writers have died since. Costs nothing once all are gone.
    pub fn look_again(&self) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|path| {
            if let Some(folder) = path.parent() {
                remove(folder);
            }
            path.exists()
        });
    }
}

/// Removes what a worker that has just died left in the folder that it wrote to.
pub(crate) async fn after_death(folder: &Path) {
    let folder = folder.to_owned();
    // Fails only where the search has panicked, and then the next start finds the file.
    let _ = tokio::task::spawn_blocking(move || remove(&folder)).await;
}

fn remove(folder: &Path) -> usize {
    match image_io::publish::remove_leftovers(folder) {
        Ok(removed) => removed,
        Err(error) => {
            if folder.exists() {
                tracing::warn!(%error, "temporary files cannot be looked for");
            }
            0
        }
    }
}
