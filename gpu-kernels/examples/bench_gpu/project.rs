//! A real ilastik project: the whole prediction.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use analysis::accelerator::Accelerator;
use analysis::pixel_classification::Classifier;
use gpu_kernels::Gpu;
use gpu_kernels::kernels::classify::Loaded;
use gpu_kernels::kernels::features::Source as OnDevice;
use ilastik::{Image, Project, Source};
use image_io::PixelType;
use ndarray::{Array2, Array4, Array5, ArrayView4, Axis};

use crate::Failure;
use crate::answer::{Answer, Closeness, deviation};
use crate::timing::{Bench, Case, Enqueue, Row};

/// CPU seconds a megapixel of ilastik 1.4.2 with this project, as recorded when the reference was made. Not measured here.
pub const RECORDED: f64 = 2.04;

/// A project and an image that it is for.
pub struct Given {
    project: Arc<Project>,
    /// Channels (y, x).
    planes: Vec<Array2<f32>>,
    pixel_type: PixelType,
}

impl Given {
    /// `None`, said on stdout, if the folder lacks either.
    pub fn read(folder: &Path) -> Result<Option<Self>, Failure> {
        let path = folder.join("project.ilp");
        let image = std::fs::read_dir(folder)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .find(|path| path.extension().is_some_and(|e| e == "png" || e == "tif"));
        let (Some(image), true) = (image, path.is_file()) else {
            println!(
                "skipped: no ilastik project with an image in {}; --project names one",
                folder.display()
            );
            return Ok(None);
        };
        let planes = image_io::acquisition::read_planes(&image)?;
        let pixel_type = planes
            .first()
            .ok_or("an image without planes")?
            .pixel_type();
        Ok(Some(Self {
            project: Project::shared(&path)?,
            planes: planes.iter().map(image_io::Pixels::to_f32).collect(),
            pixel_type,
        }))
    }

    /// The image itself, or repeated to a square of this side.
    pub fn image(&self, side: Option<usize>) -> Image {
        let (height, width) = self.planes.first().map_or((1, 1), Array2::dim);
        let (rows, columns) = side.map_or((height, width), |side| (side, side));
        let shape = (1, self.planes.len(), 1, rows, columns);
        let values = Array5::from_shape_fn(shape, |(_, channel, _, y, x)| {
            self.planes[channel][[y % height, x % width]]
        });
        Image::from_working(values, self.pixel_type)
    }

    /// The whole prediction, and in words how far both sides are apart.
    pub fn measure(&self, bench: &Bench, name: &str, image: &Image) -> Result<Row, Failure> {
        let device = Device::new(bench.gpu.clone());
        let (ours, reference) = (
            self.predicted(image, Some(&device))?,
            self.predicted(image, None)?,
        );
        let loaded = device
            .kept()
            .ok_or_else(|| device.reason("the project has no stage for the device"))?;
        let (share, worst) = deviation(&ours, &reference);
        let source = OnDevice::whole(&bench.gpu, image.values.index_axis(Axis(0), 0))?;
        let (_, _, _, y, x) = image.values.dim();
        // Passes of the features are not counted: only the image and the probabilities.
        let labels = ours.len() / (y * x);
        drop((ours, reference));
        let case = Case {
            size: format!("{y}x{x}"),
            pixels: y * x,
            bytes: (4 * (image.channels() + labels) * y * x) as f64,
            with_transfers: Some(Box::new(|| {
                Ok(Answer::Floats(self.predicted(image, Some(&device))?))
            })),
            // One stage: what comes before a second one is not on the device.
            on_device: is_alone(&loaded, image)
                .then(|| -> Enqueue<'_> { Box::new(|| loaded.run(&bench.gpu, &source)) }),
            cpu: Some(Box::new(|| {
                Ok(Answer::Floats(self.predicted(image, None)?))
            })),
            parallel: true,
            closeness: Closeness::Rule,
        };
        let mut row = bench.measure(name, &case)?;
        if row.note.is_empty() {
            row.note = format!(
                "{:.4} % of the values differ by 0.015 or more, the largest difference is {worst:.4}",
                100.0 * share
            );
        }
        Ok(row)
    }

    fn predicted(&self, image: &Image, device: Option<&Device>) -> Result<Vec<f32>, Failure> {
        let accelerator = device.map(|device| device as &dyn Accelerator);
        let prediction = self
            .project
            .predict_on(image, Source::Probabilities, accelerator)?;
        if let Some(device) = device
            && !prediction.accelerated
        {
            return Err(device.reason("the device did nothing"));
        }
        Ok(prediction.values.into_raw_vec_and_offset().0)
    }
}

/// Whether the classifier, the last one that was used, wants nothing but the image.
fn is_alone(loaded: &Loaded, image: &Image) -> bool {
    let width = loaded.bank().selection().width(image.channels(), true);
    width == loaded.forests().columns()
}

/// Pixel classification on a device. Says nothing to anything else.
#[derive(Debug)]
struct Device {
    gpu: Gpu,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The classifier that was used last, by its number.
    loaded: Option<(u64, Arc<Loaded>)>,
    error: Option<gpu_kernels::Error>,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State")
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

impl Device {
    fn new(gpu: Gpu) -> Self {
        Self {
            gpu,
            state: Mutex::default(),
        }
    }

    fn kept(&self) -> Option<Arc<Loaded>> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.loaded.as_ref().map(|(_, loaded)| Arc::clone(loaded))
    }

    /// Why there is no answer.
    fn reason(&self, otherwise: &str) -> Failure {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match state.error.take() {
            Some(error) => error.into(),
            None => otherwise.into(),
        }
    }

    fn run(
        &self,
        classifier: &Classifier,
        image: ArrayView4<'_, f32>,
    ) -> gpu_kernels::Result<Array4<f32>> {
        let loaded = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            match &state.loaded {
                Some((id, loaded)) if *id == classifier.id() => Arc::clone(loaded),
                _ => {
                    let loaded = Arc::new(Loaded::new(&self.gpu, classifier)?);
                    state.loaded = Some((classifier.id(), Arc::clone(&loaded)));
                    loaded
                }
            }
        };
        loaded.probabilities(&self.gpu, image)
    }
}

impl Accelerator for Device {
    fn name(&self) -> String {
        self.gpu.adapter().name.clone()
    }

    fn probabilities(
        &self,
        classifier: &Classifier,
        image: ArrayView4<'_, f32>,
    ) -> Option<Array4<f32>> {
        match self.run(classifier, image) {
            Ok(found) => Some(found),
            Err(error) => {
                let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                state.error = Some(error);
                None
            }
        }
    }
}
