//! Cutting an image into tiles and joining what comes out, for networks with any number of outputs, also on coarser grids.

mod join;
mod layout;

use ndarray::{Array3, Array4, ArrayView3, s};

pub use layout::{Row, Span, Windows, common_multiple};

use crate::axes::Axis;
use crate::error::{Error, Result};
use crate::model::Model;
use crate::pad::reflect;
use crate::plan::Plan;
use join::Canvas;

/// One output of a network over a whole image.
#[derive(Clone, Debug)]
pub struct Stitched {
    /// Its name.
    pub name: String,
    /// (channel, y, x); one pixel for each `grid` of the image, rounded up.
    pub data: Array3<f32>,
    /// Image pixels per pixel, along y and x.
    pub grid: [usize; 2],
}

/// Runs a network over a whole image that is normalised already, (channel, y, x), tile by tile, and joins its outputs.
/// Activations are not applied.
///
/// The image is padded by reflection at the bottom and at the right to the network's multiple, and the result is cropped. An image that
/// fits one tile is run whole. Tiles begin at multiples of the network's, so that with [`Blend::Crop`](crate::Blend::Crop) and a halo at least
/// as wide as the network looks (`description().reach`), the result is that of the whole image but for rounding, whatever
/// the tile size. With a smaller halo, or a network that looks at the whole image, it depends on the tile size; it is always the same for
/// the same plan, image and engine.
///
/// # Errors
/// Wrong number of channels; outputs of other size than promised; the engine's refusal.
pub fn run(model: &Model, image: ArrayView3<'_, f32>, plan: &Plan) -> Result<Vec<Stitched>> {
    let description = model.description();
    let (channels, height, width) = image.dim();
    if image.is_empty() {
        return Err(Error::Parameter {
            name: "image",
            value: format!("{channels} channels of {height} x {width}"),
            expected: "at least one channel and one pixel",
        });
    }
    let windows = Windows::new(description, plan, [height, width]);
    let padded = reflect(image, windows.y.padded, windows.x.padded);
    let mut canvases: Vec<Canvas> = description
        .outputs
        .iter()
        .map(|o| Canvas::new(o.grid, &windows, plan.blend))
        .collect();
    let places: Vec<(usize, usize)> = (0..windows.y.spans.len())
        .flat_map(|y| (0..windows.x.spans.len()).map(move |x| (y, x)))
        .collect();
    let size = (windows.y.window, windows.x.window);
    // A network that takes so many at a time and no others gets them; what is too many is left empty.
    let input = &description.input;
    let fixed = input.axes.position(Axis::Batch);
    let fixed = fixed.and_then(|at| input.shape.get(at).copied().flatten());
    for group in places.chunks(fixed.unwrap_or(plan.batch).max(1)) {
        let together = fixed.unwrap_or(group.len());
        let mut batch = Array4::zeros((together, channels, size.0, size.1));
        for (i, (y, x)) in group.iter().enumerate() {
            let (y, x) = (windows.y.spans[*y].start, windows.x.spans[*x].start);
            let tile = padded.slice(s![.., y..y + size.0, x..x + size.1]);
            batch.slice_mut(s![i, .., .., ..]).assign(&tile);
        }
        for (canvas, output) in canvases.iter_mut().zip(model.run_standard(batch.view())?) {
            for (i, (y, x)) in group.iter().enumerate() {
                canvas.put(
                    output.slice(s![i, .., .., ..]),
                    &windows.y.spans[*y],
                    &windows.x.spans[*x],
                );
            }
        }
    }
    Ok(canvases
        .into_iter()
        .zip(&description.outputs)
        .map(|(canvas, output)| Stitched {
            name: output.name.clone(),
            grid: output.grid,
            data: canvas.finish(
                height.div_ceil(output.grid[0]),
                width.div_ceil(output.grid[1]),
            ),
        })
        .collect())
}
