//! Small generated images.

use analysis::components::Connectivity;
use analysis::correct::{
    FlatField, IlluminationSum, correct, divide_by_illumination, subtract_background,
};
use analysis::distance::{edt, edt_squared};
use analysis::gaussian::{Mode, Smoothing, gaussian, smooth};
use analysis::histogram::{Pixel, histogram, percentile, percentiles};
use analysis::morphology::{
    Element, GreyPixel, Outside, SizeLimit, binary_closing, binary_dilation, binary_erosion,
    binary_opening, closing, dilation, erosion, fill_holes, opening, remove_small_holes,
    remove_small_objects, white_tophat,
};
use analysis::threshold::{Li, LocalMethod, li, local, otsu, triangle, yen};
use bytemuck::NoUninit;
use ndarray::{Array1, Array2, ArrayView2};
use serde_json::Value;

use crate::images::{Random, image, speckle};
use crate::reference::{Group, crc32};

/// The promise of the Gaussian and what is built on it.
const SINGLE: f64 = 1e-6;
const QS: [f64; 9] = [0.0, 0.1, 1.0, 5.0, 50.0, 63.7, 99.0, 99.8, 100.0];

/// The images of one case.
struct Case<'a> {
    group: Group<'a>,
    u8: Array2<u8>,
    u16: Array2<u16>,
    f32: Array2<f32>,
    blobs: Array2<bool>,
    holes: Array2<bool>,
}

fn for_each_case(check: impl Fn(&Case)) {
    let text = include_str!("../reference/filters.json");
    let cases: Value = serde_json::from_str(text).unwrap();
    for case in cases.as_array().unwrap() {
        let shape = (
            case["shape"][0].as_u64().unwrap() as usize,
            case["shape"][1].as_u64().unwrap() as usize,
        );
        let seed = case["seed"].as_u64().unwrap();
        let u16 = image(shape, seed);
        let case = Case {
            group: Group::unchecked(format!("{}x{}", shape.0, shape.1), case),
            u8: u16.mapv(|value| (value / 90).min(255) as u8),
            f32: u16.mapv(|value| (f32::from(value) - 700.0) / 7.0),
            blobs: u16.mapv(|value| value > 2500),
            holes: speckle(shape, seed),
            u16,
        };
        check(&case);
    }
}

#[test]
fn the_images_are_those_of_the_reference() {
    fn crc<T: NoUninit>(plane: &Array2<T>) -> f64 {
        f64::from(crc32(bytemuck::cast_slice(plane.as_slice().unwrap())))
    }
    for_each_case(|case| {
        case.group.numbers(
            "image",
            &[
                crc(&case.u8),
                crc(&case.u16),
                crc(&case.f32),
                crc(&case.holes),
            ],
        );
    });
}

#[test]
fn gaussian_is_that_of_scipy() {
    for_each_case(|case| {
        let group = case.group.group("smooth f32");
        for sigma in [0.0, 1.0, 2.5, 7.0] {
            group.close(
                &format!("nearest {sigma}"),
                &gaussian(case.f32.view(), sigma).unwrap(),
                SINGLE,
            );
        }
        for (mode, name) in [(Mode::Reflect, "reflect 1.5"), (Mode::Mirror, "mirror 1.5")] {
            let how = Smoothing::isotropic(1.5).with_mode(mode);
            group.close(name, &smooth(case.f32.view(), &how).unwrap(), SINGLE);
        }
        let how = Smoothing {
            sigma: [4.0, 0.7],
            truncate: 3.0,
            mode: Mode::Nearest,
        };
        group.close(
            "anisotropic",
            &smooth(case.f32.view(), &how).unwrap(),
            SINGLE,
        );
        let distance = edt(case.blobs.view()).unwrap();
        case.group.group("smooth f64").close_f64(
            "distance",
            &gaussian(distance.view(), 1.0).unwrap(),
            1e-12,
        );
    });
}

#[test]
fn a_view_is_smoothed_as_its_copy() {
    let plane = image((40, 60), 3).mapv(f32::from);
    let view = plane.slice(ndarray::s![3..35;2, 5..50;-3]);
    assert_eq!(gaussian(view, 1.3), gaussian(view.to_owned().view(), 1.3));
    assert_eq!(gaussian(view, 9.0), gaussian(view.to_owned().view(), 9.0));
    let empty = Array2::<f32>::zeros((0, 5));
    assert_eq!(gaussian(empty.view(), 2.0).unwrap().dim(), (0, 5));
    assert!(gaussian(plane.view(), -1.0).is_err());
}

fn check_statistics<T: Pixel + Li>(group: &Group, plane: ArrayView2<T>) {
    let one_by_one: Vec<f64> = QS.iter().map(|&q| percentile(plane, q).unwrap()).collect();
    group.numbers("percentile", &one_by_one);
    group.numbers("percentiles", &percentiles(plane, &QS).unwrap());
    let histogram = histogram(plane).unwrap();
    let bins = histogram.counts.len();
    assert_eq!(Some(bins as u64), group.value("bins").as_u64());
    group.number("first center", histogram.center(0), 0.0);
    group.number("last center", histogram.center(bins - 1), 0.0);
    group.exact(
        "histogram",
        &Array1::from(histogram.counts).insert_axis(ndarray::Axis(0)),
    );
    group.number("otsu", otsu(plane).unwrap(), 0.0);
    group.number("triangle", triangle(plane).unwrap(), 0.0);
    group.number("yen", yen(plane).unwrap(), 0.0);
    let [low, high] = [0.0, 100.0].map(|q| percentile(plane, q).unwrap());
    group.number("li", li(plane).unwrap(), SINGLE * (high - low));
}

