//! What can be wrong with a model file, its sidecar, or what it is used for.

use std::path::PathBuf;

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a network cannot be used. None of them passes by itself, but [`Error::Io`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file cannot be read.
    #[error("cannot read `{}`: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// A file is larger than any network for microscopy.
    #[error("`{}` has {bytes} bytes, more than the {limit} that are accepted", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// Not an ONNX file, or a damaged one.
    #[error("`{}` is not a whole ONNX file: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// The engine lacks operators that the network uses.
    #[error("`{}` uses operators that {engine} does not have: {}", path.display(), operators.join(", "))]
    Operators {
        /// The file.
        path: PathBuf,
        /// The engine's name.
        engine: String,
        /// What it lacks, each with its domain where that is not ONNX's own.
        operators: Vec<String>,
    },
    /// A network of a form that is not supported.
    #[error("`{}`: {reason}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What is not supported.
        reason: String,
    },
    /// A mistake in a sidecar file.
    #[error("`{}`: {place}{message}", path.display())]
    Sidecar {
        /// The sidecar.
        path: PathBuf,
        /// Where in it, with a colon and a space behind; empty where the parser's message says it.
        place: String,
        /// What is wrong and what would be right.
        message: String,
    },
    /// The input does not fit the network.
    #[error("`{}` {message}", path.display())]
    Input {
        /// The model.
        path: PathBuf,
        /// What does not fit.
        message: String,
    },
    /// The network gave something else than it promised.
    #[error("`{}` gave {message}", path.display())]
    Output {
        /// The model.
        path: PathBuf,
        /// What came out and what was promised.
        message: String,
    },
    /// The engine refused to load or to run the network.
    #[error("{engine} cannot {what} `{}`: {message}", path.display())]
    Engine {
        /// The model.
        path: PathBuf,
        /// The engine's name.
        engine: String,
        /// `load` or `run`.
        what: &'static str,
        /// The engine's words.
        message: String,
    },
    /// An onnxruntime library cannot be used.
    #[error("cannot use the onnxruntime library `{}`: {message}", path.display())]
    Library {
        /// The library.
        path: PathBuf,
        /// Why not.
        message: String,
    },
    /// A parameter outside its range.
    #[error("`{name}` is {value}, but must be {expected}")]
    Parameter {
        /// The parameter's name.
        name: &'static str,
        /// The value given.
        value: String,
        /// What is allowed.
        expected: &'static str,
    },
}

impl Error {
    /// A short stable word for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "file-access",
            Self::TooLarge { .. } => "file-too-large",
            Self::Damaged { .. } => "damaged-model",
            Self::Operators { .. } => "unsupported-operators",
            Self::Form { .. } => "unsupported-model",
            Self::Sidecar { .. } => "bad-sidecar",
            Self::Input { .. } => "wrong-input",
            Self::Output { .. } => "wrong-output",
            Self::Engine { .. } => "engine",
            Self::Library { .. } => "onnxruntime",
            Self::Parameter { .. } => "bad-parameter",
        }
    }

    /// What a person can do.
    #[must_use]
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::Io { .. } => "check the name of the file and that the service's user may read it",
            Self::TooLarge { .. } => "name the file of a network; export it in float32",
            Self::Damaged { .. } => "copy the file again, or export the network again",
            Self::Operators { .. } => {
                "export with another opset, or set `onnxruntime` in [workers] to a libonnxruntime.so"
            }
            Self::Form { .. } => {
                "export a 2-D network with one float32 input; `wellspring model check FILE` shows what a file holds"
            }
            Self::Sidecar { .. } => {
                "correct the sidecar; docs/guide/networks.md lists its keys, `wellspring model check FILE` tries it"
            }
            Self::Input { .. } => "give the job the inputs that the network was trained on",
            Self::Output { .. } => {
                "describe the outputs in the sidecar; `wellspring model check FILE` shows what comes out"
            }
            Self::Engine { .. } => "try it with `wellspring model check FILE`",
            Self::Library { .. } => {
                "correct `onnxruntime` in [workers]; it needs libonnxruntime.so 1.17 or newer for this machine"
            }
            Self::Parameter { .. } => "correct the job's parameters in the workflow",
        }
    }

    /// The file that is to blame, where there is one.
    #[must_use]
    pub fn path(&self) -> Option<&std::path::Path> {
        match self {
            Self::Io { path, .. }
            | Self::TooLarge { path, .. }
            | Self::Damaged { path, .. }
            | Self::Operators { path, .. }
            | Self::Form { path, .. }
            | Self::Sidecar { path, .. }
            | Self::Input { path, .. }
            | Self::Output { path, .. }
            | Self::Engine { path, .. }
            | Self::Library { path, .. } => Some(path),
            Self::Parameter { .. } => None,
        }
    }
}
