//! Whose fault a failed task is: what BatchLib tells apart as an invalid input, a failed output and an error.

use std::path::Path;

use queue::{Failure, TaskRow, TaskState};
use serde::Serialize;

/// Whose fault it is that a task has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Blame {
    /// An image that cannot be used: BatchLib's invalid input.
    Input,
    /// The job: BatchLib's failed output.
    Output,
    /// Its worker died three times, or a person stopped it: what makes BatchLib call a job errored.
    Stopped,
}

/// Failure codes that speak of a file. Models and programs have such failures too, so the file itself decides.
const OF_FILES: [&str; 7] = [
    "damaged-file",
    "unsupported-file",
    "file-too-large",
    "file-missing",
    "file-access",
    "missing-data",
    "image-does-not-fit-project",
];

/// Failure codes that speak of the planes of an image set.
const OF_PLANES: [&str; 3] = ["missing-channel", "several-z-slices", "z-slices-differ"];

impl Blame {
    /// Whose fault it is that a task has no result; `None` while it has one, or may still get one. `root` is the folder of the
    /// images, `results` that of the plate's results.
    #[must_use]
    pub fn of(task: &TaskRow, root: &Path, results: &Path) -> Option<Self> {
        match task.state {
            TaskState::Quarantined | TaskState::Cancelled => Some(Self::Stopped),
            TaskState::Failed => {
                let error = task.error.as_ref();
                Some(
                    match error.is_some_and(|e| blames_image(e, root, results)) {
                        true => Self::Input,
                        false => Self::Output,
                    },
                )
            }
            _ => None,
        }
    }
}

fn blames_image(error: &Failure, root: &Path, results: &Path) -> bool {
    let code = error.code.as_str();
    if OF_PLANES.contains(&code) {
        return true;
    }
    let Some(path) = error.path.as_deref().map(Path::new) else {
        return false;
    };
    let of_results = path.starts_with(results);
    // A container that cannot be read is an input too; one that cannot be written is not.
    let is_image = (path.starts_with(root) && !of_results) || (of_results && code != "file-access");
    OF_FILES.contains(&code) && is_image
}

#[cfg(test)]
mod tests {
    use super::*;
    use queue::FailureClass;

    fn judge(code: &str, path: Option<&str>) -> bool {
        let mut error = Failure::new(FailureClass::Permanent, code, "it is wrong");
        error.path = path.map(str::to_owned);
        blames_image(&error, Path::new("/data"), Path::new("/results/plate"))
    }

    #[test]
    fn the_file_decides_together_with_the_code() {
        assert!(judge("damaged-file", Some("/data/plate/a.tiff")));
        assert!(judge("file-access", Some("/data/plate/a.tiff")));
        assert!(judge("damaged-file", Some("/results/plate/a.h5")));
        assert!(judge("missing-channel", None));
        assert!(
            !judge("file-access", Some("/results/plate/a.h5")),
            "it cannot be written"
        );
        assert!(
            !judge("file-missing", Some("/models/net.onnx")),
            "a model is no image"
        );
        assert!(!judge("bad-parameter", Some("/data/plate/a.tiff")));
        assert!(!judge("damaged-file", None));
    }
}
