//! What only the disk can tell.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::overlap::real;
use super::validate::secret_files;
use super::{DaemonConfig, Root, WorkflowRef};
use crate::problem::Problem;
use crate::workflow::WorkflowFile;

impl DaemonConfig {
    /// Compares the configuration with the disk: folders, links, the token, and the workflows that the roots name.
    ///
    /// A watched folder that is absent is a warning, not an error: a share may come later.
    #[must_use]
    pub fn check_files(&self) -> Vec<Problem> {
        let mut found = Vec::new();
        if let Some(file) = &self.server.token_file {
            check_token(file, &mut found);
        }
        for (key, file) in secret_files(self) {
            check_secret(&key, file, &mut found);
        }
        if let Some(file) = self.workers.onnxruntime.as_ref().filter(|f| !f.is_file()) {
            found.push(
                Problem::warning("workers.onnxruntime", format!("there is no library `{}`", file.display()))
                    .remedy("correct the path, or leave the option out: the built-in engine runs the networks meanwhile"),
            );
        }
        for (i, root) in self
            .roots
            .iter()
            .enumerate()
            .filter(|(_, root)| root.enabled)
        {
            if !root.path.is_dir() {
                found.push(
                    Problem::warning(format!("root[{i}].path"), format!("`{}` is not there, or is not a folder", root.path.display()))
                        .remedy("the root stays offline until the folder appears; check the path, or mount the share"),
                );
            }
            self.check_workflow(&format!("root[{i}].workflow"), root, &mut found);
        }
        // Only what the links change; the names themselves are `validate`'s business.
        let by_name = self.validate();
        let mut by_disk = Vec::new();
        self.check_overlaps(&|path: &Path| real(path), &mut by_disk);
        found.extend(
            by_disk
                .into_iter()
                .filter(|problem| !by_name.iter().any(|known| known.key == problem.key)),
        );
        found
    }

    fn check_workflow(&self, key: &str, root: &Root, found: &mut Vec<Problem>) {
        match (self.find_workflow(&root.workflow), &root.workflow) {
            (Some(path), _) => {
                if let Err(error) = WorkflowFile::load(&path) {
                    let remedy = format!("correct `{}`", path.display());
                    found.push(Problem::error(key, error.to_string()).remedy(remedy));
                }
            }
            (None, WorkflowRef::Path(path)) => {
                found.push(
                    Problem::error(
                        key,
                        format!("there is no workflow file `{}`", path.display()),
                    )
                    .remedy("check the path; a relative one begins at the folder of this file"),
                );
            }
            (None, WorkflowRef::Name(name)) => {
                let dirs: Vec<String> = self
                    .workflow_dirs
                    .iter()
                    .map(|dir| format!("`{}`", dir.display()))
                    .collect();
                found.push(
                    Problem::error(
                        key,
                        format!("there is no workflow `{name}` in {}", dirs.join(" or ")),
                    )
                    .remedy(format!(
                        "put `{name}.toml` there, or add its folder to `workflow_dirs`"
                    )),
                );
            }
        }
    }
}

/// A file with a secret on its first line. It is read when a message is sent, so what is wrong now is a warning.
fn check_secret(key: &str, file: &Path, found: &mut Vec<Problem>) {
    let shown = file.display();
    match std::fs::metadata(file) {
        Err(e) => found.push(
            Problem::warning(key, format!("cannot read `{shown}`: {e}"))
                .remedy("create it, readable by the daemon's user only; messages wait until then"),
        ),
        Ok(metadata) if metadata.permissions().mode() & 0o007 != 0 => found.push(
            Problem::warning(key, format!("everybody on this machine can read `{shown}`"))
                .remedy(format!("`chmod 640 {shown}`; messages wait until then")),
        ),
        Ok(_) => {}
    }
}

fn check_token(file: &Path, found: &mut Vec<Problem>) {
    let key = "server.token_file";
    let shown = file.display();
    match std::fs::read(file) {
        Err(e) => found.push(
            Problem::error(key, format!("cannot read `{shown}`: {e}")).remedy(
                "create it with a secret on its first line, readable by the daemon's user only",
            ),
        ),
        Ok(bytes)
            if bytes
                .split(|b| *b == b'\n')
                .next()
                .is_none_or(|line| line.trim_ascii().len() < 16) =>
        {
            found.push(
                Problem::error(
                    key,
                    format!("the token in `{shown}` is shorter than 16 characters"),
                )
                .remedy("make one with `head -c 32 /dev/urandom | base64`"),
            );
        }
        Ok(_) => {
            let mode = std::fs::metadata(file).map_or(0, |m| m.permissions().mode());
            if mode & 0o007 != 0 {
                found.push(
                    Problem::error(key, format!("everybody on this machine can read `{shown}`"))
                        .remedy(format!("`chmod 640 {shown}`")),
                );
            }
        }
    }
}
