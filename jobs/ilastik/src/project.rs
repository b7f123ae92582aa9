//! A project file.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use analysis::pixel_classification::Classifier;
use analysis::pixel_features;
use image_io::container::Tree;
use image_io::exchange::Axes;
use ndarray::{Array4, Array5, ArrayView4, Axis, s};

use crate::autocontext;
use crate::error::{Error, Result};
use crate::export::ExportSettings;
use crate::image::Image;
use crate::stage::Stage;

/// Which of ilastik's workflows a project belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkflowKind {
    /// One stage.
    PixelClassification,
    /// Two stages; the second sees the first one's probabilities.
    Autocontext,
    /// Any other, by its name; it cannot be run here.
    Other(String),
}

/// What the project says of the image that it was trained on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrainingImage {
    /// Its axes.
    pub axes: Option<Axes>,
    /// Length of each axis; old projects do not say.
    pub shape: Option<Vec<usize>>,
}

impl TrainingImage {
    /// Number of channels, if the project says.
    #[must_use]
    pub fn channels(&self) -> Option<usize> {
        let (axes, shape) = (self.axes.as_ref()?, self.shape.as_ref()?);
        match axes.position('c') {
            Some(position) => shape.get(position).copied(),
            None => Some(1),
        }
    }
}

/// An ilastik project.
#[derive(Clone, Debug)]
pub struct Project {
    path: PathBuf,
    /// Version of the ilastik that saved it.
    pub version: String,
    /// Its workflow.
    pub workflow: WorkflowKind,
    /// Its stages, in order.
    pub stages: Vec<Stage>,
    /// The image that it was trained on.
    pub training: TrainingImage,
    /// The export settings that its user saved.
    pub export: ExportSettings,
}

impl Project {
    /// Reads a project. One that is not trained, or of another workflow, is read too, but predicts nothing.
    ///
    /// # Errors
    /// [`Error::File`] if it cannot be read, [`Error::Project`] if it is no project, or has a classifier or a feature that cannot be
    /// run.
    pub fn open(path: &Path) -> Result<Self> {
        let file = Tree::open(path)?;
        let text = |name: &str| -> Result<Option<String>> {
            if !file.exists(name)? {
                return Ok(None);
            }
            Ok(file.texts(name, 1)?.into_iter().next())
        };
        let version = text("ilastikVersion").unwrap_or_default();
        let (Some(version), Some(workflow)) = (version, text("workflowName")?) else {
            return Err(Error::Project {
                path: path.to_owned(),
                reason: "is not one that ilastik 0.6 or newer saved: it has no ilastikVersion or workflowName".to_owned(),
                remedy: "name the .ilp file; a project of ilastik 0.5 must be made anew".to_owned(),
            });
        };
        let workflow = match workflow.as_str() {
            "Pixel Classification" => WorkflowKind::PixelClassification,
            "AutocontextTwoStage" => WorkflowKind::Autocontext,
            other => WorkflowKind::Other(other.to_owned()),
        };
        let stages = match workflow {
            WorkflowKind::PixelClassification => 1,
            WorkflowKind::Autocontext => 2,
            WorkflowKind::Other(_) => 0,
        };
        let stages = (0..stages)
            .filter_map(|index| Stage::read(&file, index).transpose())
            .collect::<Result<_>>()?;
        Ok(Self {
            path: path.to_owned(),
            version,
            workflow,
            stages,
            training: training_image(&file)?,
            export: ExportSettings::read(&file)?,
        })
    }

