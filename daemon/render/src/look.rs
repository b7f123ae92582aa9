//! How an image is first shown: what its viewer attributes say, or what is sensible without them.

use image_io::PixelType;
use image_io::container::{Attribute, Container, ImageInfo};
use viewer::{Color, Refusal};

use crate::error::of_file;

/// How an image is first shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    /// Whether its values are labels.
    pub is_labels: bool,
    /// The full colour of an image that is none of labels.
    pub color: Color,
    /// Whether it is shown at first.
    pub visible: bool,
    /// The microscope's name of a raw channel.
    pub channel: Option<String>,
}

impl Look {
    pub fn of(info: &ImageInfo) -> Self {
        let text = |name: &str| info.attribute(name).and_then(Attribute::as_text);
        let flag = |name: &str| {
            matches!(
                info.attribute(name),
                Some(Attribute::Bool(true) | Attribute::Int(1))
            )
        };
        let color = text("Color");
        let is_whole = !matches!(
            info.pixel_type,
            PixelType::F32
                | PixelType::F64
                | PixelType::U8
                | PixelType::I8
                | PixelType::U16
                | PixelType::I16
        );
        Self {
            is_labels: match color {
                Some(name) => name.eq_ignore_ascii_case("glasbey"),
                None => is_whole,
            },
            color: color
                .and_then(|name| name.parse().ok())
                .unwrap_or(Color(255, 255, 255)),
            visible: flag("Visible") && !flag("Skip"),
            channel: text("ChannelInformation").map(str::to_owned),
        }
    }
}

/// Pixel values that become black and full colour: those of the attributes, else nearly the darkest and brightest ones of the
/// smallest level.
pub fn limits(container: &Container, name: &str, info: &ImageInfo) -> Result<(f64, f64), Refusal> {
    let said = match info.attribute("ContrastLimits") {
        Some(Attribute::Floats(v)) if v.len() == 2 => Some((v[0], v[1])),
        #[expect(
            clippy::cast_precision_loss,
            reason = "limits of contrast are small numbers"
        )]
        Some(Attribute::Ints(v)) if v.len() == 2 => Some((v[0] as f64, v[1] as f64)),
        _ => None,
    };
    if let Some((low, high)) = said.filter(|(low, high)| low < high) {
        return Ok((low, high));
    }
    let pixels = container
        .read_image(name, info.levels.len().saturating_sub(1))
        .map_err(|error| of_file(&error))?;
    let values = pixels.to_f32();
    let mut values: Vec<f32> = values.iter().copied().filter(|v| v.is_finite()).collect();
    if values.is_empty() {
        return Ok((0.0, 1.0));
    }
    values.sort_unstable_by(f32::total_cmp);
    let cut = values.len() / 500;
    let (low, high) = (values[cut], values[values.len() - 1 - cut]);
    Ok((
        f64::from(low),
        f64::from(high.max(low + f32::EPSILON.max(low.abs() * 1e-6))),
    ))
}

/// Names of the images that are first shown together: the visible ones, else the first raw channel, else the first image.
pub fn first_shown(images: &[(String, Look)]) -> Vec<String> {
    let intensity = || images.iter().filter(|(_, look)| !look.is_labels);
    let visible: Vec<String> = intensity()
        .filter(|(_, look)| look.visible)
        .map(|(name, _)| name.clone())
        .collect();
    if !visible.is_empty() {
        return visible;
    }
    intensity()
        .find(|(_, look)| look.channel.is_some())
        .or_else(|| intensity().next())
        .map(|(name, _)| name.clone())
        .into_iter()
        .collect()
}

/// All images of a container, described.
pub fn images(container: &Container) -> Result<Vec<(String, ImageInfo)>, Refusal> {
    let names = container.images().map_err(|error| of_file(&error))?;
    names
        .into_iter()
        .map(|name| match container.image_info(&name) {
            Ok(info) => Ok((name, info)),
            Err(error) => Err(of_file(&error)),
        })
        .collect()
}
