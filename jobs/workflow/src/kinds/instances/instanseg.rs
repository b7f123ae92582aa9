//! Nuclei and cells from a pixel embedding.

use std::path::PathBuf;
use std::sync::Arc;

use analysis::embedding::{Head, match_cells};
use analysis::rescale::{nearest, resize};
use ndarray::{Array2, Array3, s};
use networks::normalise::{Scope, Step, Steps};
use networks::tile::common_multiple;
use networks::{Model, Plan};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::classifier;
use super::magnification::Scale;
use crate::context::{Item, JobIo};
use crate::error::Failure;
use crate::graph::{Bindings, Scope as JobScope};
use crate::kind::{ImageOperation, KindInfo, image_kind, schema_of};
use crate::port::{Holds, Port};

/// The classifier's file in the model's folder, where the workflow names none.
const CLASSIFIER: &str = "instanseg_pixel_classifier.json";

/// Height and width are padded to a multiple of this.
const MULTIPLE: usize = 16;

/// Parameters of `predict.instanseg`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct InstanSeg {
    /// ONNX file of the network without its head; relative to the workflow file.
    model: PathBuf,
    /// Sidecar; relative to the workflow file. Absent: the one beside the model.
    #[serde(default)]
    sidecar: Option<PathBuf>,
    /// JSON file with the layers of the pixel classifier; relative to the workflow file. Absent:
    /// `instanseg_pixel_classifier.json` beside the model.
    #[serde(default)]
    classifier: Option<PathBuf>,
    /// Micrometres per pixel of the images; they are rescaled to `network_pixel_size`. Not together with `scale`.
    #[serde(default)]
    pixel_size: Option<f64>,
    /// Micrometres per pixel that the network was trained at.
    #[serde(default = "half_micrometre")]
    network_pixel_size: f64,
    /// The images are made so many times as large for the network; or `"auto"`: so that nuclei in the first channel get the
    /// `diameter`. Absent: by `pixel_size`, else as they are.
    #[serde(default)]
    scale: Option<Scale>,
    /// Diameter in pixels that `scale = "auto"` aims at.
    #[serde(default = "diameter")]
    diameter: f64,
    /// What is done with the whole images first, before values are limited to -2 to 3. Absent: the sidecar's, else percentiles
    /// 0.1 and 99.9 of each channel become 0 and 1.
    #[serde(default)]
    #[schemars(with = "Option<serde_json::Value>")]
    normalise: Option<Steps>,
    /// Score above which a peak is the seed of an object.
    #[serde(default = "seed_threshold")]
    seed_threshold: f64,
    /// A seed is the highest within so many pixels.
    #[serde(default = "peak_distance")]
    peak_distance: usize,
    /// Probability from which a pixel belongs to an object.
    #[serde(default = "mask_threshold")]
    mask_threshold: f64,
    /// Seeds that share more than this part of the smaller one's pixels are one object.
    #[serde(default = "overlap_threshold")]
    overlap_threshold: f64,
    /// Side of the square around a seed in which its pixels are looked for; objects must be smaller.
    #[serde(default = "window")]
    window: usize,
    /// Objects of fewer pixels are dropped, counted in the rescaled image.
    #[serde(default)]
    min_size: u64,
    /// Gives a nucleus and its cell the same number, if both are put out.
    #[serde(default = "yes")]
    match_cells: bool,
    /// Height and width of a tile in pixels of the rescaled image, without what overlaps. Absent: the sidecar's, else 1024.
    #[serde(default)]
    tile: Option<usize>,
    /// Pixels around a tile that are computed and not used. Absent: as far as the network looks.
    #[serde(default)]
    overlap: Option<usize>,
}

const fn half_micrometre() -> f64 {
    0.5
}

const fn diameter() -> f64 {
    14.0
}

const fn seed_threshold() -> f64 {
    0.7
}

const fn peak_distance() -> usize {
    5
}

const fn mask_threshold() -> f64 {
    0.53
}

const fn overlap_threshold() -> f64 {
    0.3
}