    /// As [`Self::open`], but a file that this process has read before, and that did not change since, is not read again.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn shared(path: &Path) -> Result<Arc<Self>> {
        /// Projects that are kept.
        const MOST: usize = 8;
        type Kept = Vec<(PathBuf, (u64, SystemTime), Arc<Project>)>;
        static KEPT: Mutex<Kept> = Mutex::new(Vec::new());
        let stamp = std::fs::metadata(path)
            .and_then(|meta| Ok((meta.len(), meta.modified()?)))
            .map_err(|source| image_io::Error::Io {
                path: path.to_owned(),
                action: "open",
                source,
            })?;
        // A panic elsewhere leaves the list whole.
        let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = kept.iter().position(|(p, s, _)| p == path && *s == stamp) {
            return Ok(Arc::clone(&kept[at].2));
        }
        kept.retain(|(p, _, _)| p != path);
        if kept.len() == MOST {
            kept.remove(0);
        }
        let project = Arc::new(Self::open(path)?);
        kept.push((path.to_owned(), stamp, Arc::clone(&project)));
        Ok(project)
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Checks that the project can predict.
    ///
    /// # Errors
    /// [`Error::Project`] for another workflow, or a stage that is not trained.
    pub fn check(&self) -> Result<()> {
        self.runnable()?;
        for stage in &self.stages {
            stage.classifier(true, |reason| self.broken(reason))?;
        }
        Ok(())
    }

    pub(crate) fn runnable(&self) -> Result<()> {
        let stages = match &self.workflow {
            WorkflowKind::PixelClassification => 1,
            WorkflowKind::Autocontext => 2,
            WorkflowKind::Other(name) => {
                return Err(Error::Project {
                    path: self.path.clone(),
                    reason: format!("belongs to the workflow `{name}`"),
                    remedy: "Pixel Classification and Autocontext are run here; run any other with ilastik itself, by a job of the kind `command`".to_owned(),
                });
            }
        };
        if self.stages.len() < stages {
            return Err(self.broken("lacks a stage"));
        }
        Ok(())
    }

    pub(crate) fn without_stage(&self, source: &str) -> Error {
        Error::Project {
            path: self.path.clone(),
            reason: format!("has {} stage(s), and no `{source}`", self.stages.len()),
            remedy: "export `Probabilities`, or name an Autocontext project".to_owned(),
        }
    }

    fn broken(&self, reason: &str) -> Error {
        Error::Project {
            path: self.path.clone(),
            reason: reason.to_owned(),
            remedy:
                "open it in ilastik, choose features, draw labels, train (`Live Update`) and save"
                    .to_owned(),
        }
    }

    /// Probability of each label, stage by stage: axes (t, label, z, y, x), float32, 0 to 1.
    ///
    /// Timepoints are predicted one after the other. The last element is the project's result.
    ///
    /// # Errors
    /// [`Error::Project`] as [`Self::check`]; [`Error::Image`] if the image has another number of channels or dimensions than
    /// the project was trained with, or is too small for its largest scale.
    pub fn probabilities(&self, image: &Image) -> Result<Vec<Array5<f32>>> {
        self.stages_by(image, |classifier, image| classifier.probabilities(image))
    }

    /// As [`Self::probabilities`], each stage computed by `compute`.
    pub(crate) fn stages_by(
        &self,
        image: &Image,
        mut compute: impl FnMut(&Classifier, ArrayView4<'_, f32>) -> analysis::Result<Array4<f32>>,
    ) -> Result<Vec<Array5<f32>>> {
        self.runnable()?;
        let mut compute = |classifier: &Classifier, image: ArrayView4<'_, f32>| {
            compute(classifier, image).map_err(|e| self.refused(&e))
        };
        let (times, _, z, _, _) = image.values.dim();
        let mut answers: Vec<Array5<f32>> = Vec::new();
        for (index, stage) in self.stages.iter().enumerate() {
            let classifier = stage.classifier(z == 1, |reason| self.broken(reason))?;
            let mut frames = Vec::with_capacity(times);
            for t in 0..times {
                let raw = image.values.index_axis(Axis(0), t);
                let found = match answers.last() {
                    None => self
                        .fits(index, &classifier, raw.len_of(Axis(0)), z)
                        .and_then(|()| compute(&classifier, raw)),
                    Some(before) => {
                        let before = before.slice(s![t, .., .., .., ..]);
                        let stacked = autocontext::stacked(raw, before, image.pixel_type)
                            .map_err(|reason| self.unfit(reason))?;
                        self.fits(index, &classifier, stacked.len_of(Axis(0)), z)?;
                        compute(&classifier, stacked.view())
                    }
                };
                frames.push(found?);
            }
            let views: Vec<_> = frames.iter().map(|f| f.view()).collect();
            let stacked = ndarray::stack(Axis(0), &views).map_err(|e| self.unfit(e.to_string()))?;
            answers.push(stacked);
        }
        Ok(answers)
    }

