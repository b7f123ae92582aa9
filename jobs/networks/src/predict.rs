//! From the planes of an image set to one map a channel.

use ndarray::{Array3, ArrayView2, Axis, stack};

use crate::error::{Error, Result};
use crate::model::Model;
use crate::plan::Plan;
use crate::tile;

/// Normalises the planes, runs the network over them tile by tile, and gives the chosen output after its activation as (channel, y, x), of
/// the planes' size. For fully convolutional networks whose output has the input's resolution; [`tile::run`] gives outputs on
/// coarser grids.
///
/// # Errors
/// Planes of different sizes, a wrong number of them, an output that is not there or is on a coarser grid, an impossible step, the engine's
/// refusal, outputs of other size than promised.
pub fn predict(
    model: &Model,
    channels: &[ArrayView2<'_, f32>],
    plan: &Plan,
) -> Result<Array3<f32>> {
    let description = model.description();
    let at = match &plan.output {
        None => 0,
        Some(name) => description
            .outputs
            .iter()
            .position(|o| o.name == *name)
            .ok_or_else(|| Error::Input {
                path: model.path().to_owned(),
                message: format!(
                    "has no output `{name}`; it has {}",
                    description
                        .outputs
                        .iter()
                        .map(|o| o.name.as_str())
                        .collect::<Vec<_>>()
                        .join(", ")
                ),
            })?,
    };
    let output = &description.outputs[at];
    if output.grid != [1, 1] {
        return Err(Error::Output {
            path: model.path().to_owned(),
            message: format!(
                "an output `{}` on a grid of {} x {} pixels, not one value a pixel",
                output.name, output.grid[0], output.grid[1]
            ),
        });
    }
    let image = normalised(model, channels, plan)?;
    let mut maps = tile::run(model, image.view(), plan)?.swap_remove(at).data;
    match &plan.activation {
        Some(steps) => steps.apply(&mut maps)?,
        None => output
            .activation
            .iter()
            .try_for_each(|step| step.apply(&mut maps))?,
    }
    Ok(maps)
}

/// The planes as (channel, y, x), normalised as plan or description say.
///
/// # Errors
/// Planes of different sizes, none of them, or an impossible step.
pub fn normalised(
    model: &Model,
    channels: &[ArrayView2<'_, f32>],
    plan: &Plan,
) -> Result<Array3<f32>> {
    let wrong = |message: String| Error::Input {
        path: model.path().to_owned(),
        message,
    };
    if let Some(wanted) = model.description().input.channels
        && wanted != channels.len()
    {
        return Err(wrong(format!(
            "takes {wanted} channels, not {}",
            channels.len()
        )));
    }
    let mut image =
        stack(Axis(0), channels).map_err(|_| wrong("needs planes of one size".to_owned()))?;
    match &plan.normalisation {
        Some(steps) => steps.apply(&mut image)?,
        None => model
            .description()
            .normalisation
            .iter()
            .try_for_each(|step| step.apply(&mut image))?,
    }
    Ok(image)
}
