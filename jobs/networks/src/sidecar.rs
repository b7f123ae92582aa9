//! The sidecar: what a person or a training program says of a network beside what the ONNX file says itself.

mod bioimage;
mod own;
mod stardist;
mod value;

use std::path::{Path, PathBuf};

use crate::axes::Axes;
use crate::description::StarConvex;
use crate::error::{Error, Result};
use crate::normalise::Step;
use crate::onnx::Declared;

/// Largest sidecar that is read, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// What a sidecar says; everything may be left open.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sidecar {
    /// The file that was read.
    pub path: Option<PathBuf>,
    /// The network's name.
    pub name: Option<String>,
    /// The input.
    pub input: Told,
    /// Done with the whole image before it is cut.
    pub normalisation: Vec<Step>,
    /// The outputs.
    pub outputs: Vec<Told>,
    /// Height and width must be multiples of these.
    pub multiple: Option<[usize; 2]>,
    /// Least height and width.
    pub minimum: Option<[usize; 2]>,
    /// Pixels around a tile that are thrown away.
    pub halo: Option<[usize; 2]>,
    /// Height and width of tiles.
    pub tile: Option<usize>,
    /// Numbers of a StarDist network.
    pub star_convex: Option<StarConvex>,
}

/// What a sidecar says of an input or output.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Told {
    /// Its name in the ONNX file; without one, outputs are taken in their order.
    pub name: Option<String>,
    /// Order of its axes.
    pub axes: Option<Axes>,
    /// Names of its channels.
    pub channel_names: Vec<String>,
    /// Input pixels per output pixel.
    pub grid: Option<[usize; 2]>,
    /// Done with what comes out.
    pub activation: Vec<Step>,
}

/// The sidecar of a model: `given`, else the first of `<model>.toml`, `<model>.yaml`, `<model>.yml`, `<model>.json`, and in
/// the model's folder `rdf.yaml`, `bioimageio.yaml` and `config.json` (StarDist's), where they speak of this model.
#[must_use]
pub fn find(model: &Path, given: Option<&Path>) -> Option<PathBuf> {
    if let Some(given) = given {
        return Some(given.to_owned());
    }
    let beside = ["toml", "yaml", "yml", "json"].map(|e| model.with_extension(e));
    if let Some(found) = beside.into_iter().find(|p| p.is_file()) {
        return Some(found);
    }
    let shared = ["rdf.yaml", "bioimageio.yaml"].map(|n| model.with_file_name(n));
    if let Some(found) = shared
        .into_iter()
        .find(|p| p.is_file() && bioimage::speaks_of(p, model))
    {
        return Some(found);
    }
    Some(model.with_file_name("config.json")).filter(|p| stardist::is_config(p))
}

/// Files beside a sidecar that are read with it.
#[must_use]
pub fn companions(sidecar: &Path) -> Vec<PathBuf> {
    stardist::companions(sidecar)
}

impl Sidecar {
    /// Reads a sidecar of any of the supported forms.
    ///
    /// # Errors
    /// A file that cannot be read, and mistakes in it with their place.
    pub fn read(path: &Path) -> Result<Self> {
        let text = read_text(path)?;
        let mut told = match path.extension().and_then(|e| e.to_str()) {
            Some("toml") => own::parse(path, &text)?,
            Some("yaml" | "yml") => bioimage::parse(path, &text)?,
            Some("json") => stardist::parse(path, &text)?,
            _ => {
                return Err(mistake(
                    path,
                    "",
                    "a sidecar is a .toml, a bioimage.io .yaml or a StarDist .json".to_owned(),
                ));
            }
        };
        told.path = Some(path.to_owned());
        told.check(path)?;
        Ok(told)
    }

    /// What is told of an output: by name, else by position.
    pub(crate) fn output(&self, name: &str, position: usize) -> Told {
        self.outputs
            .iter()
            .find(|o| o.name.as_deref() == Some(name))
            .or_else(|| self.outputs.get(position).filter(|o| o.name.is_none()))
            .cloned()
            .unwrap_or_default()
    }

    /// That every output that the sidecar names is there.
    pub(crate) fn check_outputs(&self, declared: &[Declared]) -> Result<()> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        for (i, told) in self.outputs.iter().enumerate() {
            let known = told.name.as_ref().map_or(i < declared.len(), |n| {
                declared.iter().any(|d| d.name == *n)
            });
            if !known {
                let names: Vec<&str> = declared.iter().map(|d| d.name.as_str()).collect();
                return Err(mistake(
                    path,
                    &format!("output {}: ", i + 1),
                    format!(
                        "the model has no output `{}`; it has {}",
                        told.name.as_deref().unwrap_or_default(),
                        names.join(", ")
                    ),
                ));
            }
        }
        Ok(())
    }

    fn check(&self, path: &Path) -> Result<()> {
        const MOST: usize = 1 << 14;
        let sizes = [
            ("multiple", self.multiple, 1),
            ("minimum", self.minimum, 1),
            ("halo", self.halo, 0),
            ("tile", self.tile.map(|t| [t; 2]), 1),
        ];
        let grids = self.outputs.iter().map(|o| ("grid", o.grid, 1));
        for (name, size, least) in sizes.into_iter().chain(grids) {
            if let Some(bad) =
                size.and_then(|s| s.into_iter().find(|v| !(least..=MOST).contains(v)))
            {
                return Err(mistake(
                    path,
                    "",
                    format!("`{name}` is {bad}, but must be between {least} and {MOST}"),
                ));
            }
        }
        for step in self.outputs.iter().flat_map(|o| &o.activation) {
            if !step.is_pointwise() {
                return Err(mistake(
                    path,
                    "",
                    format!("{step:?} needs the whole output; an activation works pixel by pixel"),
                ));
            }
        }
        Ok(())
    }
}

fn read_text(path: &Path) -> Result<String> {
    let bytes = crate::onnx::read(path, MAX_BYTES)?;
    String::from_utf8(bytes).map_err(|e| {
        mistake(
            path,
            "",
            format!("byte {} is not UTF-8", e.utf8_error().valid_up_to()),
        )
    })
}

fn mistake(path: &Path, place: &str, message: String) -> Error {
    Error::Sidecar {
        path: path.to_owned(),
        place: place.to_owned(),
        message,
    }
}