    /// All features of the first stage: axes (t, column, z, y, x), columns in the forests' order.
    ///
    /// # Errors
    /// As [`Self::probabilities`].
    pub fn features(&self, image: &Image) -> Result<Array5<f32>> {
        self.runnable()?;
        let z = image.values.dim().2;
        let table = self.stages[0].features.as_ref();
        let table = table.ok_or_else(|| self.broken("has no features chosen"))?;
        let selection = table
            .selection(z == 1)
            .map_err(|e| self.broken(&e.to_string()))?;
        let frames = image
            .values
            .outer_iter()
            .map(|frame| pixel_features::features(frame, &selection).map_err(|e| self.refused(&e)));
        let frames = frames.collect::<Result<Vec<_>>>()?;
        let views: Vec<_> = frames.iter().map(|f| f.view()).collect();
        ndarray::stack(Axis(0), &views).map_err(|e| self.unfit(e.to_string()))
    }

    /// The number of features tells whether the image is of the kind that the forests were trained with.
    fn fits(&self, stage: usize, classifier: &Classifier, channels: usize, z: usize) -> Result<()> {
        let (selection, trained) = (classifier.selection(), classifier.forests().columns());
        let expected = self.training.channels().filter(|_| stage == 0);
        let made = selection.width(channels, z == 1);
        if made == trained && expected.is_none_or(|e| e == channels) {
            return Ok(());
        }
        let one = selection.width(1, z == 1);
        let wanted = match expected {
            Some(channels) => format!("it was trained with {channels}"),
            None if trained % one == 0 => format!("it was trained with {}", trained / one),
            None => format!("its forests know {trained} features, these would make {made}"),
        };
        let slices = if z == 1 {
            "one z-slice"
        } else {
            "several z-slices"
        };
        Err(Error::Image {
            path: self.path.clone(),
            reason: format!("the image has {channels} channels and {slices}, {wanted}"),
            remedy: "give the channels that the project was trained with, in that order, and images of as many dimensions".to_owned(),
        })
    }

    fn refused(&self, error: &analysis::Error) -> Error {
        let remedy = match error {
            analysis::Error::TooSmall { .. } => {
                "train the project without its largest scales, or give larger images"
            }
            _ => "give images of the kind that the project was trained with",
        };
        Error::Image {
            path: self.path.clone(),
            reason: error.to_string(),
            remedy: remedy.to_owned(),
        }
    }

    fn unfit(&self, reason: String) -> Error {
        Error::Image {
            path: self.path.clone(),
            reason,
            remedy: "give images of the kind that the project was trained with".to_owned(),
        }
    }
}

/// The last lane counts, as in ilastik.
fn training_image(file: &Tree) -> Result<TrainingImage> {
    let lanes = file.children("Input Data/infos")?;
    let Some(lane) = lanes.last() else {
        return Ok(TrainingImage::default());
    };
    let raw = format!("Input Data/infos/{lane}/Raw Data");
    let text = |name: &str| -> Result<Option<String>> {
        let name = format!("{raw}/{name}");
        if !file.exists(&name)? {
            return Ok(None);
        }
        Ok(file.texts(&name, 1)?.into_iter().next())
    };
    let axes = match text("axistags")? {
        Some(tags) => Axes::of_axistags(&tags),
        None => text("axisorder")?.and_then(|order| order.parse().ok()),
    };
    let shape = format!("{raw}/shape");
    let shape = if file.exists(&shape)? {
        let lengths = file.numbers(&shape, 16)?.to_f64();
        Some(lengths.iter().map(|&n| n as usize).collect())
    } else {
        None
    };
    Ok(TrainingImage { axes, shape })
}
