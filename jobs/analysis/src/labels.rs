//! New label images and masks from label images: edges, erosion, rings around objects, objects of unwanted size.
//!
//! What BatchLib's ErodeSegmentation, VoronoiRingSegmentation and WriteCellSizeMasks compute, equal in every pixel.

// Views are two words and a pointer: they are passed as slices are.
#![allow(clippy::needless_pass_by_value)]

mod edges;
mod ring;
mod size;

pub use edges::{edges, erode};
pub use ring::{RingWidth, voronoi_ring};
pub use size::size_mask;
