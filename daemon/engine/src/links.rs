//! Results stay below the folder that is configured for them.

use std::path::{Path, PathBuf};

/// The first symbolic link between a root's output folder and a plate's, if there is one: who may write to the folder could
/// send results anywhere. The output folder itself may be a link, because the configuration names it.
pub(crate) fn link_on_the_way(output: &Path, plate: &Path) -> Option<PathBuf> {
    let below = plate.strip_prefix(output).ok()?;
    let mut path = output.to_owned();
    for part in below.components() {
        path.push(part);
        if path.is_symlink() {
            return Some(path);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_link_below_the_output_folder_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().join("real");
        std::fs::create_dir_all(real.join("run/plate")).unwrap();
        let output = folder.path().join("output");
        std::os::unix::fs::symlink(&real, &output).unwrap();
        assert_eq!(link_on_the_way(&output, &output.join("run/plate")), None);
        assert_eq!(link_on_the_way(&output, &output.join("run/to/come")), None);
        std::os::unix::fs::symlink("/etc", real.join("run/link")).unwrap();
        let found = link_on_the_way(&output, &output.join("run/link/plate"));
        assert_eq!(found, Some(output.join("run/link")));
        assert_eq!(link_on_the_way(&output, Path::new("/elsewhere")), None);
    }
}
