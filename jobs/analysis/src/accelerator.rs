//! Operations that something else than this processor may run: a GPU.
//!
//! The functions of this crate are the reference. An accelerator gives the same integers, and floating-point numbers within the
//! tolerance that its own documentation states; whatever it does not do, or could not do this time, the caller computes here.

use ndarray::{Array2, Array4, ArrayView2, ArrayView4};

use crate::components::Connectivity;
use crate::correct::FlatField;
use crate::pixel_classification::Classifier;

/// A plane (y, x) in the type of its file.
#[derive(Clone, Copy, Debug)]
pub enum Plane<'a> {
    /// 8-bit.
    U8(ArrayView2<'a, u8>),
    /// 16-bit.
    U16(ArrayView2<'a, u16>),
    /// 32-bit.
    U32(ArrayView2<'a, u32>),
    /// Single precision.
    F32(ArrayView2<'a, f32>),
}

/// As [`Plane`], with its own values.
#[derive(Clone, Debug, PartialEq)]
pub enum PlaneBuf {
    /// 8-bit.
    U8(Array2<u8>),
    /// 16-bit.
    U16(Array2<u16>),
    /// 32-bit.
    U32(Array2<u32>),
    /// Single precision.
    F32(Array2<f32>),
}

impl Plane<'_> {
    /// The same with a shorter life.
    #[must_use]
    pub fn reborrow(&self) -> Plane<'_> {
        match self {
            Self::U8(a) => Plane::U8(a.view()),
            Self::U16(a) => Plane::U16(a.view()),
            Self::U32(a) => Plane::U32(a.view()),
            Self::F32(a) => Plane::F32(a.view()),
        }
    }

    /// Height and width.
    #[must_use]
    pub fn dim(&self) -> (usize, usize) {
        match self {
            Self::U8(a) => a.dim(),
            Self::U16(a) => a.dim(),
            Self::U32(a) => a.dim(),
            Self::F32(a) => a.dim(),
        }
    }
}

impl PlaneBuf {
    /// A look at it.
    #[must_use]
    pub fn view(&self) -> Plane<'_> {
        match self {
            Self::U8(a) => Plane::U8(a.view()),
            Self::U16(a) => Plane::U16(a.view()),
            Self::U32(a) => Plane::U32(a.view()),
            Self::F32(a) => Plane::F32(a.view()),
        }
    }
}

/// A filter of grey morphology; see [`crate::morphology`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GreyFilter {
    /// [`crate::morphology::erosion`].
    Erosion,
    /// [`crate::morphology::dilation`].
    Dilation,
    /// [`crate::morphology::opening`].
    Opening,
    /// [`crate::morphology::closing`].
    Closing,
    /// [`crate::morphology::white_tophat`].
    WhiteTophat,
}

/// A plane that an accelerator may know already, or shall keep for the next operation.
#[derive(Clone, Copy, Debug)]
pub struct Operand<'a> {
    /// The values.
    pub plane: Plane<'a>,
    /// The same number means the same values, as long as the accelerator lives.
    pub id: Option<u64>,
}

/// Runs whole operations. `None` means: not here, not this time; the accelerator itself tells why. By default it does nothing.
pub trait Accelerator: Send + Sync + std::fmt::Debug {
    /// What it is called in logs and provenance.
    fn name(&self) -> String;

    /// [`FlatField::correct`]; the result is kept under `id`.
    fn flat_field(
        &self,
        field: &FlatField,
        image: Operand<'_>,
        id: Option<u64>,
    ) -> Option<Array2<f32>> {
        let _ = (field, image, id);
        None
    }

    /// A filter by a disk, in the plane's own type; the result is kept under `id`.
    fn grey(
        &self,
        filter: GreyFilter,
        radius: usize,
        image: Operand<'_>,
        id: Option<u64>,
    ) -> Option<PlaneBuf> {
        let _ = (filter, radius, image, id);
        None
    }

    /// [`Classifier::probabilities`].
    fn probabilities(
        &self,
        classifier: &Classifier,
        image: ArrayView4<'_, f32>,
    ) -> Option<Array4<f32>> {
        let _ = (classifier, image);
        None
    }

    /// [`crate::distance::edt`], exactly.
    fn distances(&self, mask: ArrayView2<'_, bool>) -> Option<Array2<f64>> {
        let _ = mask;
        None
    }

    /// [`crate::components::label`], numbering included.
    fn label(
        &self,
        mask: ArrayView2<'_, bool>,
        connectivity: Connectivity,
    ) -> Option<(Array2<u32>, u32)> {
        let _ = (mask, connectivity);
        None
    }

    /// No number that was used so far is used again: what is kept may go.
    fn forget(&self) {}
}
