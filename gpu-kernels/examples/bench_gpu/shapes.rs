//! Morphology, distances, components, objects.

use analysis::accelerator::{GreyFilter, Plane, PlaneBuf};
use analysis::components::{Connectivity, label};
use analysis::measure::{self, Intensity, Selection, Shape};
use analysis::morphology::{closing, opening, white_tophat};
use gpu_kernels::Gpu;
use gpu_kernels::kernels::convert::{self, Pixel};
use gpu_kernels::kernels::mask::{self, Mask};
use gpu_kernels::kernels::objects::{self, Band, Kind};
use gpu_kernels::kernels::{components, distance, morphology};

use crate::Failure;
use crate::answer::{Answer, Closeness};
use crate::data::Planes;
use crate::planes::size_of;
use crate::timing::{Case, Entry};

const FILTERS: [(&str, GreyFilter); 3] = [
    ("opening", GreyFilter::Opening),
    ("closing", GreyFilter::Closing),
    ("white top-hat", GreyFilter::WhiteTophat),
];

pub fn entries<'a>(gpu: &'a Gpu, planes: &'a Planes) -> Vec<Entry<'a>> {
    let mut entries = Vec::new();
    for (name, filter) in FILTERS {
        for radius in [5, 25] {
            entries.push(Entry {
                name: format!("{name} {radius} u16"),
                make: Box::new(move || grey(gpu, planes, filter, radius)),
            });
        }
    }
    entries.push(Entry {
        name: "distance".to_owned(),
        make: Box::new(move || distances(gpu, planes)),
    });
    entries.push(Entry {
        name: "components".to_owned(),
        make: Box::new(move || labels(gpu, planes)),
    });
    entries.push(Entry {
        name: "objects".to_owned(),
        make: Box::new(move || measured(gpu, planes, false)),
    });
    entries.push(Entry {
        name: "objects, median too".to_owned(),
        make: Box::new(move || measured(gpu, planes, true)),
    });
    entries
}

/// Two passes that read and write a pixel each; the top hat reads the source again.
fn grey<'a>(
    gpu: &'a Gpu,
    planes: &'a Planes,
    filter: GreyFilter,
    radius: usize,
) -> Result<Case<'a>, Failure> {
    let disk = morphology::Disk::new(gpu, radius, planes.size())?;
    let packed = convert::upload(gpu, Plane::U16(planes.raw.view()))?;
    let (count, pixel) = (planes.pixels(), Pixel::U16);
    let again = if filter == GreyFilter::WhiteTophat {
        2.0
    } else {
        0.0
    };
    Ok(Case {
        size: size_of(planes),
        pixels: count,
        bytes: (8.0 + again) * count as f64,
        with_transfers: Some(Box::new(move || {
            let plane = Plane::U16(planes.raw.view());
            let filtered = morphology::grey(gpu, filter, radius, plane)?;
            Ok(Answer::Planes(vec![filtered]))
        })),
        on_device: Some(Box::new(move || {
            let mut batch = gpu.batch();
            let source = convert::on_device::widen(gpu, &mut batch, &packed, pixel, count)?;
            let filtered =
                morphology::on_device::grey(gpu, &mut batch, filter, &disk, &source, pixel)?;
            convert::on_device::pack(gpu, &mut batch, &filtered, pixel, 0, count)?;
            batch.submit()
        })),
        cpu: Some(Box::new(move || {
            let run = match filter {
                GreyFilter::Closing => closing,
                GreyFilter::WhiteTophat => white_tophat,
                _ => opening,
            };
            let filtered = run(planes.raw.view(), radius)?;
            Ok(Answer::Planes(vec![PlaneBuf::U16(filtered)]))
        })),
        parallel: true,
        closeness: Closeness::Exact,
    })
}

/// Columns: read the mask, write a word; rows: read a word, write one.
fn distances<'a>(gpu: &'a Gpu, planes: &'a Planes) -> Result<Case<'a>, Failure> {
    let pixels = mask::upload(gpu, planes.mask.view())?;
    Ok(Case {
        size: size_of(planes),
        pixels: planes.pixels(),
        bytes: 13.0 * planes.pixels() as f64,
        with_transfers: Some(Box::new(move || {
            let squares = distance::edt_squared(gpu, planes.mask.view())?;
            Ok(Answer::Planes(vec![PlaneBuf::U32(squares)]))
        })),
        on_device: Some(Box::new(move || {
            let squares = gpu.words(planes.pixels())?;
            let mut batch = gpu.batch();
            let mask = Mask::Bytes(&pixels);
            distance::squared(gpu, &mut batch, mask, planes.size(), &squares)?;
            batch.submit()
        })),
        cpu: Some(Box::new(move || {
            let squares = analysis::distance::edt_squared(planes.mask.view())?;
            Ok(Answer::Planes(vec![PlaneBuf::U32(squares)]))
        })),
        parallel: true,
        closeness: Closeness::Exact,
    })
}

