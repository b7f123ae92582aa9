//! A chain of operations on the device gives what the operations give one by one.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod common;

use analysis::accelerator::{GreyFilter, Plane, PlaneBuf};
use analysis::correct::FlatField;
use analysis::morphology::white_tophat;
use gpu_kernels::Error;
use gpu_kernels::kernels::chain::{self, DevicePlane};
use ndarray::Array2;

#[test]
fn a_chain_is_uploaded_once_and_gives_the_same() {
    let Some(gpu) = common::gpu() else { return };
    let mut dice = common::Dice::new(7);
    for size in common::SIZES {
        let image = Array2::from_shape_simple_fn(size, || dice.below(5000) as u16);
        let field = FlatField {
            divisor: Array2::from_shape_simple_fn(size, || 0.5 + dice.below(1000) as f32 / 1000.0),
            offset: 100.0,
        };
        let on_device = DevicePlane::upload(&gpu, Plane::U16(image.view())).unwrap();
        let divisor = DevicePlane::upload(&gpu, Plane::F32(field.divisor.view())).unwrap();
        let corrected = chain::flat_field(&gpu, &on_device, &divisor, field.offset).unwrap();
        let spots = chain::grey(&gpu, GreyFilter::WhiteTophat, 4, &corrected).unwrap();
        let expected = field.correct(image.view()).unwrap();
        assert_eq!(
            corrected.download(&gpu).unwrap(),
            PlaneBuf::F32(expected.clone())
        );
        assert_eq!(
            spots.download(&gpu).unwrap(),
            PlaneBuf::F32(white_tophat(expected.view(), 4).unwrap())
        );
    }
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let Some(gpu) = common::gpu() else { return };
    let image = Array2::<u16>::zeros((4, 5));
    let divisor = Array2::<f32>::ones((5, 4));
    let image = DevicePlane::upload(&gpu, Plane::U16(image.view())).unwrap();
    let divisor = DevicePlane::upload(&gpu, Plane::F32(divisor.view())).unwrap();
    let refused = chain::flat_field(&gpu, &image, &divisor, 0.0);
    assert!(matches!(refused, Err(Error::Unsupported(_))));
}
