//! One multiscale image: its options, its levels, its attributes.

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

/// One level with its chunks, in the form of a format.
pub(super) struct Level<C> {
    pub shape: (usize, usize),
    pub chunks: Vec<C>,
}

/// An image, ready to be written.
pub(super) struct Prepared<C> {
    pub levels: Vec<Level<C>>,
    contrast: Option<[f64; 2]>,
    color: Color,
}

/// Computes levels and contrast, and compresses all chunks with `encode`, on the current rayon pool.
pub(super) fn prepare<C: Send>(
    pixels: &Pixels,
    options: &ImageOptions,
    encode: impl Fn(&Pixels) -> Vec<C> + Sync,
) -> Prepared<C> {
    let encode = |p: &Pixels| Level {
        shape: p.shape(),
        chunks: encode(p),
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
            let reduced: Vec<Level<C>> =
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

/// The attributes of the image's group.
pub(super) fn attributes<C>(
    prepared: &Prepared<C>,
    options: &ImageOptions,
) -> Vec<(String, Attribute)> {
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
