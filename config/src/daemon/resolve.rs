//! Relative paths become paths below the folder of the file in which they stand.

use std::path::{Path, PathBuf};

use super::overlap::normal;
use super::{DaemonConfig, WorkflowRef};

impl DaemonConfig {
    pub(super) fn resolve_paths(&mut self, folder_of: impl Fn(&str) -> PathBuf) {
        let resolve = |path: &mut PathBuf, key: &str| {
            // An empty path stays empty, so that validation sees it.
            if !path.as_os_str().is_empty() {
                *path = absolute(&folder_of(key).join(&*path));
            }
        };
        self.workflow_dirs
            .iter_mut()
            .for_each(|dir| resolve(dir, "workflow_dirs"));
        resolve(&mut self.state.dir, "state.dir");
        if let Some(file) = &mut self.server.token_file {
            resolve(file, "server.token_file");
        }
        if let Some(file) = &mut self.workers.onnxruntime {
            resolve(file, "workers.onnxruntime");
        }
        if let Some(folder) = &mut self.workers.scratch {
            resolve(folder, "workers.scratch");
        }
        for (i, root) in self.roots.iter_mut().enumerate() {
            resolve(&mut root.path, &format!("root[{i}].path"));
            resolve(&mut root.output, &format!("root[{i}].output"));
            if let WorkflowRef::Path(path) = &mut root.workflow {
                resolve(path, &format!("root[{i}].workflow"));
            }
        }
        for (i, recipient) in self.recipients.iter_mut().enumerate() {
            let key = format!("notify[{i}]");
            for path in &mut recipient.roots {
                resolve(path, &format!("{key}.roots"));
                // As it stands in its own block: that is how the queue knows it.
                let known = self
                    .roots
                    .iter()
                    .find(|root| normal(&root.path) == normal(path));
                if let Some(root) = known {
                    path.clone_from(&root.path);
                }
            }
            if let Some(file) = &mut recipient.webhook_file {
                resolve(file, &format!("{key}.webhook_file"));
            }
            if let Some(file) = recipient
                .email
                .as_mut()
                .and_then(|email| email.password_file.as_mut())
            {
                resolve(file, &format!("{key}.email.password_file"));
            }
        }
    }
}

/// The path from `/`, without a look at the disk: a share that is not mounted keeps its name.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
