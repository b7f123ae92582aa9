//! Conversions and the flat field, against `analysis`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    clippy::cast_possible_truncation
)]

mod common;
#[path = "common/planes.rs"]
mod planes;

use analysis::accelerator::{Plane, PlaneBuf};
use analysis::correct::FlatField;
use gpu_kernels::kernels::convert::{self, Pixel, on_device};
use gpu_kernels::{Error, Gpu};
use ndarray::Array2;
use planes::{FILLS, Fill, PIXELS, plane};

/// The plane as it comes back after it was taken apart and packed again.
fn there_and_back(gpu: &Gpu, plane: &PlaneBuf, by_float: bool) -> Vec<u8> {
    let pixel = Pixel::of(&plane.view());
    let (height, width) = plane.view().dim();
    let count = height * width;
    let packed = convert::upload(gpu, plane.view()).unwrap();
    let mut batch = gpu.batch();
    let back = if by_float {
        let floats = on_device::to_f32(gpu, &mut batch, &packed, pixel, count).unwrap();
        on_device::pack_f32(gpu, &mut batch, &floats, pixel, 0, count).unwrap()
    } else {
        let values = on_device::widen(gpu, &mut batch, &packed, pixel, count).unwrap();
        on_device::pack(gpu, &mut batch, &values, pixel, 0, count).unwrap()
    };
    batch.submit().unwrap();
    gpu.download(&back, count * pixel.bytes()).unwrap()
}

fn bytes(plane: &PlaneBuf) -> Vec<u8> {
    match plane {
        PlaneBuf::U8(a) => a.as_slice().unwrap().to_vec(),
        PlaneBuf::U16(a) => bytemuck::cast_slice(a.as_slice().unwrap()).to_vec(),
        PlaneBuf::U32(a) => bytemuck::cast_slice(a.as_slice().unwrap()).to_vec(),
        PlaneBuf::F32(a) => bytemuck::cast_slice(a.as_slice().unwrap()).to_vec(),
    }
}

#[test]
fn planes_come_back_as_they_were() {
    let Some(gpu) = common::gpu() else { return };
    for shape in common::SIZES {
        for pixel in PIXELS {
            for fill in FILLS {
                let plane = plane(pixel, shape, fill, 1);
                let expected = bytes(&plane);
                let what = format!("{pixel:?} {shape:?} {fill:?}");
                assert_eq!(there_and_back(&gpu, &plane, false), expected, "{what}");
                if pixel != Pixel::U32 {
                    assert_eq!(there_and_back(&gpu, &plane, true), expected, "{what}");
                }
            }
        }
    }
}

#[test]
fn a_plane_of_more_groups_than_one_axis_has() {
    let Some(gpu) = common::gpu() else { return };
    let values = Array2::from_shape_fn((2900, 2950), |(y, x)| (y * 7 + x * 3) as u8);
    let plane = PlaneBuf::U8(values);
    assert!(there_and_back(&gpu, &plane, false) == bytes(&plane));
}

#[test]
fn floats_become_whole_numbers_as_in_rust() {
    let Some(gpu) = common::gpu() else { return };
    let floats = [
        0.0,
        -0.0,
        0.99,
        1.0,
        -1.0,
        1.999_999_9,
        254.9,
        255.0,
        255.5,
        256.0,
        65_534.99,
        65_535.5,
        1e9,
        4_294_967_040.0,
        4_294_967_296.0,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::NAN,
        -f32::NAN,
    ];
    let source = gpu.upload(&floats).unwrap();
    // From the second value on: what was cut off above does not shift what is packed.
    let rest = &floats[1..];
    let pack = |pixel| {
        let mut batch = gpu.batch();
        let packed = on_device::pack_f32(&gpu, &mut batch, &source, pixel, 1, rest.len()).unwrap();
        batch.submit().unwrap();
        packed
    };
    let packed = gpu.download::<u8>(&pack(Pixel::U8), rest.len()).unwrap();
    assert_eq!(packed, rest.iter().map(|&v| v as u8).collect::<Vec<_>>());
    let packed = gpu.download::<u16>(&pack(Pixel::U16), rest.len()).unwrap();
    assert_eq!(packed, rest.iter().map(|&v| v as u16).collect::<Vec<_>>());
    let packed = gpu.download::<u32>(&pack(Pixel::U32), rest.len()).unwrap();
    assert_eq!(packed, rest.iter().map(|&v| v as u32).collect::<Vec<_>>());
}

