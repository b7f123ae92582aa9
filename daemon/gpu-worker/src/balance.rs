//! From which image size on the GPU is faster than one thread of this machine: measured once a device, driver and version, and kept.

use std::collections::BTreeMap;
use std::fmt;
use std::hint::black_box;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use analysis::accelerator::{GreyFilter, Plane};
use analysis::components::{Connectivity, label};
use analysis::correct::FlatField;
use analysis::distance::edt;
use analysis::morphology::white_tophat;
use gpu_kernels::kernels::classify::Loaded;
use gpu_kernels::kernels::{components, convert, distance, morphology};
use gpu_kernels::{AdapterInfo, Gpu, Result};
use ndarray::{Array2, ArrayView4};
use serde::{Deserialize, Serialize};

use crate::protocol::Threshold;
use crate::tally::{LARGE_DISK, Operation};

/// Sides of the square images that are tried.
const SIDES: [usize; 5] = [128, 256, 512, 1024, 2048];
/// The radius of the small disk that is tried: below the large ones' by far, above what hardly costs anything.
const SMALL_DISK: usize = 3;
/// The GPU must be this much faster, so that noise does not decide.
const MARGIN: f64 = 0.9;
/// Time with one image after which no larger ones are tried.
const LONG: Duration = Duration::from_secs(2);

/// Sizes from which on operations go to the GPU.
#[derive(Clone, Debug, PartialEq)]
pub struct Balance(Option<BTreeMap<Operation, Threshold>>);

/// As it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    version: String,
    adapter: String,
    driver: String,
    thresholds: BTreeMap<Operation, Threshold>,
}

impl Balance {
    /// Everything goes to the GPU.
    #[must_use]
    pub const fn always() -> Self {
        Self(None)
    }

    /// The sizes, unless everything goes there.
    #[must_use]
    pub const fn thresholds(&self) -> Option<&BTreeMap<Operation, Threshold>> {
        self.0.as_ref()
    }

    /// How many times faster an operation is on the GPU.
    #[must_use]
    pub(crate) fn speedup(&self, operation: Operation) -> f64 {
        match &self.0 {
            None => f64::INFINITY,
            Some(thresholds) => thresholds.get(&operation).map_or(0.0, |t| t.speedup),
        }
    }

    /// What was measured earlier with this adapter, driver and version.
    pub(crate) fn read(folder: Option<&Path>, adapter: &AdapterInfo) -> Option<Self> {
        let text = std::fs::read(file(folder?, adapter)).ok()?;
        let kept: Kept = serde_json::from_slice(&text).ok()?;
        let same = kept.version == env!("CARGO_PKG_VERSION")
            && kept.adapter == adapter.name
            && kept.driver == adapter.driver;
        same.then_some(Self(Some(kept.thresholds)))
    }

    /// Keeps it. If that fails it is measured again next time.
    pub(crate) fn write(&self, folder: Option<&Path>, adapter: &AdapterInfo) {
        let (Some(folder), Some(thresholds)) = (folder, &self.0) else {
            return;
        };
        let kept = Kept {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            adapter: adapter.name.clone(),
            driver: adapter.driver.clone(),
            thresholds: thresholds.clone(),
        };
        let (path, aside) = (
            file(folder, adapter),
            // One process has the folder.
            folder.join("gpu-balance.new"),
        );
        let written = serde_json::to_vec_pretty(&kept)
            .map_err(std::io::Error::other)
            .and_then(|text| {
                std::fs::create_dir_all(folder)?;
                std::fs::write(&aside, text)?;
                std::fs::File::open(&aside)?.sync_all()?;
                std::fs::rename(&aside, path)
            });
        if written.is_err() {
            let _ = std::fs::remove_file(&aside);
        }
    }

    /// Measures: the same images with the device, transfers and the way between the processes included, and with one thread.
    ///
    /// # Errors
    /// The device's.
    pub fn measure(gpu: &Gpu) -> Result<Self> {
        let mut thresholds = BTreeMap::new();
        let trial = Trial::new(gpu);
        for operation in Operation::ALL {
            let mut threshold = Threshold {
                from_pixels: None,
                speedup: 0.0,
            };
            for side in SIDES {
                let image = image(side);
                let device = match trial.on_device(gpu, operation, &image) {
                    Ok(device) => device,
                    Err(error) if error.is_fatal() => return Err(error),
                    // Only this one is not for this device.
                    Err(error) => {
                        tracing::warn!(operation = operation.name(), %error, "not for this GPU");
                        threshold.from_pixels = None;
                        break;
                    }
                };
                let here = trial.here(operation, &image);
                threshold.speedup = here.as_secs_f64() / device.as_secs_f64().max(1e-9);
                if device.as_secs_f64() < MARGIN * here.as_secs_f64() {
                    threshold.from_pixels.get_or_insert((side * side) as u64);
                } else {
                    // A larger one must be faster again.
                    threshold.from_pixels = None;
                }
                if here.max(device) > LONG {
                    break;
                }
            }
            thresholds.insert(operation, threshold);
        }
        Ok(Self(Some(thresholds)))
    }
}

