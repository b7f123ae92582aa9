//! Local thresholds: each pixel is compared with its own neighbourhood.

use ndarray::{Array2, ArrayView2};

use crate::gaussian::{Mode, Smoothing, shaped, smooth};
use crate::{Error, Result};

mod mean;
mod median;

/// What a neighbourhood is reduced to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LocalMethod {
    /// A Gaussian with a sigma of (block size - 1) / 6.
    #[default]
    Gaussian,
    /// The mean of the block.
    Mean,
    /// The median of the block.
    Median,
}

/// The plane of local thresholds: `skimage.filters.threshold_local(plane, block_size, method, offset)` for `f32` planes.
///
/// `block_size` is the side of the square neighbourhood in pixels; `offset` is subtracted from every threshold. Beyond the
/// border the plane is reflected. Equal to within 1e-6 of the plane's range (the median and the mean exactly).
/// Convert integer planes to `f32` first; scikit-image uses double precision for those, so its thresholds may differ in the
/// seventh digit.
///
/// # Errors
/// [`Error::Parameter`] when `block_size` is even or 0.
pub fn local(
    plane: ArrayView2<'_, f32>,
    block_size: usize,
    method: LocalMethod,
    offset: f64,
) -> Result<Array2<f32>> {
    if block_size.is_multiple_of(2) {
        return Err(Error::Parameter {
            name: "block_size",
            value: block_size.to_string(),
            expected: "odd",
        });
    }
    let mut thresholds = match method {
        LocalMethod::Gaussian => {
            let sigma = (block_size - 1) as f64 / 6.0;
            smooth(plane, &Smoothing::isotropic(sigma).with_mode(Mode::Reflect))?
        }
        LocalMethod::Mean => shaped(plane.dim(), mean::filter(plane, block_size)),
        LocalMethod::Median => shaped(plane.dim(), median::filter(plane, block_size)),
    };
    let offset = offset as f32;
    thresholds.mapv_inplace(|threshold| threshold - offset);
    Ok(thresholds)
}
