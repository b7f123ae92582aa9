//! Finding the program before it is started, so that its absence is told in plain words.

use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::error::{Failure, FailureClass};

/// Where programs are looked for unless `env` says otherwise.
pub(super) const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Why there is no program to start.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// No file of that name in any folder of the search path.
    NotInPath,
    /// No such file.
    NoFile,
    /// A file that may not be executed, or a folder.
    NotExecutable,
    /// A file that the kernel does not know how to run. The C library would give it to a shell.
    NoProgram,
}

/// The file of a program: a path with a `/` as it is, else the first executable of that name in `search`.
pub(super) fn find(program: &OsStr, search: &OsStr) -> Result<PathBuf, Missing> {
    let executable = |path: &Path| {
        std::fs::metadata(path).is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
    };
    if program.as_bytes().contains(&b'/') {
        let path = PathBuf::from(program);
        return match path.exists() {
            true if !executable(&path) => Err(Missing::NotExecutable),
            true => runnable(path),
            false => Err(Missing::NoFile),
        };
    }
    let candidates: Vec<PathBuf> = std::env::split_paths(search)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(program))
        .collect();
    match candidates.iter().find(|path| executable(path)) {
        Some(path) => runnable(path.clone()),
        None if candidates.iter().any(|path| path.is_file()) => Err(Missing::NotExecutable),
        None => Err(Missing::NotInPath),
    }
}

/// Whether it begins like a program or like a script that names its interpreter.
fn runnable(path: PathBuf) -> Result<PathBuf, Missing> {
    let mut head = Vec::new();
    // A program may be executable and not readable; then the kernel tells.
    let read = plate::foreign::open(&path).and_then(|file| file.take(4).read_to_end(&mut head));
    if read.is_err() || head.starts_with(b"\x7fELF") || head.starts_with(b"#!") {
        Ok(path)
    } else {
        Err(Missing::NoProgram)
    }
}

/// What is wrong, for people.
pub(super) fn describe(program: &OsStr, search: &OsStr, missing: &Missing) -> String {
    let name = program.display();
    match missing {
        Missing::NotInPath => format!(
            "the program `{name}` is in no folder of PATH ({})",
            search.display()
        ),
        Missing::NoFile => format!("there is no program `{name}`"),
        Missing::NotExecutable => format!("the program `{name}` is not executable"),
        Missing::NoProgram => {
            format!(
                "`{name}` is neither a program nor a script that begins with `#!` and its interpreter"
            )
        }
    }
}

/// The failure of a job whose program is missing. A share that is not mounted comes back; a name that is wrong does not.
pub(super) fn failure(program: &OsStr, search: &OsStr, missing: &Missing) -> Failure {
    let unmounted = *missing == Missing::NoFile
        && Path::new(program)
            .parent()
            .is_some_and(|folder| !folder.is_dir());
    let (class, remedy) = if unmounted {
        (
            FailureClass::Environment,
            "mount the folder of the program or correct `program` in the workflow; work resumes by itself",
        )
    } else {
        (
            FailureClass::Permanent,
            "install the program, make it executable for the service's user, or correct `program` in the workflow; then requeue",
        )
    };
    Failure {
        class,
        ..Failure::permanent("no-program", describe(program, search, missing), remedy)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_program_is_a_name_or_a_path() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for (name, mode) in [("run", 0o755), ("data", 0o644)] {
            std::fs::write(at(name), "#!/bin/sh\n").unwrap();
            std::fs::set_permissions(at(name), std::fs::Permissions::from_mode(mode)).unwrap();
        }
        let search = folder.path().as_os_str();
        let found = |name: &str| find(name.as_ref(), search);
        assert_eq!(found("run"), Ok(at("run")));
        assert_eq!(find(at("run").as_os_str(), "".as_ref()), Ok(at("run")));
        assert_eq!(found("data"), Err(Missing::NotExecutable));
        assert_eq!(found("rum"), Err(Missing::NotInPath));
        assert_eq!(find(at("rum").as_os_str(), search), Err(Missing::NoFile));
        assert_eq!(find(search, search), Err(Missing::NotExecutable));
        std::fs::write(at("run"), "echo\n").unwrap();
        assert_eq!(found("run"), Err(Missing::NoProgram));
        let class = |path: &Path| failure(path.as_os_str(), search, &Missing::NoFile).class;
        assert_eq!(class(&at("rum")), FailureClass::Permanent);
        assert_eq!(class(&at("share/rum")), FailureClass::Environment);
    }
}
