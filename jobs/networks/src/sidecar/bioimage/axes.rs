//! Axes, shapes and halos.

use super::super::value::Spot;
use super::Format;
use crate::axes::{Axes, Axis};
use crate::error::Result;

/// The layout of one tensor.
pub(super) struct Layout {
    pub axes: Axes,
    pub channel_names: Vec<String>,
    pub multiple: Option<[usize; 2]>,
    pub minimum: Option<[usize; 2]>,
    pub halo: Option<[usize; 2]>,
    pub grid: Option<[usize; 2]>,
}

pub(super) fn layout(tensor: &Spot<'_>, format: Format) -> Result<Layout> {
    match format {
        Format::Letters => letters(tensor),
        Format::Tables => tables(tensor),
    }
}

/// The numbers of y and x out of one a axis.
fn pair(axes: &Axes, list: &[usize]) -> Option<[usize; 2]> {
    let at = |axis| list.get(axes.position(axis)?).copied();
    Some([at(Axis::Y)?, at(Axis::X)?])
}

/// 0.4: `axes: bcyx`, `shape: {min: […], step: […]}` or a fixed list, `halo: […]`; an output's shape has `reference_tensor`,
/// `scale` and `offset`.
fn letters(tensor: &Spot<'_>) -> Result<Layout> {
    let spot = tensor.need("axes")?;
    let axes: Axes = spot.text()?.parse().map_err(|e: String| spot.wrong(e))?;
    let wholes =
        |spot: &Spot<'_>| -> Result<Vec<usize>> { spot.items()?.iter().map(Spot::whole).collect() };
    let numbers = |spot: &Spot<'_>| -> Result<Vec<f64>> {
        // An offset or scale of an axis that is not there is null.
        spot.items()?
            .iter()
            .map(|s| {
                if s.value.is_null() {
                    Ok(0.0)
                } else {
                    s.number()
                }
            })
            .collect()
    };
    let shape = tensor.get("shape").filter(|s| s.value.is_object());
    let of_shape = |key: &str| -> Result<Option<[usize; 2]>> {
        match shape.as_ref().and_then(|s| s.get(key)) {
            Some(spot) => Ok(pair(&axes, &wholes(&spot)?)),
            None => Ok(None),
        }
    };
    let halo = match tensor.get("halo") {
        Some(spot) => pair(&axes, &wholes(&spot)?),
        None => None,
    };
    let grid = match shape.as_ref().and_then(|s| s.get("scale")) {
        Some(spot) => {
            let scale = numbers(&spot)?;
            let of = |axis| axes.position(axis).and_then(|p| scale.get(p).copied());
            Some([grid_of(&spot, of(Axis::Y))?, grid_of(&spot, of(Axis::X))?])
        }
        None => None,
    };
    if let Some(spot) = shape.as_ref().and_then(|s| s.get("offset")) {
        let offset = numbers(&spot)?;
        for axis in [Axis::Y, Axis::X] {
            let of = axes.position(axis).and_then(|p| offset.get(p)).copied();
            if of.is_some_and(|o| o != 0.0) {
                return Err(spot.wrong(shrinking()));
            }
        }
    }
    // A step of 0 means that the size is fixed, which the ONNX file says too.
    let multiple = of_shape("step")?.filter(|s| !s.contains(&0));
    Ok(Layout {
        channel_names: Vec::new(),
        multiple,
        minimum: of_shape("min")?,
        halo,
        grid,
        axes,
    })
}

fn shrinking() -> String {
    "the output is smaller than the input; only networks that keep the size (padded convolutions) are supported".to_owned()
}

/// Input pixels per output pixel out of output pixels per input pixel.
fn grid_of(spot: &Spot<'_>, scale: Option<f64>) -> Result<usize> {
    let scale = scale.unwrap_or(1.0);
    let grid = (1.0 / scale).round();
    if scale <= 0.0 || !(1.0..=4096.0).contains(&grid) || (grid * scale - 1.0).abs() > 1e-6 {
        return Err(spot.wrong(format!(
            "a scale of {scale} is not supported; 1, 1/2, 1/3 and so on are"
        )));
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let grid = grid as usize;
    Ok(grid)
}

/// What is said of y or of x.
#[derive(Clone, Copy, Default)]
struct Along {
    step: Option<usize>,
    minimum: Option<usize>,
    halo: Option<usize>,
    grid: Option<usize>,
}

/// 0.5: a list of tables with `type`, `id`, `size` (a number, `{min, step}` or a reference), `halo`, `scale`, `channel_names`.
fn tables(tensor: &Spot<'_>) -> Result<Layout> {
    let list = tensor.need("axes")?;
    let mut letters = String::new();
    let mut out = Layout {
        axes: Axes::channels_first(),
        channel_names: Vec::new(),
        multiple: None,
        minimum: None,
        halo: None,
        grid: None,
    };
    let mut sizes = [Along::default(); 2];
    for axis in list.items()? {
        let kind = axis.need("type")?;
        match kind.text()? {
            "batch" => letters.push('b'),
            "channel" => {
                letters.push('c');
                if let Some(names) = axis.get("channel_names")
                    && names.value.is_array()
                {
                    out.channel_names = names.texts()?;
                }
            }
            "space" => {
                let id = axis.need("id")?;
                let slot = match id.text()? {
                    "y" => &mut sizes[0],
                    "x" => &mut sizes[1],
                    other => {
                        return Err(
                            id.wrong(format!("axis `{other}`: only 2-D networks are supported"))
                        );
                    }
                };
                letters.push_str(id.text()?);
                if let Some(size) = axis.get("size").filter(|s| s.value.is_object()) {
                    slot.step = size.get("step").map(|s| s.whole()).transpose()?;
                    slot.minimum = size.get("min").map(|s| s.whole()).transpose()?;
                    let offset = size.get("offset").map(|s| s.number()).transpose()?;
                    if size.get("tensor_id").is_some() && offset.is_some_and(|o| o != 0.0) {
                        return Err(size.wrong(shrinking()));
                    }
                }
                slot.halo = axis.get("halo").map(|h| h.whole()).transpose()?;
                if let Some(scale) = axis.get("scale") {
                    // Of an output: how many input pixels one of its pixels spans.
                    let grid = scale.number()?;
                    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                    if grid.fract() == 0.0 && (1.0..=4096.0).contains(&grid) {
                        slot.grid = Some(grid as usize);
                    }
                }
            }
            other => {
                return Err(kind.wrong(format!(
                    "axis of type `{other}`: only 2-D networks are supported"
                )));
            }
        }
    }
    out.axes = letters.parse().map_err(|e: String| list.wrong(e))?;
    let both = |a: Option<usize>, b: Option<usize>| Some([a?, b?]);
    let [y, x] = sizes;
    out.multiple = both(y.step, x.step).filter(|s| !s.contains(&0));
    out.minimum = both(y.minimum, x.minimum);
    out.halo = both(y.halo, x.halo);
    // Without a scale nothing is said: the graph knows.
    out.grid = both(y.grid, x.grid);
    Ok(out)
}
