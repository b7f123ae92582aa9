//! Values with a meaning of their own: sizes, counts, the accelerator.

mod byte_size;
mod count;
mod gpu;

pub use byte_size::ByteSize;
pub use count::Count;
pub use gpu::Gpu;
