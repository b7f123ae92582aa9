//! Star-convex objects.

use std::path::PathBuf;
use std::sync::Arc;

use analysis::rescale::{nearest, zoom};
use analysis::star_convex::{Candidates, Grid};
use image_io::Pixels;
use ndarray::{Array2, ArrayView3, Axis, s};
use networks::normalise::{Scope, Step, Steps};
use networks::tile::{Stitched, Windows};
use networks::{Model, Plan};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::magnification::Scale;
use crate::context::{Item, JobIo};
use crate::error::Failure;
use crate::graph::{Bindings, Scope as JobScope};
use crate::kind::{ImageOperation, KindInfo, image_kind, schema_of};
use crate::port::{Holds, Port};

/// Thresholds of BatchLib's network 2D_dsb2018, where neither workflow nor sidecar gives others.
const PROB_THRESH: f64 = 0.417_819_363_664_050_8;
const NMS_THRESH: f64 = 0.5;

/// Cells at the border that are no candidates.
const BORDER: usize = 2;

/// Parameters of `predict.stardist`. What is absent comes from the sidecar (StarDist's `config.json` with `thresholds.json`,
/// or a `<model>.json` or `<model>.toml`).
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct StarDist {
    /// ONNX file; relative to the workflow file.
    model: PathBuf,
    /// Sidecar; relative to the workflow file. Absent: the one beside the model.
    #[serde(default)]
    sidecar: Option<PathBuf>,
    /// Objects are where the probability is above this. Absent: the sidecar's, else 0.4178193636640508.
    #[serde(default)]
    prob_thresh: Option<f64>,
    /// Of two polygons that share more than this part of the smaller one, the less probable is dropped. Absent: the sidecar's,
    /// else 0.5.
    #[serde(default)]
    nms_thresh: Option<f64>,
    /// What is done with the whole image first. Absent: the sidecar's, else percentiles 1 and 99.8 of each channel become 0 and 1.
    #[serde(default)]
    #[schemars(with = "Option<serde_json::Value>")]
    normalise: Option<Steps>,
    /// The image is made so many times as large for the network, for objects of another size than it was trained on; or
    /// `"auto"`: so that nuclei in the first channel get the `diameter`.
    #[serde(default = "unscaled")]
    scale: Scale,
    /// Diameter in pixels that `scale = "auto"` aims at.
    #[serde(default = "diameter")]
    diameter: f64,
    /// Height and width of a tile in pixels, without what overlaps. Absent: the sidecar's, else 1024.
    #[serde(default)]
    tile: Option<usize>,
    /// Pixels around a tile that are computed and not used. Absent: as far as the network looks.
    #[serde(default)]
    overlap: Option<usize>,
}

const fn unscaled() -> Scale {
    Scale::Factor(1.0)
}

const fn diameter() -> f64 {
    20.0
}

pub(in super::super) static STARDIST: KindInfo = KindInfo {
    name: "predict.stardist",
    version: 1,
    scope: JobScope::ImageSet,
    about: "Star-convex objects from a StarDist network in an ONNX file (StarDist2D.predict_instances)",
    inputs: &[Port::many(
        "images",
        Holds::Image,
        "the network's input channels, in its order; mostly one",
    )],
    outputs: &[
        Port::one(
            "labels",
            Holds::Labels,
            "the objects, numbered from 1, the most probable first",
        ),
        Port::one(
            "probabilities",
            Holds::Image,
            "probability of an object at each pixel, float32",
        )
        .optional(),
    ],
    schema: schema_of::<StarDist>,
    compile: image_kind::<StarDist>,
};

