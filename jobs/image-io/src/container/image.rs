//! Writing one multiscale image.

use super::chunk::{self, Encoded};
use super::ffi::dataset::{self, Element, Layout};
use super::ffi::types::Shared;
use super::ffi::{Failure, Handle, attribute, link, locked};
use super::{Attribute, Color, contrast, pyramid};
use crate::Pixels;

/// How an image is stored and first shown.
#[derive(Clone, Debug)]
pub struct ImageOptions {
    /// Reduction of each level against full resolution, rising, the first one 1.
    pub scale_factors: Vec<u32>,
    /// Colour; by default `White` for averaged types (see [`super::is_averaged`]), else `Glasbey`.
    pub color: Option<Color>,
    /// Whether the viewer shows the image at first.
    pub visible: bool,
    /// Opacity from 0 to 1.
    pub alpha: f64,
    /// The microscope's name of a raw channel.
    pub channel_information: Option<String>,
    /// Sample the levels instead of averaging.
    pub use_nearest: bool,
    /// More attributes of the image's group, for example provenance.
    pub attributes: Vec<(String, Attribute)>,
}

impl Default for ImageOptions {
    fn default() -> Self {
        Self {
            scale_factors: vec![1, 2, 4, 8, 16],
            color: None,
            visible: false,
            alpha: 1.0,
            channel_information: None,
            use_nearest: false,
            attributes: Vec::new(),
        }
    }
}

impl ImageOptions {
    /// Why the options cannot be used, if so.
    pub(super) fn fault(&self) -> Option<&'static str> {
        let rising = self.scale_factors.windows(2).all(|w| w[0] < w[1]);
        (self.scale_factors.first() != Some(&1) || !rising || self.scale_factors.len() > 30)
            .then_some("scale factors must rise from 1")
    }
}

/// One level with its chunks.
struct Level {
    shape: (usize, usize),
    chunks: Vec<Encoded>,
}

/// An image, ready to be written.
pub(super) struct Prepared {
    levels: Vec<Level>,
    contrast: Option<[f64; 2]>,
    color: Color,
}

/// Computes levels and contrast, and compresses all chunks, on the current rayon pool.
pub(super) fn prepare(pixels: &Pixels, options: &ImageOptions) -> Prepared {
    let encode = |p: &Pixels| Level {
        shape: p.shape(),
        chunks: chunk::encode(p),
    };
    let color = options
        .color
        .unwrap_or(if pyramid::is_averaged(pixels.pixel_type()) {
            Color::White
        } else {
            Color::Glasbey
        });
    let (full, (contrast, reduced)) = rayon::join(
        || encode(pixels),
        || {
            let contrast = if color == Color::Glasbey {
                None
            } else {
                contrast::limits(pixels)
            };
            let reduced: Vec<Level> =
                pyramid::levels(pixels, &options.scale_factors, options.use_nearest)
                    .iter()
                    .map(encode)
                    .collect();
            (contrast, reduced)
        },
    );
    let levels = std::iter::once(full).chain(reduced).collect();
    Prepared {
        levels,
        contrast,
        color,
    }
}

/// Creates the image's group and hands all chunks to the library, in one hold of its lock.
pub(super) fn write(
    file: &Handle,
    name: &str,
    pixels: &Pixels,
    prepared: &Prepared,
    options: &ImageOptions,
    shared: &Shared,
) -> Result<(), Failure> {
    locked(|| {
        let group = link::create_group(file, name, shared)?;
        for (name, value) in attributes(prepared, options) {
            attribute::write(&group, &name, &value, shared)?;
        }
        let pixel_type = pixels.pixel_type();
        let mut creation: Option<((usize, usize), Handle)> = None;
        for (index, level) in prepared.levels.iter().enumerate() {
            let extents = chunk::extents(level.shape);
            // Chunks of the larger levels are equal.
            let list = match creation.take() {
                Some((e, list)) if e == extents => list,
                _ => dataset::creation(Layout::Chunked {
                    chunk: &[extents.0 as u64, extents.1 as u64],
                    shuffle: pixel_type.size() > 1,
                })?,
            };
            let data = dataset::create(
                &group,
                &format!("s{index}"),
                Element::Number(pixel_type),
                &[level.shape.0 as u64, level.shape.1 as u64],
                &list,
                shared,
            )?;
            for chunk in &level.chunks {
                dataset::write_chunk(&data, &chunk.offset, &chunk.bytes)?;
            }
            creation = Some((extents, list));
        }
        Ok(())
    })
}

fn attributes(prepared: &Prepared, options: &ImageOptions) -> Vec<(String, Attribute)> {
    let mut all = vec![
        ("Color".to_owned(), Attribute::from(prepared.color.name())),
        ("Visible".to_owned(), Attribute::Bool(options.visible)),
        ("Skip".to_owned(), Attribute::Bool(false)),
        ("Alpha".to_owned(), Attribute::Float(options.alpha)),
        (
            "ScaleFactors".to_owned(),
            Attribute::Ints(
                options
                    .scale_factors
                    .iter()
                    .map(|f| i64::from(*f))
                    .collect(),
            ),
        ),
    ];
    if let Some(limits) = prepared.contrast {
        all.push((
            "ContrastLimits".to_owned(),
            Attribute::Floats(limits.to_vec()),
        ));
    }
    if let Some(channel) = &options.channel_information {
        all.push((
            "ChannelInformation".to_owned(),
            Attribute::from(channel.as_str()),
        ));
    }
    all.extend(options.attributes.iter().cloned());
    all
}
