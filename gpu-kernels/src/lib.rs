//! GPU adapters: what there is, and which one "auto" means. Kernels are added beside the traits of `analysis`.
//!
//! Built without the feature `gpu` the crate lists no adapter and pulls in no graphics library.

mod adapter;
#[cfg(feature = "gpu")]
mod vulkan;

pub use adapter::{AdapterInfo, DeviceKind, choose};

/// Every adapter that the drivers offer; empty without drivers, and without the feature `gpu`.
#[must_use]
pub fn adapters() -> Vec<AdapterInfo> {
    #[cfg(feature = "gpu")]
    return vulkan::adapters();
    #[cfg(not(feature = "gpu"))]
    Vec::new()
}
