//! Hidden files of workers that died while they published.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use faults::Point;
use image_io::container::Format;
use image_io::publish::{Leftovers, remove_leftovers};
use tokio_util::sync::CancellationToken;

use crate::dispatch::Dispatch;
use crate::intake::Intake;

/// Pause after which files are looked at again whose writers seemed alive: those of a daemon that was killed may take a
/// moment to die.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Longest pause between two looks.
const LONGEST_PAUSE: Duration = Duration::from_secs(24 * 3600);

/// Removes what dead workers left in all output folders, and dead daemons in the state folder: at once, again soon while some seem alive, then daily.
pub(crate) async fn sweep(
    intake: Arc<Intake>,
    dispatch: Arc<Dispatch>,
    state_dir: PathBuf,
    draining: CancellationToken,
) {
    let mut pause = FIRST_PAUSE;
    loop {
        let facility = intake.facility();
        let (token, state_dir) = (draining.clone(), state_dir.clone());
        let scratch = Some(dispatch.scratch()).filter(|folder| *folder != state_dir);
        let swept = tokio::task::spawn_blocking(move || {
            // The file with the daemon's address is written in the same way.
            // So are the working folders of other programs, there or in a folder of their own.
            let of_state = std::iter::once(state_dir).chain(scratch);
            let mut kept: usize = of_state
                .map(|folder| remove_leftovers(&folder).map_or(0, |found| found.kept))
                .sum();
            for root in facility.roots() {
                let found = below(&root.output, &token);
                if found.removed > 0 {
                    tracing::info!(output = %root.output.display(), files = found.removed, "temporary files of dead workers removed");
                }
                kept += found.kept;
            }
            kept
        });
        // Listing a share that hangs must not keep the daemon from ending.
        let kept = tokio::select! {
            kept = swept => kept.unwrap_or(0),
            () = draining.cancelled() => return,
        };
        faults::point(Point::StartCleaned);
        pause = if kept > 0 { pause } else { LONGEST_PAUSE };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = draining.cancelled() => return,
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Removes what dead workers left in a folder and below it.
fn below(output: &Path, stop: &CancellationToken) -> Leftovers {
    let mut sum = Leftovers::default();
    let mut open = vec![output.to_owned()];
    while let Some(folder) = open.pop() {
        if stop.is_cancelled() {
            break;
        }
        match remove_leftovers(&folder) {
            Ok(found) => {
                sum.removed += found.removed;
                sum.kept += found.kept;
            }
            Err(_) if !folder.exists() => {}
            Err(error) => tracing::warn!(%error, "temporary files cannot be looked for"),
        }
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        let folders = entries
            .flatten()
            .filter(|e| e.file_type().is_ok_and(|t| t.is_dir()));
        // Nobody publishes inside a container, which may have thousands of folders.
        let may_hold = |path: &PathBuf| Format::of(path) != Format::N5;
        open.extend(folders.map(|e| e.path()).filter(may_hold));
    }
    sum
}

/// Removes what a worker left that was killed or died: its folder is known, and it is gone for sure.
pub(crate) fn of_dead_worker(container: &Path, scratch: &Path) {
    for folder in container.parent().into_iter().chain([scratch]) {
        if let Err(error) = remove_leftovers(folder) {
            tracing::debug!(%error, "temporary files of a dead worker cannot be looked for");
        }
    }
}
