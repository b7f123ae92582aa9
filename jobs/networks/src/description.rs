//! What a network takes and gives: from the ONNX file, completed and corrected by a sidecar.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::axes::{Axes, Axis};
use crate::error::{Error, Result};
use crate::normalise::Step;
use crate::onnx::{Declared, OnnxFile};
use crate::reach;
use crate::sidecar::Sidecar;

/// An input or output of a network.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tensor {
    /// Its name in the file.
    pub name: String,
    /// Order of its axes.
    pub axes: Axes,
    /// Sizes by axis; `None` where the file leaves it open.
    pub shape: Vec<Option<usize>>,
    /// Number of channels, where it is fixed.
    pub channels: Option<usize>,
    /// Names of the channels, as many as there are, or none.
    pub channel_names: Vec<String>,
    /// Input pixels per pixel of an output, along y and x: (2, 2) for a StarDist grid of 2 x 2. (1, 1) for an input.
    pub grid: [usize; 2],
    /// Done with the values that come out, in this order.
    pub activation: Vec<Step>,
}

/// Numbers of a StarDist network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StarConvex {
    /// Rays of a polygon.
    pub n_rays: usize,
    /// Objects begin above this probability, if its files say.
    #[serde(default)]
    pub prob_thresh: Option<f64>,
    /// Of two polygons that overlap more than this, the less probable one is dropped, if its files say.
    #[serde(default)]
    pub nms_thresh: Option<f64>,
}

/// What a network takes and gives.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Description {
    /// Its name, from the sidecar.
    pub name: Option<String>,
    /// The sidecar that was read.
    pub sidecar: Option<PathBuf>,
    /// The input.
    pub input: Tensor,
    /// The outputs, in the file's order.
    pub outputs: Vec<Tensor>,
    /// Done with the whole image before it is cut into tiles, in this order.
    pub normalisation: Vec<Step>,
    /// Height and width must be multiples of these.
    pub multiple: [usize; 2],
    /// Least height and width.
    pub minimum: [usize; 2],
    /// The only height and width that the network takes, if it is built for one.
    pub fixed: Option<[usize; 2]>,
    /// Pixels around a tile that are computed and thrown away. From the sidecar, else how far an output pixel looks.
    pub halo: [usize; 2],
    /// Height and width of tiles that the sidecar recommends.
    pub tile: Option<usize>,
    /// How far an output pixel looks, in input pixels, as the graph says; `None` if it could not be followed.
    pub reach: Option<usize>,
    /// Whether the network looks at the whole image (means over it), so that tiles change its results.
    pub sees_whole_image: bool,
    /// Numbers of a StarDist network, from the sidecar.
    pub star_convex: Option<StarConvex>,
}

/// Halo where nothing is known of the network.
const DEFAULT_HALO: usize = 64;

/// Largest halo that is taken from the graph: what lies farther away hardly counts, and costs most of the time.
const MAX_DERIVED_HALO: usize = 256;

