//! onnxruntime, from a shared library that is loaded at run time.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ndarray::{ArrayD, IxDyn};
use ort::environment::Environment;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::TensorRef;

use super::Engine;
use crate::onnx::OnnxFile;

struct OnnxRuntime {
    name: String,
    session: Mutex<Session>,
    input: String,
    outputs: Vec<String>,
}

/// The loaded library: a process can load one.
struct Library {
    path: PathBuf,
    environment: Environment,
    version: String,
}

static LIBRARY: Mutex<Option<Library>> = Mutex::new(None);

fn with_library<T>(
    path: &Path,
    f: impl FnOnce(&Library) -> Result<T, String>,
) -> Result<T, String> {
    let mut loaded = LIBRARY.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(library) = loaded.as_ref().filter(|l| l.path != path) {
        return Err(format!(
            "`{}` is loaded already, and a process can load one",
            library.path.display()
        ));
    }
    if loaded.is_none() {
        // The loader's own words leave out which file is missing.
        std::fs::File::open(path).map_err(|e| e.to_string())?;
        let environment = ort::init_from(path)
            .map_err(|e| e.to_string())?
            .with_telemetry(false)
            .build()
            .map_err(|e| e.to_string())?;
        let version = version_of(ort::info(), path);
        *loaded = Some(Library {
            path: path.to_owned(),
            environment,
            version,
        });
    }
    match loaded.as_ref() {
        Some(library) => f(library),
        None => Err("it was not loaded".to_owned()),
    }
}

/// Out of "ORT Build Info: git-branch=rel-1.24.0, git-commit-id=6af1a93, …", or out of `libonnxruntime.so.1.24.0`: wheels are built
/// from no branch.
fn version_of(info: &str, path: &Path) -> String {
    let field = |name: &str| {
        let (_, rest) = info.split_once(name)?;
        rest.split([',', ' ']).next().map(str::to_owned)
    };
    let branch = field("git-branch=").and_then(|b| b.strip_prefix("rel-").map(str::to_owned));
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let name = real.file_name().map(|n| n.to_string_lossy().into_owned());
    let suffix = name.and_then(|n| n.split_once(".so.").map(|(_, v)| v.to_owned()));
    branch
        .or_else(|| suffix.filter(|v| v.contains('.')))
        .or_else(|| field("git-commit-id=").map(|id| format!("commit {id}")))
        .unwrap_or_else(|| "of unknown version".to_owned())
}

pub(super) fn version(path: &Path) -> Result<String, String> {
    with_library(path, |library| Ok(library.version.clone()))
}

pub(super) fn load(
    file: &OnnxFile,
    input: &str,
    outputs: &[&str],
    threads: usize,
) -> Result<Box<dyn Engine>, String> {
    let path = super::library().ok_or("none is configured")?;
    with_library(&path, |library| {
        let session = || -> Result<Session, String> {
            let mut builder = Session::builder(&library.environment)
                .map_err(|e| e.to_string())?
                .with_optimization_level(GraphOptimizationLevel::All)
                .map_err(|e| e.to_string())?
                .with_intra_threads(threads)
                .map_err(|e| e.to_string())?
                .with_inter_threads(1)
                .map_err(|e| e.to_string())?;
            // Weights in files of their own are found from the model's path only.
            if file.external.is_empty() {
                builder.commit_from_memory(&file.bytes)
            } else {
                builder.commit_from_file(&file.path)
            }
            .map_err(|e| e.to_string())
        };
        Ok(Box::new(OnnxRuntime {
            name: format!("onnxruntime {}", library.version),
            session: Mutex::new(session()?),
            input: input.to_owned(),
            outputs: outputs.iter().map(|&o| o.to_owned()).collect(),
        }) as Box<dyn Engine>)
    })
}

impl Engine for OnnxRuntime {
    fn name(&self) -> &str {
        &self.name
    }

    fn run(&self, input: ArrayD<f32>, _: usize) -> Result<Vec<ArrayD<f32>>, String> {
        super::guarded(|| {
            let input = input.as_standard_layout();
            let shape = input.shape().to_vec();
            let values = input.as_slice().ok_or("the input is not contiguous")?;
            let tensor = TensorRef::from_array_view((shape, values)).map_err(|e| e.to_string())?;
            let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
            let results = session
                .run(ort::inputs![self.input.as_str() => tensor])
                .map_err(|e| e.to_string())?;
            self.outputs
                .iter()
                .map(|name| {
                    let value = results
                        .get(name)
                        .ok_or_else(|| format!("it gave no output `{name}`"))?;
                    let (shape, data) = value
                        .try_extract_tensor::<f32>()
                        .map_err(|e| e.to_string())?;
                    let shape: Vec<usize> = shape
                        .iter()
                        .map(|size| usize::try_from(*size).unwrap_or(0))
                        .collect();
                    ArrayD::from_shape_vec(IxDyn(&shape), data.to_vec()).map_err(|e| e.to_string())
                })
                .collect()
        })
    }
}
