//! Several channels laid over each other, with label images on top.

use std::ops::Range;

use image_io::Pixels;
use image_io::container::{Container, ImageInfo};
use serde_json::json;
use viewer::{Answer, Channel, Color, Encoding, LONGEST_SIDE, Overlay, Part, Refusal};

use crate::encode::Picture;
use crate::error::{of_file, unsuitable};
use crate::label;
use crate::look::{Look, first_shown, images, limits};

/// Rows that are read at a time for a picture of a whole image: bounds the memory for images without levels.
const BAND: usize = 256;

/// A channel, ready to be drawn.
struct Layer {
    image: String,
    info: ImageInfo,
    limits: (f64, f64),
    color: Color,
}

/// Makes the picture.
pub fn picture(
    container: &Container,
    part: Part,
    channels: &[Channel],
    overlays: &[Overlay],
    encoding: Encoding,
) -> Result<Answer, Refusal> {
    let layers = layers(container, channels)?;
    let overlay_infos = overlays
        .iter()
        .map(|overlay| {
            container
                .image_info(&overlay.image)
                .map_err(|error| of_file(&error))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let all = layers
        .iter()
        .map(|layer| (layer.image.as_str(), &layer.info))
        .chain(
            overlays
                .iter()
                .map(|o| o.image.as_str())
                .zip(&overlay_infos),
        );
    let mut first: Option<(&str, &ImageInfo)> = None;
    for (name, info) in all {
        let (reference, known) = *first.get_or_insert((name, info));
        if known.shape != info.shape {
            let (a, b) = (known.shape, info.shape);
            return Err(unsuitable(
                format!(
                    "`{reference}` has {} x {} pixels, `{name}` {} x {}",
                    a.0, a.1, b.0, b.1
                ),
                "lay only images of one size over each other",
            ));
        }
    }
    let Some((_, info)) = first else {
        return Err(unsuitable(
            "there is no image to be shown",
            "name images of the container in `channels` or `labels`",
        ));
    };
    let picture = match part {
        Part::Tile { level, row, column } => {
            let (rows, columns) = label::tile_ranges(&info.levels, level, row, column)?;
            tile(
                container,
                &layers,
                (overlays, &overlay_infos),
                level,
                (rows, columns),
            )?
        }
        Part::Whole(side) => whole(container, info, &layers, overlays, side)?,
    };
    let (kind, bytes) = picture.encode(encoding)?;
    Ok(Answer {
        kind: kind.to_owned(),
        bytes,
        meta: json!({ "height": picture.height, "width": picture.width }),
    })
}

/// The channels that are asked for, or those that are first shown.
fn layers(container: &Container, channels: &[Channel]) -> Result<Vec<Layer>, Refusal> {
    let first;
    let channels = if channels.is_empty() {
        let looks: Vec<_> = images(container)?
            .into_iter()
            .map(|(name, info)| (name, Look::of(&info)))
            .collect();
        let shown = first_shown(&looks).into_iter().map(|image| Channel {
            image,
            limits: None,
            color: None,
        });
        first = shown.collect::<Vec<_>>();
        &first
    } else {
        channels
    };
    channels
        .iter()
        .map(|channel| {
            let info = container
                .image_info(&channel.image)
                .map_err(|error| of_file(&error))?;
            let limits = match channel.limits {
                Some(limits) => limits,
                None => limits(container, &channel.image, &info)?,
            };
            Ok(Layer {
                image: channel.image.clone(),
                color: channel.color.unwrap_or_else(|| Look::of(&info).color),
                limits,
                info,
            })
        })
        .collect()
}

fn tile(
    container: &Container,
    layers: &[Layer],
    (overlays, overlay_infos): (&[Overlay], &[ImageInfo]),
    level: usize,
    (rows, columns): (Range<usize>, Range<usize>),
) -> Result<Picture, Refusal> {
    let mut canvas = Canvas::new(rows.len(), columns.len());
    for layer in layers {
        let pixels = container
            .read_region(&layer.image, level, rows.clone(), columns.clone())
            .map_err(|error| of_file(&error))?;
        canvas.add(layer, &pixels, 0, |y| y, |x| x);
    }
    let mut picture = canvas.finish();
    for (overlay, info) in overlays.iter().zip(overlay_infos) {
        let (height, width) = info.levels.get(level).copied().unwrap_or_default();
        // With the neighbours of the outermost pixels, so that outlines do not end at the edges of tiles.
        let before = (rows.start.min(1), columns.start.min(1));
        let around_rows = rows.start - before.0..height.min(rows.end + 1);
        let around_columns = columns.start - before.1..width.min(columns.end + 1);
        let labels = label::read(
            container,
            &overlay.image,
            level,
            around_rows,
            around_columns,
        )?;
        label::draw(&mut picture, &labels, before, overlay.style);
    }
    Ok(picture)
}

/// The whole image from the smallest level that is large enough, its pixels sampled.
fn whole(
    container: &Container,
    info: &ImageInfo,
    layers: &[Layer],
    overlays: &[Overlay],
    side: u32,
) -> Result<Picture, Refusal> {
    let side = side.clamp(1, LONGEST_SIDE) as usize;
    let full = info.shape.0.max(info.shape.1);
    let wanted = side.min(full);
    let level = (0..info.levels.len())
        .rev()
        .find(|level| info.levels[*level].0.max(info.levels[*level].1) >= wanted)
        .unwrap_or(0);
    let (height, width) = info.levels.get(level).copied().unwrap_or(info.shape);
    let longest = height.max(width).max(1);
    let reduced = |n: usize| {
        if longest <= side {
            n
        } else {
            (n * side / longest).max(1)
        }
    };
    let (out_height, out_width) = (reduced(height), reduced(width));
    let source_row = |y: usize| (2 * y + 1) * height / (2 * out_height);
    let source_column = |x: usize| (2 * x + 1) * width / (2 * out_width);
    let mut canvas = Canvas::new(out_height, out_width);
    let bands = || {
        (0..height)
            .step_by(BAND)
            .map(|top| top..height.min(top + BAND))
    };
    for layer in layers {
        for band in bands() {
            let first = (0..out_height).position(|y| band.contains(&source_row(y)));
            let Some(first) = first else { continue };
            let pixels = container
                .read_region(&layer.image, level, band.clone(), 0..width)
                .map_err(|error| of_file(&error))?;
            canvas.add(
                layer,
                &pixels,
                first,
                |y| source_row(y).wrapping_sub(band.start),
                source_column,
            );
        }
    }
    let mut picture = canvas.finish();
    for overlay in overlays {
        let mut labels = ndarray::Array2::zeros((out_height, out_width));
        for band in bands() {
            let read = label::read(container, &overlay.image, level, band.clone(), 0..width)?;
            for y in (0..out_height).filter(|y| band.contains(&source_row(*y))) {
                for x in 0..out_width {
                    labels[(y, x)] = read[(source_row(y) - band.start, source_column(x))];
                }
            }
        }
        label::draw(&mut picture, &labels, (0, 0), overlay.style);
    }
    Ok(picture)
}

/// Light of three colours, added up.
struct Canvas {
    height: usize,
    width: usize,
    light: Vec<f32>,
}

impl Canvas {
    fn new(height: usize, width: usize) -> Self {
        Self {
            height,
            width,
            light: vec![0.0; height * width * 3],
        }
    }

    /// Adds a channel, from row `first` on as long as `row` leads to one of `pixels`.
    fn add(
        &mut self,
        layer: &Layer,
        pixels: &Pixels,
        first: usize,
        row: impl Fn(usize) -> usize,
        column: impl Fn(usize) -> usize,
    ) {
        let (low, high) = (layer.limits.0 as f32, layer.limits.1 as f32);
        let scale = if high > low {
            1.0 / (high - low)
        } else {
            f32::MAX
        };
        let Color(r, g, b) = layer.color;
        let color = [r, g, b].map(f32::from);
        let columns: Vec<usize> = (0..self.width).map(column).collect();
        let values = pixels.to_f32();
        for y in first..self.height {
            let source = row(y);
            if source >= values.nrows() {
                break;
            }
            let values = values.row(source);
            let light = &mut self.light[y * self.width * 3..(y + 1) * self.width * 3];
            for (light, x) in light.as_chunks_mut::<3>().0.iter_mut().zip(&columns) {
                #[expect(clippy::manual_clamp, reason = "not a number becomes black")]
                let share = ((values[*x] - low) * scale).max(0.0).min(1.0);
                for (light, color) in light.iter_mut().zip(color) {
                    *light += share * color;
                }
            }
        }
    }

    fn finish(self) -> Picture {
        Picture {
            height: self.height,
            width: self.width,
            rgb: self
                .light
                .iter()
                .map(|v| (v + 0.5).min(255.0) as u8)
                .collect(),
        }
    }
}