/// Read the mask, write labels.
fn labels<'a>(gpu: &'a Gpu, planes: &'a Planes) -> Result<Case<'a>, Failure> {
    let pixels = mask::upload(gpu, planes.mask.view())?;
    let edges = Connectivity::Edges;
    Ok(Case {
        size: size_of(planes),
        pixels: planes.pixels(),
        bytes: 5.0 * planes.pixels() as f64,
        with_transfers: Some(Box::new(move || {
            let (labels, _) = components::label(gpu, planes.mask.view(), edges)?;
            Ok(Answer::Planes(vec![PlaneBuf::U32(labels)]))
        })),
        on_device: Some(Box::new(move || {
            let labels = gpu.words(planes.pixels())?;
            let mut batch = gpu.batch();
            let mask = Mask::Bytes(&pixels);
            components::mask(gpu, &mut batch, mask, planes.size(), edges, &labels)?;
            batch.submit()
        })),
        cpu: Some(Box::new(move || {
            let (labels, _) = label(planes.mask.view(), edges);
            Ok(Answer::Planes(vec![PlaneBuf::U32(labels)]))
        })),
        parallel: false,
        closeness: Closeness::Exact,
    })
}

/// Extents and sums read labels and plane; a median reads them again for each of two digits. Medians begin with ranks that the CPU
/// computes from the counts, so that they have no time without transfers.
fn measured<'a>(gpu: &'a Gpu, planes: &'a Planes, median: bool) -> Result<Case<'a>, Failure> {
    let plane = Plane::U16(planes.raw.view());
    let kind = Kind::of(plane);
    let numbers = gpu.upload(planes.labels.as_slice().unwrap_or_default())?;
    let packed = convert::upload(gpu, plane)?;
    let selection = Selection {
        shapes: vec![Shape::Area],
        intensities: vec![
            Intensity::Sum,
            Intensity::Mean,
            Intensity::Std,
            Intensity::Min,
            Intensity::Max,
        ]
        .into_iter()
        .chain(median.then_some(Intensity::Median))
        .collect(),
    };
    let passes = if median { 4.0 } else { 2.0 };
    let mut case = Case {
        size: format!("{}, {}", size_of(planes), planes.objects),
        pixels: planes.pixels(),
        bytes: 6.0 * passes * planes.pixels() as f64,
        with_transfers: Some(Box::new(move || {
            let quantiles: &[f64] = if median { &[0.5] } else { &[] };
            let plane = Plane::U16(planes.raw.view());
            let found = objects::measure(gpu, planes.labels.view(), plane, quantiles)?;
            let each = found.objects.iter().enumerate().flat_map(|(row, o)| {
                let own = [o.count.into(), o.sum(), o.mean(), o.std(), o.min, o.max];
                own.into_iter().chain(found.quantiles[row].iter().copied())
            });
            Ok(Answer::Numbers(each.collect()))
        })),
        on_device: None,
        cpu: Some(Box::new(move || {
            let channels = [("c", planes.float.view())];
            let table = measure::objects(planes.labels.view(), &channels, &selection)?;
            // Without the labels, row by row as above.
            let columns = &table.columns[1..];
            let each = (0..planes.objects).flat_map(|row| {
                columns
                    .iter()
                    .filter_map(move |(_, column)| column.get(row))
            });
            Ok(Answer::Numbers(each.collect()))
        })),
        parallel: false,
        closeness: Closeness::Exact,
    };
    if !median {
        case.on_device = Some(Box::new(move || {
            let band = Band {
                labels: &numbers,
                plane: &packed,
                kind,
                size: planes.size(),
                first_row: 0,
            };
            let mut batch = gpu.batch();
            objects::accumulate(gpu, &mut batch, &band, planes.objects)?;
            batch.submit()
        }));
    }
    Ok(case)
}
