//! The one process that holds a GPU, how workers ask it, and the daemon's hold on it.
//!
//! A driver may crash, hang or lose its device. In a process of its own that costs nobody anything: the worker that asked gets no
//! answer and computes with its own processor, and the daemon starts the process anew. It is started when a worker first asks and
//! ends when nobody asks any more, so that without GPU work nothing is paid.
//!
//! Several workers ask at a time: while the device works for one, another's images are read, copied or compressed.

#[cfg(feature = "gpu")]
mod balance;
mod frame;
mod host;
mod protocol;
mod remote;
#[cfg(feature = "gpu")]
mod server;
#[cfg(feature = "gpu")]
mod session;
mod tally;
mod wire;

#[cfg(feature = "gpu")]
pub use balance::Balance;
pub use host::{Host, HostState, SpawnOptions};
pub use protocol::Threshold;
pub use remote::Remote;
#[cfg(feature = "gpu")]
pub use server::{Ended, Settings, end_now, serve};
pub use tally::{Operation, Tally, Used};

/// Whether this program has GPU kernels at all.
pub const BUILT_IN: bool = cfg!(feature = "gpu");
