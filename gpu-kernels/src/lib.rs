//! Compute kernels (WGSL through wgpu) of the operations of `analysis`, and the choice of an adapter.
//!
//! [`Gpu`] is an open device; the modules below it are the kernels, each of which names the function of `analysis` that it equals
//! and how closely. Integers are exact. Built without the feature `gpu` the crate lists no adapter and pulls in no graphics library.

mod adapter;
mod error;
#[cfg(feature = "gpu")]
pub mod example;
#[cfg(feature = "gpu")]
mod gpu;
#[cfg(feature = "gpu")]
pub mod kernels;
#[cfg(feature = "gpu")]
mod local;
#[cfg(feature = "gpu")]
pub mod measure;
#[cfg(feature = "gpu")]
mod vulkan;

pub use adapter::{AdapterInfo, DeviceKind, choose, choose_all};
pub use error::{Error, Result};
#[cfg(feature = "gpu")]
pub use gpu::{Batch, Buffer, Download, Gpu, Kernel, Options};
#[cfg(feature = "gpu")]
pub use local::Local;

/// Every adapter that the drivers offer; empty without drivers, and without the feature `gpu`.
#[must_use]
pub fn adapters() -> Vec<AdapterInfo> {
    #[cfg(feature = "gpu")]
    return vulkan::adapters();
    #[cfg(not(feature = "gpu"))]
    Vec::new()
}
