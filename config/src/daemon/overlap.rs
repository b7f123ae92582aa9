//! Whether one folder lies in another, as far as the names tell.

use std::path::{Component, Path, PathBuf};

/// The path with `.` and `..` taken out.
pub(super) fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                // `/..` is `/`.
                if matches!(out.components().next_back(), Some(Component::Normal(_))) {
                    out.pop();
                }
            }
            other => out.push(other),
        }
    }
    out
}

/// The path with links followed, as far as it exists.
pub(super) fn real(path: &Path) -> PathBuf {
    let normal = normal(path);
    let mut rest = Vec::new();
    let mut existing = normal.as_path();
    loop {
        if let Ok(found) = existing.canonicalize() {
            return rest.iter().rev().fold(found, |path, name| path.join(name));
        }
        match (existing.parent(), existing.file_name()) {
            (Some(parent), Some(name)) => {
                rest.push(name.to_owned());
                existing = parent;
            }
            _ => return normal,
        }
    }
}

/// Whether `inner` is `outer` or lies below it.
pub(super) fn within(inner: &Path, outer: &Path) -> bool {
    inner.starts_with(outer)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn dots_do_not_hide_a_folder() {
        assert_eq!(normal(Path::new("/a/./b/../c/")), Path::new("/a/c"));
        assert_eq!(normal(Path::new("/../a")), Path::new("/a"));
        assert!(within(&normal(Path::new("/a/x/../b/c")), Path::new("/a/b")));
        assert!(!within(Path::new("/a/bc"), Path::new("/a/b")));
    }

    #[test]
    fn links_do_not_hide_a_folder() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("target");
        std::fs::create_dir(&target).unwrap();
        std::os::unix::fs::symlink(&target, dir.path().join("link")).unwrap();
        let seen = real(&dir.path().join("link/not/yet"));
        assert_eq!(seen, target.canonicalize().unwrap().join("not/yet"));
    }
}
