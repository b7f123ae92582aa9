//! Our own sidecar, `<model>.toml`.

use std::path::Path;

use serde::Deserialize;

use super::{Sidecar, Told, mistake};
use crate::axes::Axes;
use crate::description::StarConvex;
use crate::error::Result;
use crate::normalise::Steps;

/// One number for both axes, or (y, x).
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
enum Size {
    Both(usize),
    Each([usize; 2]),
}

impl Size {
    const fn pair(self) -> [usize; 2] {
        match self {
            Self::Both(n) => [n; 2],
            Self::Each(pair) => pair,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: Option<String>,
    tile: Option<usize>,
    halo: Option<Size>,
    multiple: Option<Size>,
    minimum: Option<Size>,
    #[serde(default)]
    normalise: Steps,
    #[serde(default)]
    input: Input,
    #[serde(default)]
    output: Vec<Output>,
    star_convex: Option<StarConvex>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    axes: Option<Axes>,
    #[serde(default)]
    channels: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Output {
    name: Option<String>,
    axes: Option<Axes>,
    #[serde(default)]
    channels: Vec<String>,
    grid: Option<Size>,
    #[serde(default)]
    activation: Steps,
}

pub(super) fn parse(path: &Path, text: &str) -> Result<Sidecar> {
    // The parser's message shows the line with a mark below it.
    let file: File =
        toml::from_str(text).map_err(|e| mistake(path, "", e.to_string().trim_end().to_owned()))?;
    Ok(Sidecar {
        path: None,
        name: file.name,
        input: Told {
            axes: file.input.axes,
            channel_names: file.input.channels,
            ..Told::default()
        },
        normalisation: file.normalise.0,
        outputs: file
            .output
            .into_iter()
            .map(|o| Told {
                name: o.name,
                axes: o.axes,
                channel_names: o.channels,
                grid: o.grid.map(Size::pair),
                activation: o.activation.0,
            })
            .collect(),
        multiple: file.multiple.map(Size::pair),
        minimum: file.minimum.map(Size::pair),
        halo: file.halo.map(Size::pair),
        tile: file.tile,
        star_convex: file.star_convex,
    })
}
