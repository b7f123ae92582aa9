//! Values with a meaning of their own: sizes, counts, the accelerator, secrets.

mod byte_size;
mod count;
mod gpu;
mod secret;

pub use byte_size::ByteSize;
pub use count::Count;
pub use gpu::Gpu;
pub use secret::Secret;
