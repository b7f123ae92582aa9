//! The kernel's limits on inotify.

use std::io;
use std::path::Path;

/// What one user may have; `/proc/sys/fs/inotify`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InotifyLimits {
    /// Watches of one user; a natively watched root takes one for each folder.
    pub max_user_watches: u64,
    /// Instances of one user; each natively watched root takes one.
    pub max_user_instances: u64,
    /// Events that may wait in one instance before the kernel drops them.
    pub max_queued_events: u64,
}

/// Reads the kernel's limits.
///
/// # Errors
/// When `/proc` is not mounted or the kernel has no inotify.
pub fn inotify_limits() -> io::Result<InotifyLimits> {
    Ok(InotifyLimits {
        max_user_watches: read("max_user_watches")?,
        max_user_instances: read("max_user_instances")?,
        max_queued_events: read("max_queued_events")?,
    })
}

fn read(name: &str) -> io::Result<u64> {
    let path = Path::new("/proc/sys/fs/inotify").join(name);
    let explain = |what: String| io::Error::other(format!("{}: {what}", path.display()));
    let text = std::fs::read_to_string(&path).map_err(|e| explain(e.to_string()))?;
    text.trim()
        .parse()
        .map_err(|_| explain(format!("{text:?} is not a number")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    #[test]
    fn the_kernel_tells_its_limits() {
        let limits = super::inotify_limits().unwrap();
        assert!(
            limits.max_user_watches > 0
                && limits.max_user_instances > 0
                && limits.max_queued_events > 0
        );
    }
}
