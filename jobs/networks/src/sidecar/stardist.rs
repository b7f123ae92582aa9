//! StarDist's own files: `config.json` with `thresholds.json` beside it, or one `model.json` with both.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::value::Spot;
use super::{Sidecar, Told, mistake, read_text};
use crate::axes::Axes;
use crate::description::StarConvex;
use crate::error::Result;
use crate::normalise::{Scope, Step};

pub(super) fn is_config(path: &Path) -> bool {
    path.is_file()
        && read_text(path)
            .ok()
            .and_then(|text| serde_json::from_str::<Value>(&text).ok())
            .is_some_and(|v| v.get("n_rays").is_some())
}

/// Files that are read with a sidecar where they are there; one that appears later counts too.
pub(super) fn companions(sidecar: &Path) -> Vec<PathBuf> {
    if sidecar.file_name().is_some_and(|n| n == "config.json") {
        vec![sidecar.with_file_name("thresholds.json")]
    } else {
        Vec::new()
    }
}

fn json(path: &Path) -> Result<Value> {
    let text = read_text(path)?;
    serde_json::from_str(&text).map_err(|e| mistake(path, "", e.to_string()))
}

pub(super) fn parse(path: &Path, text: &str) -> Result<Sidecar> {
    let document: Value =
        serde_json::from_str(text).map_err(|e| mistake(path, "", e.to_string()))?;
    let root = Spot::root(path, &document);
    let config = root.get("config").unwrap_or_else(|| root.clone());
    let n_rays = config.need("n_rays")?.whole()?;
    if config.get("n_dim").map(|d| d.whole()).transpose()? == Some(3) {
        return Err(
            config.wrong("is for a 3-D network; only 2-D networks are supported".to_owned())
        );
    }
    let grid = match config.get("grid") {
        Some(grid) => match grid.items()?.as_slice() {
            [y, x] => [y.whole()?, x.whole()?],
            _ => return Err(grid.wrong("must be two numbers".to_owned())),
        },
        None => [1, 1],
    };
    let mut star_convex = StarConvex {
        n_rays,
        prob_thresh: None,
        nms_thresh: None,
    };
    let mut thresholds = |spot: &Spot<'_>, prob: &str, nms: &str| -> Result<()> {
        if let Some(value) = spot.get(prob) {
            star_convex.prob_thresh = Some(value.number()?);
        }
        if let Some(value) = spot.get(nms) {
            star_convex.nms_thresh = Some(value.number()?);
        }
        Ok(())
    };
    thresholds(&root, "prob_thresh", "nms_thresh")?;
    for companion in companions(path).into_iter().filter(|c| c.is_file()) {
        let document = json(&companion)?;
        thresholds(&Spot::root(&companion, &document), "prob", "nms")?;
    }
    let depth = config.get("unet_n_depth").map(|d| d.whole()).transpose()?;
    let pool = |axis: usize| -> Result<usize> {
        let Some(pool) = config.get("unet_pool") else {
            return Ok(2);
        };
        pool.items()?.get(axis).map_or(Ok(2), Spot::whole)
    };
    let multiple = match depth
        .and_then(|d| u32::try_from(d).ok())
        .filter(|d| *d <= 10)
    {
        Some(depth) => {
            let size = |axis: usize| -> Result<usize> {
                Ok(pool(axis)?.saturating_pow(depth).saturating_mul(grid[axis]))
            };
            Some([size(0)?, size(1)?])
        }
        None => None,
    };
    let output = |name: &str| Told {
        name: Some(name.to_owned()),
        grid: Some(grid),
        axes: Some(Axes::channels_last()),
        ..Told::default()
    };
    Ok(Sidecar {
        name: root
            .get("name")
            .map(|n| n.text().map(str::to_owned))
            .transpose()?,
        input: Told {
            axes: Some(Axes::channels_last()),
            ..Told::default()
        },
        normalisation: vec![Step::ScaleRange {
            min_percentile: 1.0,
            max_percentile: 99.8,
            eps: 1e-20,
            scope: Scope::Channel,
        }],
        outputs: vec![output("prob"), output("dist")],
        multiple,
        star_convex: Some(star_convex),
        ..Sidecar::default()
    })
}
