//! The real program, and the places of this repository.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The program under test: `WELLSPRING_BINARY`, else the one that was built beside the tests.
///
/// # Panics
/// It was not built.
#[must_use]
pub fn wellspring() -> PathBuf {
    if let Some(path) = std::env::var_os("WELLSPRING_BINARY") {
        return path.into();
    }
    let test = std::env::current_exe().unwrap_or_default();
    // target/<profile>/deps/<test>
    let path = test
        .ancestors()
        .nth(2)
        .map(|d| d.join("wellspring"))
        .unwrap_or_default();
    assert!(
        path.is_file(),
        "`{}` is missing: run `cargo build -p wellspring` first",
        path.display()
    );
    path
}

/// The repository.
#[must_use]
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or(Path::new("/"))
        .to_owned()
}

/// A folder of the shared test data beside the repository; `None`, with a line that says so, where it is absent.
#[must_use]
pub fn shared(folder: &str) -> Option<PathBuf> {
    let path = repository().join("../shared").join(folder);
    if path.exists() {
        return path.canonicalize().ok();
    }
    println!("skipped: ../shared/{folder} is absent");
    None
}

/// A Python that has h5py and NumPy; `None`, with a line that says so, where there is none.
#[must_use]
pub fn python() -> Option<String> {
    let chosen = std::env::var("WELLSPRING_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let works = Command::new(&chosen)
        .args(["-c", "import h5py, numpy"])
        .output()
        .is_ok_and(|o| o.status.success());
    if works {
        return Some(chosen);
    }
    println!("skipped: {chosen} has no h5py and NumPy");
    None
}

/// Runs the program.
///
/// # Panics
/// It cannot be started.
pub fn run<S: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = S>) -> Output {
    match Command::new(wellspring())
        .args(arguments)
        .env_remove("WELLSPRING_CONFIG")
        .output()
    {
        Ok(output) => output,
        Err(error) => panic!("cannot start the program: {error}"),
    }
}

/// Standard output as JSON.
///
/// # Panics
/// It is not JSON; both outputs are in the message.
#[must_use]
pub fn json(output: &Output) -> serde_json::Value {
    match serde_json::from_slice(&output.stdout) {
        Ok(value) => value,
        Err(error) => panic!(
            "no JSON ({error}): {}\n{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        ),
    }
}
