//! bioimage.io's `rdf.yaml`, formats 0.4 and 0.5 (<https://github.com/bioimage-io/spec-bioimage-io>).
//!
//! Read: `name`, `inputs` and `outputs` with axes, shapes, halo, channel names, pre- and postprocessing, and `weights.onnx.source` to
//! see whether the file speaks of this model. What would change results and is not known is an error; what describes (authors, cite,
//! covers) is left alone.

mod axes;
mod processing;

use std::path::Path;

use serde_json::Value;

use super::value::Spot;
use super::{Sidecar, Told, mistake, read_text};
use crate::error::Result;

fn document(path: &Path, text: &str) -> Result<Value> {
    // The axis `y` is a name, not YAML 1.1's "yes".
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options(text, options)
        .map_err(|e| mistake(path, "", e.to_string().trim_end().to_owned()))
}

/// Whether the file names `model` as its ONNX weights.
pub(super) fn speaks_of(path: &Path, model: &Path) -> bool {
    let Some(document) = read_text(path).ok().and_then(|t| document(path, &t).ok()) else {
        // A broken file is reported when it is read: it is the likeliest sidecar.
        return true;
    };
    let source = &document["weights"]["onnx"]["source"];
    let source = source.as_str().or_else(|| source["path"].as_str());
    source.is_none_or(|s| {
        let name = s.rsplit('/').next().unwrap_or(s);
        model.file_name().and_then(|n| n.to_str()) == Some(name)
    })
}

pub(super) fn parse(path: &Path, text: &str) -> Result<Sidecar> {
    let document = document(path, text)?;
    let root = Spot::root(path, &document);
    let version = root.need("format_version")?;
    let format = Format::of(&version)?;
    let inputs = root.need("inputs")?;
    let [input] = <[Spot<'_>; 1]>::try_from(inputs.items()?)
        .map_err(|list| inputs.wrong(format!("has {} inputs, not one", list.len())))?;
    let layout = axes::layout(&input, format)?;
    let normalisation = processing::steps(&input, "preprocessing", format)?;
    let mut outputs = Vec::new();
    let mut halo: Option<[usize; 2]> = None;
    for output in root.need("outputs")?.items()? {
        let own = axes::layout(&output, format)?;
        if let Some([y, x]) = own.halo {
            let [most_y, most_x] = halo.unwrap_or([0, 0]);
            halo = Some([most_y.max(y), most_x.max(x)]);
        }
        let name = output.get("name").or_else(|| output.get("id"));
        outputs.push(Told {
            name: name.map(|n| n.text().map(str::to_owned)).transpose()?,
            axes: Some(own.axes),
            channel_names: own.channel_names,
            grid: own.grid,
            activation: processing::steps(&output, "postprocessing", format)?,
        });
    }
    // An exporter renames outputs as it likes: the order counts.
    outputs.iter_mut().for_each(|o| o.name = None);
    Ok(Sidecar {
        name: root
            .get("name")
            .map(|n| n.text().map(str::to_owned))
            .transpose()?,
        input: Told {
            axes: Some(layout.axes),
            channel_names: layout.channel_names,
            ..Told::default()
        },
        normalisation,
        outputs,
        multiple: layout.multiple,
        minimum: layout.minimum,
        halo,
        star_convex: processing::star_convex(&root)?,
        ..Sidecar::default()
    })
}

/// Which writing of the format.
#[derive(Clone, Copy, PartialEq)]
enum Format {
    /// 0.3 and 0.4: axes are letters.
    Letters,
    /// 0.5: axes are tables.
    Tables,
}

impl Format {
    fn of(version: &Spot<'_>) -> Result<Self> {
        let text = version.text()?;
        let mut parts = text.split('.').map(str::parse::<u32>);
        match (parts.next(), parts.next()) {
            (Some(Ok(0)), Some(Ok(3 | 4))) => Ok(Self::Letters),
            (Some(Ok(0)), Some(Ok(5))) => Ok(Self::Tables),
            _ => Err(version.wrong(format!("format {text} is not known; 0.3 to 0.5 are read"))),
        }
    }
}
