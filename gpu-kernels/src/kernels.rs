//! The kernels. Each module has the WGSL of one family beside the code that runs it.

pub mod chain;
pub mod classify;
pub mod components;
pub mod convert;
mod cut;
pub mod distance;
pub mod features;
pub mod forest;
pub mod gaussian;
pub mod mask;
pub mod morphology;
pub mod objects;
pub mod prefix_sum;
pub mod pyramid;
