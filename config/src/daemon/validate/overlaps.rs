//! Folders that must not lie in each other.

use std::path::{Path, PathBuf};

use crate::daemon::DaemonConfig;
use crate::daemon::overlap::within;
use crate::problem::Problem;

impl DaemonConfig {
    /// Results that land in a watched folder would be taken for new images, for ever. `name_of` says under which name a folder is
    /// compared: as written, or with links followed.
    pub(in crate::daemon) fn check_overlaps(
        &self,
        name_of: &dyn Fn(&Path) -> PathBuf,
        found: &mut Vec<Problem>,
    ) {
        let active: Vec<(usize, _, _)> = self
            .roots
            .iter()
            .enumerate()
            .filter(|(_, r)| r.enabled)
            .map(|(i, r)| (i, name_of(&r.path), name_of(&r.output)))
            .collect();
        let state = name_of(&self.state.dir);
        for (i, path, output) in &active {
            if within(&state, path) {
                found.push(
                    Problem::error(
                        "state.dir",
                        format!(
                            "the state folder `{}` lies in the watched folder `{}`",
                            state.display(),
                            path.display()
                        ),
                    )
                    .remedy(
                        "move it out of the watched folder, for example to /var/lib/wellspring",
                    ),
                );
            }
            for (k, other, other_output) in &active {
                if within(output, other) {
                    found.push(
                        Problem::error(format!("root[{i}].output"), format!("`{}` lies in the watched folder `{}`", output.display(), other.display()))
                            .remedy("results there would be taken for new images; choose a folder beside it"),
                    );
                } else if within(path, other_output) {
                    found.push(
                        Problem::error(format!("root[{i}].path"), format!("`{}` lies in `{}`, which receives results", path.display(), other_output.display()))
                            .remedy("results there would be taken for new images; give the results a folder of their own"),
                    );
                }
                if k < i && (within(path, other) || within(other, path)) {
                    found.push(
                        Problem::error(format!("root[{i}].path"), format!("`{}` and the watched folder `{}` overlap", path.display(), other.display()))
                            .remedy("every image would belong to two roots; watch the outer folder only, or folders beside each other"),
                    );
                } else if k < i && output == other_output {
                    found.push(
                        Problem::warning(format!("root[{i}].output"), format!("root[{k}] writes into `{}` too", output.display()))
                            .remedy("plates of the same name would meet there; give each root its own output folder"),
                    );
                }
            }
        }
    }
}
