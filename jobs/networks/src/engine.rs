//! What runs a network: the built-in rten, or an onnxruntime library that the configuration names.

mod builtin;
#[cfg(feature = "onnxruntime")]
mod onnxruntime;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{OnceLock, PoisonError, RwLock};

use ndarray::ArrayD;

use crate::error::{Error, Result};
use crate::onnx::OnnxFile;
use crate::options::{Choice, Options};

/// A network that is loaded.
pub(crate) trait Engine: Send + Sync {
    /// The engine's name and version.
    fn name(&self) -> &str;

    /// Runs the network on one tensor, with `threads` threads if the engine can still choose.
    ///
    /// # Errors
    /// The engine's words.
    fn run(&self, input: ArrayD<f32>, threads: usize) -> Result<Vec<ArrayD<f32>>, String>;
}

/// The library that was configured, and whether it works.
static LIBRARY: RwLock<Option<PathBuf>> = RwLock::new(None);

/// Names the onnxruntime library for all models that this process opens from now on; `None`: the built-in engine.
pub fn use_library(path: Option<PathBuf>) {
    let path = path.map(|p| std::path::absolute(&p).unwrap_or(p));
    *LIBRARY.write().unwrap_or_else(PoisonError::into_inner) = path;
}

/// The library named by [`use_library`].
#[must_use]
pub fn library() -> Option<PathBuf> {
    LIBRARY
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .clone()
}

/// Loads an onnxruntime library and gives its version. A process can load one library; a second one is refused.
///
/// # Errors
/// [`Error::Library`].
pub fn check_library(path: &Path) -> Result<String> {
    #[cfg(feature = "onnxruntime")]
    {
        let path = &std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        guarded(|| onnxruntime::version(path)).map_err(|message| Error::Library {
            path: path.to_owned(),
            message,
        })
    }
    #[cfg(not(feature = "onnxruntime"))]
    {
        Err(Error::Library {
            path: path.to_owned(),
            message: "this program was built without support for it".to_owned(),
        })
    }
}

/// Name of the built-in engine.
#[must_use]
pub fn builtin_name() -> &'static str {
    builtin::NAME
}

/// Loads a network. A configured library that cannot be used is told once, and the built-in engine takes over: its results
/// are the same but for rounding, and a plate goes on.
pub(crate) fn load(
    file: &OnnxFile,
    input: &str,
    outputs: &[&str],
    options: &Options,
) -> Result<Box<dyn Engine>> {
    let configured = library().filter(|_| options.engine != Choice::BuiltIn);
    match configured {
        Some(path) => match check_library(&path) {
            Ok(_) => return load_onnxruntime(file, input, outputs, options),
            Err(error) if options.engine == Choice::OnnxRuntime => return Err(error),
            Err(error) => {
                static TOLD: OnceLock<()> = OnceLock::new();
                TOLD.get_or_init(|| {
                    tracing::warn!(error = %error, engine = builtin::NAME, "onnxruntime cannot be used, the built-in engine runs the networks");
                });
            }
        },
        None if options.engine == Choice::OnnxRuntime => {
            return Err(Error::Library {
                path: PathBuf::new(),
                message: "none is configured".to_owned(),
            });
        }
        None => {}
    }
    builtin::load(file, input, outputs)
}

#[cfg(feature = "onnxruntime")]
fn load_onnxruntime(
    file: &OnnxFile,
    input: &str,
    outputs: &[&str],
    options: &Options,
) -> Result<Box<dyn Engine>> {
    guarded(|| onnxruntime::load(file, input, outputs, options.threads())).map_err(|message| {
        Error::Engine {
            path: file.path.clone(),
            engine: "onnxruntime".to_owned(),
            what: "load",
            message,
        }
    })
}

#[cfg(not(feature = "onnxruntime"))]
fn load_onnxruntime(_: &OnnxFile, _: &str, _: &[&str], _: &Options) -> Result<Box<dyn Engine>> {
    unreachable!("check_library refuses every library in this build")
}

/// Operators of a file that the built-in engine does not have, each with why.
pub(crate) fn unsupported(file: &OnnxFile) -> Vec<String> {
    builtin::unsupported(file)
}

/// Runs foreign code that may panic on a file that it does not expect; the panic becomes a message.
pub(crate) fn guarded<T>(f: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|panic| {
        let said = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()))
            .unwrap_or_default();
        Err(format!("it gave up: {said}"))
    })
}