impl fmt::Display for Balance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(thresholds) = &self.0 else {
            return f.write_str("always");
        };
        for (index, (operation, threshold)) in thresholds.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            let name = operation.name();
            match threshold.from_pixels {
                Some(from) => write!(
                    f,
                    "{comma}{name} from {from} pixels ({:.1} times faster)",
                    threshold.speedup
                )?,
                None => write!(f, "{comma}{name} never ({:.2} times)", threshold.speedup)?,
            }
        }
        Ok(())
    }
}

fn file(folder: &Path, adapter: &AdapterInfo) -> PathBuf {
    let name: String = adapter
        .name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    folder.join(format!("gpu-balance-{name}.json"))
}

/// What is needed to try the operations.
struct Trial {
    loaded: Result<Loaded>,
    classifier: analysis::pixel_classification::Classifier,
    thread: Option<rayon::ThreadPool>,
}

/// A dim, uneven image with structure at several scales.
fn image(side: usize) -> Array2<u16> {
    let mut state = 1u32;
    Array2::from_shape_fn((side, side), |(y, x)| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let wave = ((y as f32 / 9.0).sin() + (x as f32 / 31.0).cos() + 2.0) * 900.0;
        wave as u16 + (state >> 24) as u16
    })
}

impl Trial {
    fn new(gpu: &Gpu) -> Self {
        let classifier = gpu_kernels::example::classifier();
        Self {
            loaded: Loaded::new(gpu, &classifier),
            classifier,
            thread: rayon::ThreadPoolBuilder::new().num_threads(1).build().ok(),
        }
    }

    /// The shortest time of some with the device.
    fn on_device(&self, gpu: &Gpu, operation: Operation, image: &Array2<u16>) -> Result<Duration> {
        let field = field(image);
        let floats = image.mapv(f32::from);
        let mask = mask(image);
        let mut best = Duration::MAX;
        // The first one compiles.
        for _ in 0..4 {
            if best < Duration::MAX && best > LONG {
                break;
            }
            let begin = Instant::now();
            let bytes = match operation {
                Operation::FlatField => {
                    black_box(convert::flat_field(gpu, Plane::U16(image.view()), &field)?);
                    10
                }
                Operation::GreySmall | Operation::Grey => {
                    let plane = Plane::U16(image.view());
                    black_box(morphology::grey(
                        gpu,
                        GreyFilter::WhiteTophat,
                        radius(operation),
                        plane,
                    )?);
                    4
                }
                Operation::Probabilities => {
                    let loaded = self.loaded.as_ref().map_err(Clone::clone)?;
                    black_box(loaded.probabilities(gpu, stack(&floats))?);
                    4 + 4 * self.classifier.channels()
                }
                Operation::Distances => {
                    black_box(distance::edt(gpu, mask.view())?);
                    5
                }
                Operation::Label => {
                    black_box(components::label(gpu, mask.view(), Connectivity::Edges)?);
                    5
                }
            };
            let there = begin.elapsed();
            best = best.min(there + way(bytes * image.len()));
        }
        Ok(best)
    }

    /// The shorter time of two with one thread of this machine.
    fn here(&self, operation: Operation, image: &Array2<u16>) -> Duration {
        let field = field(image);
        let floats = image.mapv(f32::from);
        let mask = mask(image);
        let run = || {
            let begin = Instant::now();
            match operation {
                Operation::FlatField => drop(black_box(field.correct(image.view()))),
                Operation::GreySmall | Operation::Grey => {
                    drop(black_box(white_tophat(image.view(), radius(operation))));
                }
                Operation::Probabilities => {
                    drop(black_box(self.classifier.probabilities(stack(&floats))));
                }
                Operation::Distances => drop(black_box(edt(mask.view()))),
                Operation::Label => {
                    drop(black_box(label(mask.view(), Connectivity::Edges)));
                }
            }
            begin.elapsed()
        };
        let both = || run().min(run());
        match &self.thread {
            Some(pool) => pool.install(both),
            None => both(),
        }
    }
}

/// Objects of some pixels, about half of the image.
fn mask(image: &Array2<u16>) -> Array2<bool> {
    image.mapv(|pixel| pixel > 1900)
}

/// Of the disk that is tried, in pixels.
fn radius(operation: Operation) -> usize {
    if operation == Operation::GreySmall {
        SMALL_DISK
    } else {
        LARGE_DISK
    }
}

fn field(image: &Array2<u16>) -> FlatField {
    FlatField {
        divisor: Array2::from_elem(image.dim(), 0.8),
        offset: 100.0,
    }
}

/// As an image of one channel and one z-slice.
fn stack(plane: &Array2<f32>) -> ArrayView4<'_, f32> {
    let (y, x) = plane.dim();
    let view = plane.view().into_shape_with_order((1, 1, y, x));
    view.unwrap_or_else(|_| unreachable!("a plane has as many values as it says"))
}

/// How long so many bytes take from one process to another.
fn way(bytes: usize) -> Duration {
    let Ok((mut from, mut to)) = UnixStream::pair() else {
        return Duration::ZERO;
    };
    let begin = Instant::now();
    let sent = vec![0u8; bytes];
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let _ = from.write_all(&sent);
        });
        let mut received = vec![0u8; bytes];
        let _ = to.read_exact(&mut received);
    });
    begin.elapsed()
}