impl Description {
    pub(crate) fn new(file: &OnnxFile, sidecar: &Sidecar) -> Result<Self> {
        let form = |reason: String| Error::Form {
            path: file.path.clone(),
            reason,
        };
        let inputs = file.inputs();
        let [input] = inputs.as_slice() else {
            let names: Vec<&str> = inputs.iter().map(|i| i.name.as_str()).collect();
            return Err(form(format!(
                "it takes {} inputs ({}), not one",
                names.len(),
                names.join(", ")
            )));
        };
        let declared = file.outputs();
        for tensor in std::iter::once(input).chain(&declared) {
            if tensor.element != "FLOAT" {
                return Err(form(format!(
                    "`{}` holds {}, not FLOAT",
                    tensor.name, tensor.element
                )));
            }
        }
        let axes = match &sidecar.input.axes {
            Some(axes) => axes.clone(),
            None => guess_axes(&input.shape).map_err(&form)?,
        };
        let mut input = tensor(input, axes, &form)?;
        input.channel_names.clone_from(&sidecar.input.channel_names);
        let channels_last = input.axes.position(Axis::Channel) == Some(input.axes.len() - 1);
        let reach = reach::of(file, &input.name, channels_last);
        let mut outputs = Vec::new();
        for (i, declared) in declared.iter().enumerate() {
            let told = sidecar.output(&declared.name, i);
            let axes = told.axes.clone().unwrap_or_else(|| {
                if declared.shape.len() == input.axes.len() {
                    input.axes.clone()
                } else {
                    plain_axes(declared.shape.len())
                }
            });
            let mut output = tensor(declared, axes, &form)?;
            output.channel_names = told.channel_names;
            output.activation = told.activation;
            output.grid = told.grid.unwrap_or_else(|| {
                let stride = reach.outputs[i].map_or(1.0, |f| f.stride);
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                let stride = stride.round().max(1.0) as usize;
                [stride; 2]
            });
            outputs.push(output);
        }
        sidecar.check_outputs(&declared)?;
        let size = |axis| {
            input
                .axes
                .position(axis)
                .and_then(|p| input.shape.get(p).copied().flatten())
        };
        let fixed = match (size(Axis::Y), size(Axis::X)) {
            (Some(y), Some(x)) => Some([y, x]),
            _ => None,
        };
        let farthest = reach
            .outputs
            .iter()
            .map(|f| f.map(|f| f.before.max(f.after).ceil()))
            .try_fold(0.0f64, |most, f| Some(most.max(f?)));
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let farthest = farthest.map(|f| f as usize);
        let sees_whole_image = reach.outputs.iter().flatten().any(|f| f.whole);
        let halo = sidecar
            .halo
            .unwrap_or_else(|| [farthest.map_or(DEFAULT_HALO, |f| f.min(MAX_DERIVED_HALO)); 2]);
        Ok(Self {
            name: sidecar.name.clone(),
            sidecar: sidecar.path.clone(),
            input,
            outputs,
            normalisation: sidecar.normalisation.clone(),
            multiple: sidecar.multiple.unwrap_or([reach.multiple; 2]),
            minimum: sidecar.minimum.unwrap_or([1, 1]),
            fixed,
            halo,
            tile: sidecar.tile,
            reach: farthest,
            sees_whole_image,
            star_convex: sidecar.star_convex.clone(),
        })
    }

    /// An output by name.
    #[must_use]
    pub fn output(&self, name: &str) -> Option<&Tensor> {
        self.outputs.iter().find(|o| o.name == name)
    }
}

fn tensor(declared: &Declared, axes: Axes, form: &impl Fn(String) -> Error) -> Result<Tensor> {
    // A file without shapes says nothing that could be wrong.
    if !declared.shape.is_empty() && declared.shape.len() != axes.len() {
        return Err(form(format!(
            "`{}` has {} axes, not those of `{axes}`",
            declared.name,
            declared.shape.len()
        )));
    }
    let channels = match axes.position(Axis::Channel) {
        Some(p) => declared.shape.get(p).copied().flatten(),
        None => Some(1),
    };
    Ok(Tensor {
        name: declared.name.clone(),
        axes,
        shape: declared.shape.clone(),
        channels,
        channel_names: Vec::new(),
        grid: [1, 1],
        activation: Vec::new(),
    })
}

fn plain_axes(count: usize) -> Axes {
    match count {
        2 => "yx",
        3 => "cyx",
        _ => "bcyx",
    }
    .parse()
    .unwrap_or_else(|_| Axes::channels_first())
}

/// Where channels are last, their number is fixed and the sizes are open or larger.
fn guess_axes(shape: &[Option<usize>]) -> std::result::Result<Axes, String> {
    const MOST_CHANNELS: usize = 32;
    let few = |n: Option<usize>| n.is_some_and(|n| n <= MOST_CHANNELS);
    match shape {
        [_, second, _, last] if !few(*second) && few(*last) => Ok(Axes::channels_last()),
        // Without shapes: what PyTorch writes.
        [] | [_, _, _, _] => Ok(Axes::channels_first()),
        [first, _, last] if !few(*first) && few(*last) => "yxc".parse(),
        [_, _, _] => Ok(plain_axes(3)),
        [_, _] => Ok(plain_axes(2)),
        _ => Err(format!(
            "its input has {} axes; only 2-D networks are supported (batch, channel, y, x)",
            shape.len()
        )),
    }
}