const fn window() -> usize {
    64
}

const fn yes() -> bool {
    true
}

pub(in super::super) static INSTANSEG: KindInfo = KindInfo {
    name: "predict.instanseg",
    version: 1,
    scope: JobScope::ImageSet,
    about: "Nuclei and cells from an InstanSeg network in an ONNX file and its pixel classifier (InstanSeg.eval_small_image)",
    inputs: &[Port::many(
        "images",
        Holds::Image,
        "channels, any number; the order does not matter to InstanSeg's own networks",
    )],
    outputs: &[
        Port::one(
            "nuclei",
            Holds::Labels,
            "the nuclei, or the objects of a network that finds one kind",
        ),
        Port::one("cells", Holds::Labels, "the whole cells").optional(),
    ],
    schema: schema_of::<InstanSeg>,
    compile: image_kind::<InstanSeg>,
};

impl ImageOperation for InstanSeg {
    fn run(&self, io: &mut JobIo<'_>) -> Result<(), Failure> {
        let head = self.head()?;
        let model = Model::open(&self.model, &super::options(self.sidecar.as_deref()))?;
        io.note("engine", model.engine());
        let planes = super::planes(io)?;
        let Some(first) = planes.first() else {
            return Ok(()); // the graph has at least one
        };
        let shape = first.dim();
        let factor = match self.scale() {
            Some(scale) => scale.factor(first, self.diameter)?,
            None => None,
        };
        let planes = planes
            .iter()
            .map(|plane| match factor {
                Some(factor) => Ok(resize(plane.view(), factor)?),
                None => Ok(Array2::clone(plane)),
            })
            .collect::<Result<Vec<_>, Failure>>()?;
        let maps = self.maps(&model, &head, &planes)?;
        let kinds = maps.dim().0 / head.maps();
        let objects = |kind: usize| {
            let first = kind * head.maps();
            head.objects(maps.slice(s![first..first + head.maps(), .., ..]))
        };
        let wants_cells = !io.output_names("cells").is_empty();
        if wants_cells && kinds < 2 {
            return Err(wrong(
                &model,
                "finds one kind of object, so that there are no `cells`",
            ));
        }
        let mut nuclei = objects(0)?;
        let mut cells = None;
        if wants_cells {
            let mut found = objects(1)?;
            if self.match_cells {
                (nuclei, found) = match_cells(nuclei.view(), found.view())?;
            }
            cells = Some(found);
        }
        for (port, labels) in [("nuclei", Some(nuclei)), ("cells", cells)] {
            let Some(labels) = labels else { continue };
            let labels = if labels.dim() == shape {
                labels
            } else {
                nearest(labels.view(), shape)?
            };
            io.put(port, Item::Labels(Arc::new(labels)));
        }
        Ok(())
    }

    fn files(&self) -> Vec<PathBuf> {
        let mut files = networks::files(&self.model, self.sidecar.as_deref());
        files.push(self.classifier());
        files
    }

