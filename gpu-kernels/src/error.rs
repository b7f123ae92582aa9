//! What can go wrong on a device. None of it is the image's fault: whatever the device refuses, the CPU computes.

/// An error of a device or its driver.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// No adapter is the one that is wanted.
    #[error("no GPU: {0}")]
    NoAdapter(String),
    /// The driver has an adapter but gives no device, or refuses a kernel.
    #[error("the driver of `{adapter}` refuses: {reason}")]
    Refused {
        /// The adapter.
        adapter: String,
        /// What the driver says.
        reason: String,
    },
    /// The device's memory, or the share of it that may be used, is full.
    #[error("out of device memory: {wanted} more bytes were wanted ({reason})")]
    OutOfMemory {
        /// Bytes that were asked for.
        wanted: u64,
        /// Who said no.
        reason: String,
    },
    /// The device is gone: reset, unplugged, or its driver crashed. It must be opened anew.
    #[error("the device was lost: {0}")]
    Lost(String),
    /// The device did not finish in time. It must be opened anew.
    #[error("the device did not finish within {0} s")]
    TimedOut(u64),
    /// The kernels do not do this; the CPU does.
    #[error("not done on a GPU: {0}")]
    Unsupported(&'static str),
}

impl Error {
    /// A short name for counting.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoAdapter(_) => "no_adapter",
            Self::Refused { .. } => "refused",
            Self::OutOfMemory { .. } => "out_of_memory",
            Self::Lost(_) => "lost",
            Self::TimedOut(_) => "timed_out",
            Self::Unsupported(_) => "unsupported",
        }
    }

    /// Whether the device is of no use any more and must be opened anew.
    #[must_use]
    pub const fn is_fatal(&self) -> bool {
        matches!(self, Self::Lost(_) | Self::TimedOut(_))
    }
}

/// Results of this crate.
pub type Result<T> = std::result::Result<T, Error>;
