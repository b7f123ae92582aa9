//! Objects from neural networks: what the kinds for StarDist and InstanSeg share.

mod classifier;
mod instanseg;
mod magnification;
mod stardist;

pub(super) use instanseg::INSTANSEG;
pub(super) use stardist::STARDIST;

use std::path::Path;
use std::sync::Arc;

use ndarray::{Array2, ArrayView2};
use networks::normalise::Steps;
use networks::tile::{self, Stitched};
use networks::{Model, Options, Plan, normalised};

use crate::context::JobIo;
use crate::error::Failure;

fn options(sidecar: Option<&Path>) -> Options {
    Options {
        sidecar: sidecar.map(Path::to_owned),
        ..Options::default()
    }
}

/// What will make a job with this model fail on this machine.
fn model_warnings(model: &Path, sidecar: Option<&Path>) -> Vec<String> {
    match Model::open(model, &options(sidecar)) {
        // The workers may have another engine, which has them.
        Ok(_) | Err(networks::Error::Operators { .. }) => Vec::new(),
        Err(error) => vec![format!("{error}; {}", error.remedy())],
    }
}

/// The planes of the first input port, in order, as float32.
fn planes(io: &mut JobIo<'_>) -> Result<Vec<Arc<Array2<f32>>>, Failure> {
    io.names("images")
        .iter()
        .map(|name| io.float_named(name))
        .collect()
}

/// How the network is run: tiles that overlap, whatever the parameters leave open as the model's files say.
fn plan(tile: Option<usize>, overlap: Option<usize>, normalise: Option<Steps>) -> Plan {
    Plan {
        tile,
        halo: overlap.map(|o| [o; 2]),
        normalisation: normalise,
        ..Plan::default()
    }
}

/// Normalises the planes and runs the network over them; its outputs before any activation.
fn run(model: &Model, planes: &[Array2<f32>], plan: &Plan) -> Result<Vec<Stitched>, Failure> {
    let views: Vec<ArrayView2<'_, f32>> = planes.iter().map(|p| p.view()).collect();
    let image = normalised(model, &views, plan)?;
    Ok(tile::run(model, image.view(), plan)?)
}

/// That the tile's numbers are ones that memory can hold.
fn check_tiles(tile: Option<usize>, overlap: Option<usize>) -> Vec<String> {
    let mut wrong = Vec::new();
    if tile.is_some_and(|t| !(64..=1 << 14).contains(&t)) {
        wrong.push(format!("`tile` must be between 64 and {}", 1 << 14));
    }
    if overlap.is_some_and(|o| o > 1 << 12) {
        wrong.push(format!("`overlap` must be at most {}", 1 << 12));
    }
    wrong
}

/// That parameters which are parts of something lie between 0 and 1.
fn check_parts(parts: &[(&str, Option<f64>)]) -> Vec<String> {
    parts
        .iter()
        .filter(|(_, value)| value.is_some_and(|v| !(0.0..=1.0).contains(&v)))
        .map(|(name, _)| format!("`{name}` must be between 0 and 1"))
        .collect()
}