    fn check(&self, _inputs: &Bindings, _outputs: &Bindings) -> Vec<String> {
        let mut wrong = super::check_parts(&[
            ("mask_threshold", Some(self.mask_threshold)),
            ("overlap_threshold", Some(self.overlap_threshold)),
        ]);
        if self.mask_threshold <= 0.0 || self.mask_threshold >= 1.0 {
            wrong.push("`mask_threshold` must lie between 0 and 1".to_owned());
        }
        if !self.seed_threshold.is_finite() {
            wrong.push("`seed_threshold` must be a number".to_owned());
        }
        wrong.extend(self.scale.and_then(Scale::check));
        if self.scale.is_some() && self.pixel_size.is_some() {
            wrong.push("`scale` and `pixel_size` say the same: give one of them".to_owned());
        }
        if self.scale.is_none()
            && let Some(Scale::Factor(factor)) = self.scale()
            && !(0.05..=8.0).contains(&factor)
        {
            wrong.push(format!(
                "`pixel_size` would make the image {factor} times as large for the network; between 0.05 and 8 times make sense"
            ));
        }
        for (name, size) in [
            ("pixel_size", self.pixel_size),
            ("network_pixel_size", Some(self.network_pixel_size)),
        ] {
            if size.is_some_and(|s| !(0.01..=100.0).contains(&s)) {
                wrong.push(format!("`{name}` must be between 0.01 and 100 micrometres"));
            }
        }
        if !(1.0..=1000.0).contains(&self.diameter) {
            wrong.push("`diameter` must be between 1 and 1000".to_owned());
        }
        for (name, value, most) in [
            ("window", self.window, 1024),
            ("peak_distance", self.peak_distance, 256),
        ] {
            if !(1..=most).contains(&value) {
                wrong.push(format!("`{name}` must be between 1 and {most}"));
            }
        }
        wrong.extend(super::check_tiles(self.tile, self.overlap));
        wrong
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings = super::model_warnings(&self.model, self.sidecar.as_deref());
        if let Err(failure) = classifier::read(&self.classifier()) {
            warnings.push(format!("{}; {}", failure.message, failure.remedy));
        }
        warnings
    }
}

fn wrong(model: &Model, message: &str) -> Failure {
    Failure::permanent(
        "wrong-output",
        format!("`{}` {message}", model.path().display()),
        "name an InstanSeg network without its head and the pixel classifier that belongs to it; `wellspring model check FILE` shows what comes out",
    )
}

impl InstanSeg {
    fn classifier(&self) -> PathBuf {
        self.classifier
            .clone()
            .unwrap_or_else(|| self.model.with_file_name(CLASSIFIER))
    }

    fn head(&self) -> Result<Head, Failure> {
        Ok(Head {
            seed_threshold: self.seed_threshold as f32,
            peak_distance: self.peak_distance,
            mask_threshold: self.mask_threshold as f32,
            window: self.window,
            overlap_threshold: self.overlap_threshold as f32,
            min_size: self.min_size,
            ..Head::new(classifier::read(&self.classifier())?)
        })
    }

    fn scale(&self) -> Option<Scale> {
        let by_size = |size: f64| Scale::Factor(size / self.network_pixel_size);
        self.scale.or(self.pixel_size.map(by_size))
    }

    /// The network's maps, as many as the head takes for one kind of object or for two.
    fn maps(
        &self,
        model: &Model,
        head: &Head,
        planes: &[Array2<f32>],
    ) -> Result<Array3<f32>, Failure> {
        let plan = Plan {
            multiple: Some(
                model
                    .description()
                    .multiple
                    .map(|own| common_multiple(own, MULTIPLE)),
            ),
            ..super::plan(self.tile, self.overlap, Some(self.normalisation(model)))
        };
        let mut outputs = super::run(model, planes, &plan)?;
        let output = outputs.swap_remove(0);
        let channels = output.data.dim().0;
        if output.grid != [1, 1] {
            return Err(wrong(
                model,
                &format!("has one value for {:?} pixels, not for each", output.grid),
            ));
        }
        if channels == head.maps() || channels == 2 * head.maps() {
            return Ok(output.data);
        }
        Err(wrong(
            model,
            &format!(
                "gives {channels} channels, but the classifier in `{}` takes {} for one kind of object, {} for two",
                self.classifier().display(),
                head.maps(),
                2 * head.maps()
            ),
        ))
    }

    fn normalisation(&self, model: &Model) -> Steps {
        let told = &model.description().normalisation;
        let mut steps = match &self.normalise {
            Some(Steps(steps)) => steps.clone(),
            None if !told.is_empty() => told.clone(),
            None => vec![Step::ScaleRange {
                min_percentile: 0.1,
                max_percentile: 99.9,
                eps: 1e-6,
                scope: Scope::Channel,
            }],
        };
        // InstanSeg does this itself, in front of the network.
        steps.push(Step::Clip {
            min: -2.0,
            max: 3.0,
        });
        Steps(steps)
    }
}