impl ImageOperation for StarDist {
    fn run(&self, io: &mut JobIo<'_>) -> Result<(), Failure> {
        let model = Model::open(&self.model, &super::options(self.sidecar.as_deref()))?;
        io.note("engine", model.engine());
        let planes = super::planes(io)?;
        let shape = planes.first().map_or((0, 0), |p| p.dim());
        let factor = match planes.first() {
            Some(first) => self.scale.factor(first, self.diameter)?,
            None => None,
        };
        let planes = planes
            .iter()
            .map(|plane| match factor {
                Some(factor) => Ok(zoom(plane.view(), factor)?),
                None => Ok(Array2::clone(plane)),
            })
            .collect::<Result<Vec<_>, Failure>>()?;
        let seen = planes.first().map_or((0, 0), Array2::dim);
        let plan = super::plan(self.tile, self.overlap, self.normalisation(&model));
        let mut outputs = super::run(&model, &planes, &plan)?;
        let maps = Maps::find(&model, &mut outputs)?;
        let candidates = self.candidates(&model, &plan, &maps, seen)?;
        let found = candidates.suppress(self.thresholds(&model).1);
        let labels = match factor {
            Some(factor) => found.scaled_label_image(shape, 1.0 / factor),
            None => found.label_image(shape),
        };
        io.put("labels", Item::Labels(Arc::new(labels)));
        if !io.output_names("probabilities").is_empty() {
            let plane = maps.probabilities(seen, shape)?;
            io.put("probabilities", Item::Image(Arc::new(Pixels::F32(plane))));
        }
        Ok(())
    }

    fn files(&self) -> Vec<PathBuf> {
        networks::files(&self.model, self.sidecar.as_deref())
    }

    fn check(&self, _inputs: &Bindings, _outputs: &Bindings) -> Vec<String> {
        let mut wrong = super::check_parts(&[
            ("prob_thresh", self.prob_thresh),
            ("nms_thresh", self.nms_thresh),
        ]);
        wrong.extend(self.scale.check());
        if !(1.0..=1000.0).contains(&self.diameter) {
            wrong.push("`diameter` must be between 1 and 1000".to_owned());
        }
        wrong.extend(super::check_tiles(self.tile, self.overlap));
        wrong
    }

    fn warnings(&self) -> Vec<String> {
        super::model_warnings(&self.model, self.sidecar.as_deref())
    }

    fn batchlib(&self) -> Option<&'static str> {
        Some("StardistPrediction")
    }
}

impl StarDist {
    /// (probability, overlap).
    fn thresholds(&self, model: &Model) -> (f32, f32) {
        let told = model.description().star_convex.as_ref();
        let prob = self.prob_thresh.or(told.and_then(|t| t.prob_thresh));
        let nms = self.nms_thresh.or(told.and_then(|t| t.nms_thresh));
        (
            prob.unwrap_or(PROB_THRESH) as f32,
            nms.unwrap_or(NMS_THRESH) as f32,
        )
    }

    /// What replaces the sidecar's normalisation.
    fn normalisation(&self, model: &Model) -> Option<Steps> {
        let told = !model.description().normalisation.is_empty();
        self.normalise.clone().or_else(|| {
            (!told).then(|| {
                Steps(vec![Step::ScaleRange {
                    min_percentile: 1.0,
                    max_percentile: 99.8,
                    eps: 1e-20,
                    scope: Scope::Channel,
                }])
            })
        })
    }

    fn candidates(
        &self,
        model: &Model,
        plan: &Plan,
        maps: &Maps,
        (height, width): (usize, usize),
    ) -> Result<Candidates, Failure> {
        let windows = Windows::new(model.description(), plan, [height, width]);
        let [gy, gx] = maps.grid;
        // StarDist leaves out the border of the padded image.
        let grid = Grid {
            step: (gy, gx),
            cells: (windows.y.padded / gy, windows.x.padded / gx),
            image: (height, width),
            border: BORDER,
        };
        let dist = maps.dist();
        let mut candidates = Candidates::new(dist.dim().2)?;
        let prob = maps.values.index_axis(Axis(0), 0);
        let threshold = self.thresholds(model).0;
        candidates
            .collect(prob, dist, grid, (0, 0), threshold)
            .map_err(|e| {
                Failure::permanent(
                    "wrong-output",
                    format!("`{}`: {e}", model.path().display()),
                    "name a StarDist network; `wellspring model check FILE` shows what comes out",
                )
            })?;
        Ok(candidates)
    }
}

