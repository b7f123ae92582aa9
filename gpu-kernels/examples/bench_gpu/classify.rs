//! Pixel classification and its parts.

use analysis::pixel_classification::Classifier;
use analysis::pixel_features::{self, Region, Selection};
use gpu_kernels::kernels::classify::Loaded;
use gpu_kernels::kernels::features::{Bank, EIGENVALUES_3D, FILTERS, Source};
use gpu_kernels::kernels::forest::{self, Packed};
use gpu_kernels::{Error, Gpu};
use ndarray::{Array4, ArrayView4, s};

use crate::Failure;
use crate::answer::{Answer, Closeness, groups};
use crate::data::Planes;
use crate::planes::size_of;
use crate::timing::{Case, Entry};

/// Bytes of features that are on the device at a time: room for those of the usual volume.
const AT_A_TIME: u64 = 768 << 20;

pub fn entries<'a>(gpu: &'a Gpu, planes: &'a Planes, classifier: &'a Classifier) -> Vec<Entry<'a>> {
    let entry = |name: &str, make| Entry {
        name: name.to_owned(),
        make,
    };
    vec![
        entry(
            "features 2-D",
            Box::new(move || features(gpu, planes.image(), classifier.selection().clone())),
        ),
        entry(
            "forest",
            Box::new(move || votes(gpu, planes.image(), classifier)),
        ),
        entry(
            "classification",
            Box::new(move || whole(gpu, planes, classifier)),
        ),
    ]
}

/// The same features, filtered along z too.
pub fn volume_entry<'a>(
    gpu: &'a Gpu,
    image: &'a Array4<f32>,
    classifier: &'a Classifier,
) -> Entry<'a> {
    let make = move || {
        let selection = classifier.selection();
        let mut scales = selection.scales().to_vec();
        scales.iter_mut().for_each(|scale| scale.in_2d = false);
        let selection = Selection::new(selection.order().to_vec(), scales)?;
        features(gpu, image.view(), selection)
    };
    Entry {
        name: "features 3-D".to_owned(),
        make: Box::new(make),
    }
}

/// Bytes a voxel: a scale's first smoothing reads and writes along each axis, its filters read what is smoothed, columns are
/// written. What filters of volumes keep between their passes is not counted.
fn bank_bytes(selection: &Selection, flat: bool) -> f64 {
    let passes = if flat { 2.0 } else { 3.0 };
    let scales = selection.scales().iter();
    let used = scales.filter(|scale| !scale.features.is_empty()).count() as f64;
    used * (8.0 * passes + 4.0) + 4.0 * selection.width(1, flat) as f64
}

/// Rows (y) whose columns are on the device at a time.
fn strips(gpu: &Gpu, [z, y, x]: [usize; 3], width: usize) -> Vec<Region> {
    let row = (4 * width * z * x) as u64;
    let rows = (AT_A_TIME.min(gpu.largest_binding()) / row).max(1) as usize;
    let starts = (0..y).step_by(rows);
    starts
        .map(|start| Region {
            start: [0, start, 0],
            size: [z, rows.min(y - start), x],
        })
        .collect()
}

