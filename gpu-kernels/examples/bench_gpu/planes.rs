//! Filters of planes, and scale levels.

use analysis::accelerator::{Plane, PlaneBuf};
use analysis::correct::FlatField;
use analysis::gaussian::{Smoothing, smooth};
use gpu_kernels::Gpu;
use gpu_kernels::kernels::convert::{self, Pixel};
use gpu_kernels::kernels::{gaussian, pyramid};
use image_io::Pixels;
use image_io::container::pyramid_levels;
use ndarray::Array2;

use crate::Failure;
use crate::answer::{Answer, Closeness};
use crate::data::Planes;
use crate::timing::{Case, Entry};

/// Levels as containers have them.
const FACTORS: [usize; 5] = [1, 2, 4, 8, 16];

pub fn entries<'a>(gpu: &'a Gpu, planes: &'a Planes) -> Vec<Entry<'a>> {
    let mut entries = vec![Entry {
        name: "flat field u16".to_owned(),
        make: Box::new(move || flat_field(gpu, planes)),
    }];
    for sigma in [1.0, 3.5, 10.0] {
        entries.push(Entry {
            name: format!("gaussian {sigma}"),
            make: Box::new(move || gauss(gpu, planes, sigma, [0, 0])),
        });
    }
    entries.push(Entry {
        name: "gaussian derivative 3.5".to_owned(),
        make: Box::new(move || gauss(gpu, planes, 3.5, [0, 1])),
    });
    for (name, nearest) in [("mean", false), ("nearest", true)] {
        entries.push(Entry {
            name: format!("pyramid {name} u16"),
            make: Box::new(move || levels(gpu, planes, nearest)),
        });
    }
    entries
}

pub fn size_of(planes: &Planes) -> String {
    let (height, width) = planes.size();
    format!("{height}x{width}")
}

/// Pixels to floats, and the flat field: read pixel and divisor, write the result.
fn flat_field<'a>(gpu: &'a Gpu, planes: &'a Planes) -> Result<Case<'a>, Failure> {
    let (height, width) = planes.size();
    let middle = (height as f32 / 2.0, width as f32 / 2.0);
    let divisor = Array2::from_shape_fn((height, width), |(y, x)| {
        let away =
            ((y as f32 - middle.0) / middle.0).powi(2) + ((x as f32 - middle.1) / middle.1).powi(2);
        1.2 - 0.3 * away
    });
    let packed = convert::upload(gpu, Plane::U16(planes.raw.view()))?;
    let divided = gpu.upload(divisor.as_slice().unwrap_or_default())?;
    let field = FlatField {
        divisor,
        offset: 100.0,
    };
    let same = field.clone();
    Ok(Case {
        size: size_of(planes),
        pixels: planes.pixels(),
        bytes: 10.0 * planes.pixels() as f64,
        with_transfers: Some(Box::new(move || {
            let plane = convert::flat_field(gpu, Plane::U16(planes.raw.view()), &field)?;
            Ok(Answer::Planes(vec![PlaneBuf::F32(plane)]))
        })),
        on_device: Some(Box::new(move || {
            let mut batch = gpu.batch();
            convert::on_device::flat_field(
                gpu,
                &mut batch,
                (&packed, Pixel::U16),
                planes.pixels(),
                &divided,
                100.0,
            )?;
            batch.submit()
        })),
        cpu: Some(Box::new(move || {
            let plane = same.correct(planes.raw.view())?;
            Ok(Answer::Planes(vec![PlaneBuf::F32(plane)]))
        })),
        parallel: false,
        closeness: Closeness::Exact,
    })
}

/// A pass along each axis: both read and write four bytes. The CPU has no derivatives.
fn gauss<'a>(
    gpu: &'a Gpu,
    planes: &'a Planes,
    sigma: f64,
    orders: [u8; 2],
) -> Result<Case<'a>, Failure> {
    let how = Smoothing::isotropic(sigma);
    let filter = gaussian::Filter::new(gpu, &how, orders)?;
    let source = convert::upload(gpu, Plane::F32(planes.float.view()))?;
    let rows = gaussian::Rows::all(planes.size());
    let mut case = Case {
        size: size_of(planes),
        pixels: planes.pixels(),
        bytes: 16.0 * planes.pixels() as f64,
        with_transfers: Some(Box::new(move || {
            let plane = gaussian::derivative(gpu, planes.float.view(), &how, orders)?;
            Ok(Answer::Planes(vec![PlaneBuf::F32(plane)]))
        })),
        on_device: Some(Box::new(move || {
            let mut batch = gpu.batch();
            gaussian::on_device::filter(gpu, &mut batch, &filter, &source, &rows)?;
            batch.submit()
        })),
        cpu: None,
        parallel: true,
        // What the kernel promises: a millionth of the range, and the last place.
        closeness: Closeness::Relative(1.2e-6),
    };
    if orders == [0, 0] {
        case.cpu = Some(Box::new(move || {
            let plane = smooth(planes.float.view(), &how)?;
            Ok(Answer::Planes(vec![PlaneBuf::F32(plane)]))
        }));
    }
    Ok(case)
}

/// Each level is read from the one above: all of it for averages, as many pixels as the level has otherwise.
fn levels<'a>(gpu: &'a Gpu, planes: &'a Planes, nearest: bool) -> Result<Case<'a>, Failure> {
    let packed = convert::upload(gpu, Plane::U16(planes.raw.view()))?;
    let factors = FACTORS.map(|factor| factor as u32);
    let full = Pixels::U16(planes.raw.clone());
    let share = |factor: usize| 1.0 / (factor * factor) as f64;
    let moved: f64 = FACTORS
        .windows(2)
        .map(|pair| {
            let read = if nearest { pair[1] } else { pair[0] };
            2.0 * (share(read) + share(pair[1]))
        })
        .sum();
    Ok(Case {
        size: size_of(planes),
        pixels: planes.pixels(),
        bytes: moved * planes.pixels() as f64,
        with_transfers: Some(Box::new(move || {
            let plane = Plane::U16(planes.raw.view());
            Ok(Answer::Planes(pyramid::levels(
                gpu, plane, &FACTORS, nearest,
            )?))
        })),
        on_device: Some(Box::new(move || {
            let mut batch = gpu.batch();
            pyramid::on_device::levels(
                gpu,
                &mut batch,
                (&packed, Pixel::U16),
                planes.size(),
                &FACTORS,
                nearest,
            )?;
            batch.submit()
        })),
        cpu: Some(Box::new(move || {
            let levels = pyramid_levels(&full, &factors, nearest).into_iter();
            let planes = levels.filter_map(|level| match level {
                Pixels::U16(plane) => Some(PlaneBuf::U16(plane)),
                _ => None,
            });
            Ok(Answer::Planes(planes.collect()))
        })),
        parallel: true,
        closeness: Closeness::Exact,
    })
}