/// Probability and distances on their grid.
struct Maps {
    /// (1, y, x), or both maps together: the probability and then the distances.
    values: ndarray::Array3<f32>,
    /// (ray, y, x), where they are an output of their own.
    distances: Option<ndarray::Array3<f32>>,
    grid: [usize; 2],
}

impl Maps {
    /// The outputs by what StarDist calls them, else by their channels; some exports join both in one output.
    fn find(model: &Model, outputs: &mut Vec<Stitched>) -> Result<Self, Failure> {
        let wrong = |message: String| {
            Failure::permanent(
                "wrong-output",
                format!("`{}` {message}", model.path().display()),
                "name a StarDist network with the outputs `prob` and `dist`, and its own config.json; `wellspring model check FILE` shows what comes out",
            )
        };
        let named = |outputs: &[Stitched], name: &str| outputs.iter().position(|o| o.name == name);
        let channels = |o: &Stitched| o.data.dim().0;
        let place = |name: &str, fits: &dyn Fn(usize) -> bool| {
            named(outputs, name).or_else(|| outputs.iter().position(|o| fits(channels(o))))
        };
        let (prob, dist) = (place("prob", &|c| c == 1), place("dist", &|c| c >= 3));
        let (values, distances, grid) = match (prob, dist) {
            (Some(p), Some(d)) if p != d => {
                let grids = (outputs[p].grid, outputs[d].grid);
                if grids.0 != grids.1 || outputs[p].data.dim().1 != outputs[d].data.dim().1 {
                    return Err(wrong(
                        "gives probabilities and distances on different grids".to_owned(),
                    ));
                }
                let take =
                    |outputs: &mut Vec<Stitched>, at: usize| std::mem::take(&mut outputs[at].data);
                (take(outputs, p), Some(take(outputs, d)), grids.0)
            }
            _ if outputs.len() == 1 && channels(&outputs[0]) >= 4 => {
                let output = outputs.swap_remove(0);
                (output.data, None, output.grid)
            }
            _ => {
                let found: Vec<String> = outputs
                    .iter()
                    .map(|o| format!("`{}` with {} channels", o.name, channels(o)))
                    .collect();
                return Err(wrong(format!(
                    "gives no probabilities and distances but {}",
                    found.join(", ")
                )));
            }
        };
        if distances.is_some() && values.dim().0 != 1 {
            return Err(wrong(format!(
                "gives {} channels of probabilities, not one; networks for several classes are not supported",
                values.dim().0
            )));
        }
        let maps = Self {
            values,
            distances,
            grid,
        };
        let rays = maps.dist().dim().2;
        if let Some(told) = &model.description().star_convex
            && told.n_rays != rays
        {
            return Err(wrong(format!(
                "gives {rays} distances a pixel, but its sidecar says n_rays = {}",
                told.n_rays
            )));
        }
        Ok(maps)
    }

    /// (y, x, ray).
    fn dist(&self) -> ArrayView3<'_, f32> {
        let planes = match &self.distances {
            Some(distances) => distances.view(),
            None => self.values.slice(s![1.., .., ..]),
        };
        planes.permuted_axes([1, 2, 0])
    }

    /// One value a pixel of the original image, copied from the nearest cell.
    fn probabilities(
        &self,
        (height, width): (usize, usize),
        shape: (usize, usize),
    ) -> Result<Array2<f32>, Failure> {
        let cells = self.values.index_axis(Axis(0), 0);
        let full = Array2::from_shape_fn((height, width), |(y, x)| {
            cells[[y / self.grid[0], x / self.grid[1]]]
        });
        if (height, width) == shape {
            return Ok(full);
        }
        // Bits are copied: a label image and a plane of floats are rescaled alike.
        let bits = nearest(full.mapv(f32::to_bits).view(), shape)?;
        Ok(bits.mapv(f32::from_bits))
    }
}
