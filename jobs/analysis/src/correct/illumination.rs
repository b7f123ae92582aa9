//! The illumination function of a plate and channel: the smoothed mean of all its images.

use multiversion::multiversion;
use ndarray::{Array2, ArrayView2};

use super::{Raw, same_shape};
use crate::gaussian::{gaussian, pairwise_sum_f32, shaped};
use crate::histogram::pixels;
use crate::{Error, Result};

/// The sum of the images of one channel of a plate.
///
/// Sums are kept in double precision. For integer images they are exact, so the function does not depend on the order in
/// which images arrive. (The usual single-precision sum in file order is the same as long as it stays below 2^24: for
/// 65,793 8-bit or 256 saturated 16-bit images.)
#[derive(Clone, Debug, PartialEq)]
pub struct IlluminationSum {
    sum: Array2<f64>,
    images: u64,
}

impl IlluminationSum {
    /// No images yet, of this (height, width).
    #[must_use]
    pub fn new(shape: (usize, usize)) -> Self {
        Self {
            sum: Array2::zeros(shape),
            images: 0,
        }
    }

    /// How many images have been added.
    #[must_use]
    pub const fn images(&self) -> u64 {
        self.images
    }

    /// Adds an image.
    ///
    /// # Errors
    /// [`Error::Shape`] when its size is not that of the others.
    pub fn add<T: Raw>(&mut self, image: ArrayView2<'_, T>) -> Result<()> {
        same_shape(self.sum.dim(), image.dim())?;
        let Some(sum) = self.sum.as_slice_mut() else {
            unreachable!("a new array is contiguous");
        };
        T::add(&pixels(&image), sum);
        self.images += 1;
        Ok(())
    }

    /// Adds the images of another sum, for example one made by another thread.
    ///
    /// # Errors
    /// [`Error::Shape`] when their sizes differ.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        same_shape(self.sum.dim(), other.sum.dim())?;
        self.sum += &other.sum;
        self.images += other.images;
        Ok(())
    }

    /// The illumination function: the mean image, smoothed with a Gaussian of `sigma` pixels, divided by its own mean.
    ///
    /// Equal to `f = skimage.filters.gaussian(mean, sigma, preserve_range=True); f / f.mean()` in single precision, to
    /// within 1e-6 (see [`crate::gaussian`]).
    ///
    /// # Errors
    /// [`Error::Empty`] without images or pixels; [`Error::Parameter`] for a bad sigma, or when the smoothed mean image is
    /// not positive everywhere, which would turn pixels into infinities.
    pub fn function(&self, sigma: f64) -> Result<Array2<f32>> {
        if self.images == 0 || self.sum.is_empty() {
            return Err(Error::Empty("the illumination function"));
        }
        let images = self.images as f64;
        let mean = self.sum.mapv(|sum| (sum / images) as f32);
        let mut function = gaussian(mean.view(), sigma)?;
        let smallest = function.iter().copied().fold(f32::INFINITY, f32::min);
        if smallest.is_nan() || smallest <= 0.0 {
            return Err(Error::Parameter {
                name: "illumination",
                value: format!("a smoothed mean image with the value {smallest}"),
                expected: "positive everywhere: leave black or broken images out, or use a larger sigma",
            });
        }
        let average = pairwise_sum_f32(&pixels(&function.view())) / function.len() as f32;
        function.mapv_inplace(|value| value / average);
        Ok(function)
    }
}

/// `image / illumination` in single precision.
///
/// # Errors
/// [`Error::Shape`] when the planes differ in size.
pub fn divide_by_illumination<T: Raw>(
    image: ArrayView2<'_, T>,
    illumination: ArrayView2<'_, f32>,
) -> Result<Array2<f32>> {
    same_shape(image.dim(), illumination.dim())?;
    let mut out = vec![0.0; image.len()];
    T::divide(&pixels(&image), &pixels(&illumination), &mut out);
    Ok(shaped(image.dim(), out))
}

macro_rules! raw {
    ($type:ty, $divide:ident, $add:ident) => {
        impl Raw for $type {
            fn divide(pixels: &[Self], by: &[f32], out: &mut [f32]) {
                $divide(pixels, by, out);
            }

            fn add(pixels: &[Self], to: &mut [f64]) {
                $add(pixels, to);
            }
        }

        #[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
        fn $divide(pixels: &[$type], by: &[f32], out: &mut [f32]) {
            for (out, (&pixel, &by)) in out.iter_mut().zip(pixels.iter().zip(by)) {
                *out = f32::from(pixel) / by;
            }
        }

        #[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
        fn $add(pixels: &[$type], to: &mut [f64]) {
            for (sum, &pixel) in to.iter_mut().zip(pixels) {
                *sum += f64::from(pixel);
            }
        }
    };
}

raw!(u8, divide_u8, add_u8);
raw!(u16, divide_u16, add_u16);
raw!(f32, divide_f32, add_f32);
