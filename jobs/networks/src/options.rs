//! How a model is opened.

use std::num::NonZeroUsize;
use std::path::PathBuf;

/// Which engine runs a network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Choice {
    /// onnxruntime where [`crate::engine::use_library`] named a library that works, else the built-in engine.
    #[default]
    Configured,
    /// The built-in engine, rten.
    BuiltIn,
    /// The configured onnxruntime, or an error.
    OnnxRuntime,
}

/// How a model is opened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Options {
    /// The sidecar. Absent: the one beside the model, see [`crate::sidecar::find`].
    pub sidecar: Option<PathBuf>,
    /// The engine.
    pub engine: Choice,
    /// Threads of the engine. Absent: as many as the rayon pool has in which it is called, so that a worker keeps to its share.
    pub threads: Option<NonZeroUsize>,
}

impl Options {
    pub(crate) fn threads(&self) -> usize {
        self.threads
            .map_or_else(rayon::current_num_threads, NonZeroUsize::get)
    }
}