#[test]
fn statistics_and_thresholds_are_those_of_numpy_and_scikit_image() {
    for_each_case(|case| {
        check_statistics(&case.group.group("statistics u8"), case.u8.view());
        check_statistics(&case.group.group("statistics u16"), case.u16.view());
        check_statistics(&case.group.group("statistics f32"), case.f32.view());
        let fine = case.f32.mapv(|value| 5000.0 + value / 64.0);
        check_statistics(&case.group.group("statistics fine"), fine.view());
    });
}

#[test]
fn local_thresholds_are_those_of_scikit_image() {
    for_each_case(|case| {
        let group = case.group.group("local");
        for (method, name, tolerance) in [
            (LocalMethod::Gaussian, "gaussian", SINGLE),
            (LocalMethod::Mean, "mean", 0.0),
            (LocalMethod::Median, "median", 0.0),
        ] {
            let thresholds = local(case.f32.view(), 11, method, 2.5).unwrap();
            group.close(name, &thresholds, tolerance);
        }
        assert!(local(case.f32.view(), 10, LocalMethod::Mean, 0.0).is_err());
    });
}

type Operation = fn(ArrayView2<bool>, Element, Outside) -> analysis::Result<Array2<bool>>;

fn check_binary(group: &Group, mask: ArrayView2<bool>) {
    let operations: [(&str, Operation); 4] = [
        ("erosion", binary_erosion),
        ("dilation", binary_dilation),
        ("opening", binary_opening),
        ("closing", binary_closing),
    ];
    for (name, operation) in operations {
        for (number, outside) in [Outside::Background, Outside::Foreground]
            .into_iter()
            .enumerate()
        {
            for iterations in [1, 2, 5] {
                let key = format!("{name} cross {iterations} outside {number}");
                group.exact(
                    &key,
                    &operation(mask, Element::Cross { iterations }, outside).unwrap(),
                );
            }
        }
        for radius in [1, 2, 3, 8] {
            let result = operation(mask, Element::Disk(radius), Outside::Ignored).unwrap();
            group.exact(&format!("{name} disk {radius}"), &result);
        }
        assert_eq!(
            operation(mask, Element::Disk(0), Outside::Background).unwrap(),
            mask
        );
    }
    group.exact("fill holes", &fill_holes(mask));
    for (number, connectivity) in [(1, Connectivity::Edges), (2, Connectivity::Corners)] {
        let objects = remove_small_objects(mask, SizeLimit::AtMost(9), connectivity);
        group.exact(&format!("small objects {number}"), &objects);
        let holes = remove_small_holes(mask, SizeLimit::AtMost(4), connectivity);
        group.exact(&format!("small holes {number}"), &holes);
    }
    let old = remove_small_objects(mask, SizeLimit::Below(9), Connectivity::Edges);
    group.exact("old small objects", &old);
    group.exact("distance", &edt(mask).unwrap());
    group.exact("distance squared", &edt_squared(mask).unwrap());
}

#[test]
fn masks_are_processed_as_by_scipy_and_scikit_image() {
    for_each_case(|case| {
        check_binary(&case.group.group("binary blobs"), case.blobs.view());
        check_binary(&case.group.group("binary holes"), case.holes.view());
        check_binary(
            &case.group.group("binary none"),
            Array2::from_elem(case.blobs.dim(), false).view(),
        );
        check_binary(
            &case.group.group("binary all"),
            Array2::from_elem(case.blobs.dim(), true).view(),
        );
    });
}

fn check_grey<T: GreyPixel + NoUninit>(group: &Group, plane: ArrayView2<T>) {
    for radius in [0, 1, 3, 10] {
        group.exact(
            &format!("erosion {radius}"),
            &erosion(plane, radius).unwrap(),
        );
        group.exact(
            &format!("dilation {radius}"),
            &dilation(plane, radius).unwrap(),
        );
        group.exact(
            &format!("opening {radius}"),
            &opening(plane, radius).unwrap(),
        );
        group.exact(
            &format!("closing {radius}"),
            &closing(plane, radius).unwrap(),
        );
        group.exact(
            &format!("white_tophat {radius}"),
            &white_tophat(plane, radius).unwrap(),
        );
    }
}

#[test]
fn grey_planes_are_processed_as_by_scikit_image() {
    for_each_case(|case| {
        check_grey(&case.group.group("grey u8"), case.u8.view());
        check_grey(&case.group.group("grey u16"), case.u16.view());
        check_grey(&case.group.group("grey f32"), case.f32.view());
    });
}

#[test]
fn corrections_are_those_of_the_originals() {
    for_each_case(|case| {
        let group = case.group.group("correct");
        let shape = case.u16.dim();
        let mut random = Random::new(99);
        let illumination = Array2::from_shape_simple_fn(shape, || {
            0.5 + random.next(1 << 20) as f32 / (1u32 << 20) as f32
        });
        let divided = divide_by_illumination(case.u16.view(), illumination.view()).unwrap();
        group.exact("divided", &divided);
        let corrected = correct(case.u16.view(), illumination.view(), 5.0).unwrap();
        assert_eq!(corrected, subtract_background(divided, 5.0).unwrap());
        group.number("background", f64::from(corrected.background), 0.0);
        group.exact("subtracted", &corrected.plane);
        let flat = FlatField {
            divisor: illumination,
            offset: 100.0,
        };
        group.exact("flat field", &flat.correct(case.u16.view()).unwrap());

        let [mut sum, mut other] = [(); 2].map(|()| IlluminationSum::new(shape));
        for seed in [13, 11] {
            sum.add(image(shape, seed).view()).unwrap();
        }
        for seed in [10, 12] {
            other.add(image(shape, seed).view()).unwrap();
        }
        sum.merge(&other).unwrap();
        assert_eq!(sum.images(), 4);
        group.close("illumination", &sum.function(50.0).unwrap(), SINGLE);
    });
}
