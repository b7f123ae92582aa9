//! All targets.

mod container;
mod http;
mod image;
mod manifest;
mod model;
mod protocol;
mod text;

use std::io::Write;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use crate::Target;

/// What a target of small texts may allocate.
const TEXT: usize = 256 << 20;

/// A few lines of these manifests announce up to four million images.
const ANNOUNCED: usize = 1 << 30;

const fn plain(name: &'static str, run: fn(&[u8]), mutations: usize) -> Target {
    Target {
        name,
        run,
        memory: TEXT,
        mutations,
        apart: false,
    }
}

/// All targets.
pub static TARGETS: [Target; 20] = [
    plain("tiff", image::file, 1000),
    plain("png", image::file, 1500),
    plain("ome", image::description, 2000),
    Target {
        apart: true,
        ..plain("container", container::run, 300)
    },
    plain("n5", container::folder, 300),
    Target {
        apart: true,
        ..plain("project", model::project, 300)
    },
    plain("array", model::array, 1500),
    plain("naming", text::naming, 400),
    plain("mapping", text::mapping, 4000),
    plain("config", text::config, 1500),
    plain("workflow", text::workflow, 1500),
    Target {
        memory: ANNOUNCED,
        ..plain("imagexpress", manifest::imagexpress, 2000)
    },
    plain("yokogawa", manifest::yokogawa, 2000),
    plain("operetta", manifest::operetta, 3000),
    plain("incell", manifest::incell, 3000),
    Target {
        memory: ANNOUNCED,
        ..plain("scanr", manifest::scanr, 3000)
    },
    plain("to_worker", protocol::to_worker, 3000),
    plain("from_worker", protocol::from_worker, 3000),
    plain("http", http::open, 600),
    plain("http_token", http::guarded, 600),
];

/// A file in memory with the input in it, for code that wants a path.
struct MemoryFile {
    file: std::fs::File,
}

impl MemoryFile {
    fn new(input: &[u8]) -> Self {
        let made =
            rustix::fs::memfd_create("input", rustix::fs::MemfdFlags::CLOEXEC).and_then(|fd| {
                let mut file = std::fs::File::from(fd);
                file.write_all(input)
                    .map(|()| file)
                    .map_err(|_| rustix::io::Errno::NOMEM)
            });
        match made {
            Ok(file) => Self { file },
            Err(error) => panic!("no file in memory: {error}"),
        }
    }

    fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.file.as_raw_fd()))
    }
}

/// A folder of this thread, for code that reads files by their names.
fn with_folder(run: impl FnOnce(&Path)) {
    thread_local! {
        static FOLDER: tempfile::TempDir = match tempfile::tempdir() {
            Ok(folder) => folder,
            Err(error) => panic!("no temporary folder: {error}"),
        };
    }
    FOLDER.with(|folder| run(folder.path()));
}

/// Writes a file that a target needs.
fn put(path: &Path, bytes: &[u8]) {
    if let Err(error) = std::fs::write(path, bytes) {
        panic!("cannot write {}: {error}", path.display());
    }
}
