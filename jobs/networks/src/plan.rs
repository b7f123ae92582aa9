//! How a network is run over an image.

use serde::{Deserialize, Serialize};

/// How neighbouring tiles are joined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Blend {
    /// Each pixel comes from one tile, the one in which it lies farther from the border.
    #[default]
    Crop,
    /// Where tiles overlap they are mixed, by weights that fall towards the border of a tile.
    Feather,
}

/// How a network is run over an image. What is `None` comes from the model's description.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Height and width of a tile without its halo. An image up to a quarter longer is run whole.
    pub tile: Option<usize>,
    /// Pixels around a tile that are computed and thrown away, along y and x.
    pub halo: Option<[usize; 2]>,
    /// Height and width must be multiples of these.
    pub multiple: Option<[usize; 2]>,
    /// How tiles are joined.
    pub blend: Blend,
    /// How many tiles are run together.
    pub batch: usize,
    /// Instead of the description's.
    pub normalisation: Option<crate::normalise::Steps>,
    /// Instead of the description's.
    pub activation: Option<crate::normalise::Steps>,
    /// The output, for [`crate::predict`]; the first if absent.
    pub output: Option<String>,
}

impl Plan {
    /// Tile where neither plan nor sidecar names one.
    pub const TILE: usize = 1024;
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            tile: None,
            halo: None,
            multiple: None,
            blend: Blend::Crop,
            batch: 1,
            normalisation: None,
            activation: None,
            output: None,
        }
    }
}