fn features<'a>(
    gpu: &'a Gpu,
    image: ArrayView4<'a, f32>,
    selection: Selection,
) -> Result<Case<'a>, Failure> {
    let (channels, z, y, x) = image.dim();
    let flat = z == 1;
    let width = selection.width(channels, flat);
    let bank = Bank::new(gpu, &selection)?;
    let uploaded = Source::whole(gpu, image)?;
    let strips = strips(gpu, [z, y, x], width);
    let (ours, regions) = (Bank::new(gpu, &selection)?, strips.clone());
    Ok(Case {
        size: if flat {
            format!("{y}x{x}")
        } else {
            format!("{z}x{y}x{x}")
        },
        pixels: image.len(),
        bytes: bank_bytes(&selection, flat) * image.len() as f64,
        closeness: Closeness::Columns(
            groups(&selection, flat, image.iter().copied().fold(0.0, f32::max)),
            if flat { FILTERS } else { EIGENVALUES_3D },
        ),
        with_transfers: Some(Box::new(move || {
            let source = Source::whole(gpu, image)?;
            let parts = regions.iter().map(|&region| {
                let mut batch = gpu.batch();
                let columns = ours.compute(gpu, &mut batch, &source, region)?;
                batch.submit()?;
                let values = gpu.download(&columns, width * region.len())?;
                let [z, y, x] = region.size;
                Ok(Array4::from_shape_vec((width, z, y, x), values)?)
            });
            Ok(Answer::Columns(parts.collect::<Result<_, Failure>>()?))
        })),
        on_device: Some(Box::new(move || {
            for &strip in &strips {
                let mut batch = gpu.batch();
                bank.compute(gpu, &mut batch, &uploaded, strip)?;
                batch.submit()?;
            }
            Ok(())
        })),
        cpu: Some(Box::new(move || {
            let columns = pixel_features::features(image, &selection)?;
            Ok(Answer::Columns(vec![columns]))
        })),
        parallel: true,
    })
}

/// Given features, of as many rows of the image as are on the device at a time: read them, write the classes.
fn votes<'a>(
    gpu: &'a Gpu,
    image: ArrayView4<'a, f32>,
    classifier: &'a Classifier,
) -> Result<Case<'a>, Failure> {
    let (_, z, y, x) = image.dim();
    let selection = classifier.selection();
    let width = selection.width(1, z == 1);
    // Strips that are lower than the kernels are long are refused.
    let rows = strips(gpu, [z, y, x], width)[0].size[1].max(y.min(64));
    let part = image.slice_move(s![.., .., ..rows, ..]);
    let samples = part.len();
    let given = pixel_features::features(part, selection)?;
    let (given, _) = given.into_raw_vec_and_offset();
    let uploaded = gpu.upload(&given)?;
    let packed = Packed::new(gpu, classifier.forests())?;
    let same = Packed::new(gpu, classifier.forests())?;
    let given = std::sync::Arc::new(given);
    let again = std::sync::Arc::clone(&given);
    let forests = classifier.forests();
    Ok(Case {
        size: format!("{rows}x{x}"),
        pixels: samples,
        bytes: (4 * (width + packed.answers_per_row()) * samples) as f64,
        with_transfers: Some(Box::new(move || {
            let found = forest::probabilities(gpu, &same, &given, samples)?;
            Ok(Answer::Floats(found))
        })),
        on_device: Some(Box::new(move || {
            let mut batch = gpu.batch();
            packed.answers(gpu, &mut batch, &uploaded, samples)?;
            batch.submit()
        })),
        cpu: Some(Box::new(move || {
            Ok(Answer::Floats(forests.probabilities(&again, samples)))
        })),
        parallel: false,
        closeness: Closeness::Exact,
    })
}

/// What both parts move.
fn whole<'a>(
    gpu: &'a Gpu,
    planes: &'a Planes,
    classifier: &'a Classifier,
) -> Result<Case<'a>, Failure> {
    let loaded = Loaded::new(gpu, classifier)?;
    let same = Loaded::new(gpu, classifier)?;
    let source = Source::whole(gpu, planes.image())?;
    let selection = classifier.selection();
    let read = 4 * (selection.width(1, true) + loaded.forests().answers_per_row());
    Ok(Case {
        size: size_of(planes),
        pixels: planes.pixels(),
        bytes: (bank_bytes(selection, true) + read as f64) * planes.pixels() as f64,
        with_transfers: Some(Box::new(move || {
            let found = same.probabilities(gpu, planes.image())?;
            Ok(Answer::Columns(vec![found]))
        })),
        on_device: Some(Box::new(move || -> Result<(), Error> {
            loaded.run(gpu, &source)
        })),
        cpu: Some(Box::new(move || {
            let found = classifier.probabilities(planes.image())?;
            Ok(Answer::Columns(vec![found]))
        })),
        parallel: true,
        closeness: Closeness::Rule,
    })
}
