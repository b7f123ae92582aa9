//! Another program that reads the results: h5py where there is a Python that has it, else `wellspring inspect`.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::binary::{python, repository, run};

/// Reads results, also while they are being replaced.
pub enum Observer {
    /// h5py, in a process of its own, which looks at every new file by itself.
    H5py(Box<Python>),
    /// Our own reader: it proves only that files are whole.
    Inspect(Inspect),
}

/// The running Python.
pub struct Python {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

/// What `wellspring inspect` has seen.
pub struct Inspect {
    results: PathBuf,
    seen: BTreeMap<PathBuf, (u64, i64, u64)>,
    opened: u64,
    faults: Vec<String>,
}

impl Observer {
    /// Starts to read.
    ///
    /// # Panics
    /// Python does not start.
    #[must_use]
    pub fn start(drop: &Path, results: &Path) -> Self {
        let Some(python) = python() else {
            return Self::Inspect(Inspect {
                results: results.to_owned(),
                seen: BTreeMap::new(),
                opened: 0,
                faults: Vec::new(),
            });
        };
        let child = Command::new(python)
            .arg(repository().join("tests/readers/crash.py"))
            .args([drop, results])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut child) = child else {
            panic!("Python does not start")
        };
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            panic!("Python has no pipes")
        };
        Self::H5py(Box::new(Python {
            child,
            input,
            output: BufReader::new(output),
        }))
    }

    /// What it is.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::H5py(_) => "h5py",
            Self::Inspect(_) => "wellspring inspect (no h5py: pixels are not compared)",
        }
    }

    /// How many files it has opened, and which it could not read.
    pub fn report(&mut self) -> (u64, Vec<String>) {
        match self {
            Self::H5py(python) => {
                let answer = python.ask(&json!({ "do": "report" }));
                (
                    answer["opened"].as_u64().unwrap_or(0),
                    texts(&answer["faults"]),
                )
            }
            Self::Inspect(inspect) => {
                inspect.look();
                (inspect.opened, inspect.faults.clone())
            }
        }
    }

    /// Where results differ from what must be in them.
    pub fn compare(&mut self, plates: &Value) -> Vec<String> {
        match self {
            Self::H5py(python) => {
                let answer = python.ask(&json!({ "do": "compare", "plates": plates }));
                texts(&answer["differences"])
            }
            Self::Inspect(inspect) => {
                inspect.look();
                inspect.compare(plates)
            }
        }
    }

    /// Where results differ from those of another run; nothing where h5py is absent.
    pub fn equal(&mut self, folder: &Path) -> Vec<String> {
        match self {
            Self::H5py(python) => {
                let answer = python.ask(&json!({ "do": "equal", "folder": folder }));
                texts(&answer["differences"])
            }
            Self::Inspect(_) => Vec::new(),
        }
    }
}

fn texts(list: &Value) -> Vec<String> {
    let list = list.as_array().map_or(&[][..], Vec::as_slice);
    list.iter()
        .map(|t| t.as_str().unwrap_or_default().to_owned())
        .collect()
}

impl Python {
    fn ask(&mut self, command: &Value) -> Value {
        let mut line = String::new();
        let asked = writeln!(self.input, "{command}")
            .and_then(|()| self.input.flush())
            .and_then(|()| self.output.read_line(&mut line));
        assert!(asked.is_ok(), "the reader has died: {asked:?}");
        match serde_json::from_str(&line) {
            Ok(answer) => answer,
            Err(error) => panic!("the reader has died ({error}): {line}"),
        }
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Inspect {
    fn files(&self) -> Vec<PathBuf> {
        let (mut out, mut open) = (Vec::new(), vec![self.results.clone()]);
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                // It says whose folder this is.
                if entry.file_name() == ".wellspring.lock" {
                    continue;
                }
                if entry.path().is_dir() {
                    open.push(entry.path());
                } else {
                    out.push(entry.path());
                }
            }
        }
        out
    }

    fn look(&mut self) {
        for path in self.files() {
            let hidden = path
                .file_name()
                .is_some_and(|n| n.as_encoded_bytes().starts_with(b"."));
            let Ok(meta) = path.metadata() else { continue };
            let stamp = (meta.ino(), meta.mtime_nsec(), meta.len());
            if hidden || self.seen.get(&path) == Some(&stamp) {
                continue;
            }
            let output = run([Path::new("inspect"), Path::new("--json"), &path]);
            self.opened += 1;
            if output.status.success() {
                self.seen.insert(path, stamp);
            } else {
                let error = String::from_utf8_lossy(&output.stderr).into_owned();
                self.faults.push(format!("{}: {error}", path.display()));
            }
        }
    }

    fn compare(&self, plates: &Value) -> Vec<String> {
        let mut expected = Vec::new();
        for plate in plates.as_array().into_iter().flatten() {
            let name = plate["name"].as_str().unwrap_or_default();
            let folder = self.results.join(name);
            for site in plate["sites"].as_array().into_iter().flatten() {
                let file = Path::new(site["file"].as_str().unwrap_or_default());
                expected
                    .push(folder.join(file.with_extension("h5").file_name().unwrap_or_default()));
            }
            for what in ["table", "illumination"] {
                expected.push(folder.join(format!("{name}_{what}.hdf5")));
            }
        }
        let there = self.files();
        let missing = expected
            .iter()
            .filter(|p| !there.contains(p))
            .map(|p| format!("{} is missing", p.display()));
        let extra = there
            .iter()
            .filter(|p| !expected.contains(p))
            .map(|p| format!("{} is too many", p.display()));
        missing.chain(extra).collect()
    }
}
