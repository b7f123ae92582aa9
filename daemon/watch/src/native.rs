//! inotify, one watch for each folder.
//!
//! Folders are watched one by one rather than with notify's recursive mode: that mode adds watches on its own thread,
//! where a failure is lost, and enters ignored folders. Here every folder is watched by the walk just before it lists it.

use crate::limits::inotify_limits;
use crate::mailbox::Mailbox;
use notify::{Config, ErrorKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use std::io;
use std::path::Path;

/// A running inotify instance.
#[derive(Debug)]
pub(crate) struct Native(RecommendedWatcher);

/// Why something cannot be watched natively.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NativeError {
    /// The folder is gone, or may not be read: a matter of this folder alone.
    Folder(String),
    /// The kernel gives no more; the text names the limit and the remedy.
    Limit(String),
}

impl Native {
    /// Opens an inotify instance whose events go to `mailbox`.
    pub fn start(mailbox: Mailbox) -> Result<Self, NativeError> {
        RecommendedWatcher::new(move |event| mailbox.event(event), Config::default())
            .map(Self)
            .map_err(|error| NativeError::Limit(instance_limit(&error)))
    }

    /// Watches one folder, not those below it. Watching it twice does no harm and renews a lost watch.
    pub fn watch(&mut self, folder: &Path) -> Result<(), NativeError> {
        self.0
            .watch(folder, RecursiveMode::NonRecursive)
            .map_err(|error| match error.kind {
                ErrorKind::MaxFilesWatch => NativeError::Limit(watch_limit()),
                ErrorKind::Io(ref cause) if cause.raw_os_error() == Some(libc::ENOMEM) => {
                    NativeError::Limit(format!(
                        "the kernel has no memory for inotify watches ({cause})"
                    ))
                }
                _ => NativeError::Folder(error.to_string()),
            })
    }
}

fn watch_limit() -> String {
    let now =
        inotify_limits().map_or_else(|_| "unknown".to_owned(), |l| l.max_user_watches.to_string());
    format!(
        "out of inotify watches (fs.inotify.max_user_watches = {now}, one is needed for each folder); \
         raise it: sysctl fs.inotify.max_user_watches=1048576"
    )
}

fn instance_limit(error: &notify::Error) -> String {
    if let ErrorKind::Io(cause) = &error.kind
        && cause.raw_os_error() == Some(libc::EMFILE)
    {
        let now = inotify_limits().map_or_else(
            |_| "unknown".to_owned(),
            |l| l.max_user_instances.to_string(),
        );
        return format!(
            "out of inotify instances or file descriptors (fs.inotify.max_user_instances = {now}, one is needed for \
             each watched folder); raise it: sysctl fs.inotify.max_user_instances=1024"
        );
    }
    let cause: &dyn std::error::Error = match &error.kind {
        ErrorKind::Io(cause) => cause as &io::Error,
        _ => error,
    };
    format!("inotify cannot be used: {cause}")
}
