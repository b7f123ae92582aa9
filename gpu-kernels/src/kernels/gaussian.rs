//! Gaussian smoothing and derivatives of `f32` planes: `analysis::gaussian`, within a tolerance.
//!
//! The reference adds in double precision, which few devices have. Here the weights are for the difference to the pixel itself, so
//! that what is added up is small where the plane is even: a plane without differences stays bit for bit what it is, and a large
//! offset costs nothing. Guaranteed for finite values: within 1e-6 of the range of the plane's values plus one unit in the last place
//! of the largest one, for any sigma. For derivatives the tolerance is that times the sums of the absolute weights of both axes.
//!
//! The result does not depend on how a plane is cut into bands.

// A view is a pointer and two pairs of numbers: ndarray passes it by value.
#![allow(clippy::needless_pass_by_value)]

mod filter;
pub mod on_device;

pub use filter::{Filter, MOST_RADIUS, Rows};

use analysis::accelerator::Plane;
use analysis::gaussian::Smoothing;
use ndarray::{Array2, ArrayView2, s};

use crate::error::Result;
use crate::gpu::Gpu;
use crate::kernels::convert::{append, planar, upload};
use crate::kernels::cut::{Needs, bands};

/// Smooths a (y, x) plane: [`analysis::gaussian::smooth`], with it `scipy.ndimage.gaussian_filter` and `skimage.filters.gaussian`; for
/// the tolerance see the module.
///
/// # Errors
/// As [`derivative`].
pub fn smooth(gpu: &Gpu, plane: ArrayView2<'_, f32>, how: &Smoothing) -> Result<Array2<f32>> {
    derivative(gpu, plane, how, [0, 0])
}

/// The derivatives of these orders (0, 1 or 2) along (y, x) of the smoothed plane: `scipy.ndimage.gaussian_filter(plane, sigma,
/// order=orders, mode=mode, truncate=truncate)`; for the tolerance see the module. Like there, an axis with a sigma of 0 is left alone.
///
/// # Errors
/// [`crate::Error::Unsupported`] for another order, for what is not a sigma, and for a kernel of more than [`MOST_RADIUS`] pixels to
/// each side; those of the device.
pub fn derivative(
    gpu: &Gpu,
    plane: ArrayView2<'_, f32>,
    how: &Smoothing,
    orders: [u8; 2],
) -> Result<Array2<f32>> {
    let (height, width) = plane.dim();
    let filter = Filter::new(gpu, how, orders)?;
    let row = 4 * width as u64;
    let needs = Needs {
        halo: filter.halo(),
        width,
        largest: row,
        // The source, what is between the axes, the result.
        all: 3 * row,
    };
    let mut values = Vec::new();
    if width > 0 {
        for band in bands(gpu, height, needs)? {
            let source = upload(gpu, Plane::F32(plane.slice(s![band.source.clone(), ..])))?;
            let count = band.out.len() * width;
            let rows = Rows {
                plane: (height, width),
                source: band.source,
                out: band.out,
            };
            let mut batch = gpu.batch();
            let out = on_device::filter(gpu, &mut batch, &filter, &source, &rows)?;
            batch.submit()?;
            append(&mut values, gpu.download(&out, count)?);
        }
    }
    planar((height, width), values)
}