/// Bit for bit where the reference is neither a NaN nor so small that devices take it for 0.
fn assert_corrected(gpu: &Gpu, plane: Plane<'_>, field: &FlatField, what: &str) {
    let ours = convert::flat_field(gpu, plane, field).unwrap();
    let reference = match plane {
        Plane::U8(a) => field.correct(a),
        Plane::U16(a) => field.correct(a),
        Plane::F32(a) => field.correct(a),
        Plane::U32(_) => panic!("not corrected"),
    }
    .unwrap();
    for ((at, ours), reference) in ours.indexed_iter().zip(&reference) {
        let equal = ours.to_bits() == reference.to_bits()
            || ours.is_nan() && reference.is_nan()
            || reference.is_subnormal() && (*ours == 0.0 || ours == reference);
        assert!(equal, "{what}: {ours:e} is not {reference:e} at {at:?}");
    }
}

fn field(shape: (usize, usize), offset: f32) -> FlatField {
    let mut dice = common::Dice::new(7);
    let divisor = Array2::from_shape_simple_fn(shape, || 0.3 + dice.below(1 << 20) as f32 / 7e5);
    FlatField { divisor, offset }
}

#[test]
fn the_flat_field_is_that_of_the_reference() {
    let Some(gpu) = common::gpu() else { return };
    for shape in common::SIZES {
        for pixel in [Pixel::U8, Pixel::U16, Pixel::F32] {
            for fill in FILLS {
                for offset in [0.0, 100.0, 99.7] {
                    let what = format!("{pixel:?} {shape:?} {fill:?} {offset}");
                    let plane = plane(pixel, shape, fill, 3);
                    assert_corrected(&gpu, plane.view(), &field(shape, offset), &what);
                    let turned = field((shape.1, shape.0), offset);
                    assert_corrected(&gpu, planes::transposed(&plane), &turned, &what);
                }
            }
        }
    }
}

#[test]
fn division_is_exact_for_any_floats() {
    let Some(gpu) = common::gpu() else { return };
    let shape = (700, 501);
    let mut dice = common::Dice::new(11);
    let mut any = |mask: u32| {
        Array2::from_shape_simple_fn(shape, || {
            loop {
                let bits = dice.next() << 3 ^ dice.next();
                let value = f32::from_bits(bits & mask);
                // An input that devices take for 0 is not of interest.
                if !value.is_subnormal() {
                    return value;
                }
            }
        })
    };
    // Few bits in the mantissas make ties, and exact quotients.
    for mask in [u32::MAX, 0xffff_0000, 0xfff8_0000, 0x3fff_ffff] {
        let (values, divisor) = (any(mask), any(mask));
        let field = FlatField {
            divisor,
            offset: 0.0,
        };
        assert_corrected(
            &gpu,
            Plane::F32(values.view()),
            &field,
            &format!("{mask:x}"),
        );
    }
}

#[test]
fn special_values_divide_as_on_the_cpu() {
    let Some(gpu) = common::gpu() else { return };
    let special = [
        0.0,
        -0.0,
        1.0,
        -3.0,
        f32::MAX,
        f32::MIN_POSITIVE,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::NAN,
    ];
    let shape = (special.len(), special.len());
    let values = Array2::from_shape_fn(shape, |(y, _)| special[y]);
    let field = FlatField {
        divisor: Array2::from_shape_fn(shape, |(_, x)| special[x]),
        offset: 0.0,
    };
    assert_corrected(&gpu, Plane::F32(values.view()), &field, "special");
}

#[test]
fn a_plane_larger_than_a_binding_or_the_memory_is_corrected_in_bands() {
    let Some(gpu) = common::open(planes::narrow(8192)) else {
        return;
    };
    for pixel in [Pixel::U8, Pixel::U16, Pixel::F32] {
        let plane = plane(pixel, (301, 257), Fill::Random, 5);
        assert_corrected(&gpu, plane.view(), &field((301, 257), 100.0), "bands");
    }
    assert!(gpu.dispatches() > 30);
    let scarce = common::open(planes::scarce(100 << 10)).unwrap();
    for pixel in [Pixel::U8, Pixel::U16, Pixel::F32] {
        let plane = plane(pixel, (301, 257), Fill::Random, 5);
        assert_corrected(&scarce, plane.view(), &field((301, 257), 100.0), "memory");
    }
}

#[test]
fn what_the_reference_does_not_take_is_refused() {
    let Some(gpu) = common::gpu() else { return };
    let wide = plane(Pixel::U32, (3, 4), Fill::Zero, 0);
    let refused = convert::flat_field(&gpu, wide.view(), &field((3, 4), 0.0));
    assert!(matches!(refused, Err(Error::Unsupported(_))));
    let byte = plane(Pixel::U8, (3, 4), Fill::Zero, 0);
    let refused = convert::flat_field(&gpu, byte.view(), &field((4, 3), 0.0));
    assert!(matches!(refused, Err(Error::Unsupported(_))));
    let empty = plane(Pixel::U8, (0, 4), Fill::Zero, 0);
    let nothing = convert::flat_field(&gpu, empty.view(), &field((0, 4), 0.0)).unwrap();
    assert_eq!(nothing.dim(), (0, 4));
}
