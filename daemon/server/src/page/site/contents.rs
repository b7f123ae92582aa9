//! What a container has, as the process that reads containers tells it.

use serde::Deserialize;

/// What a container has.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub(in crate::page) struct Contents {
    pub images: Vec<Image>,
    pub tables: Vec<TableOf>,
}

/// An image of a container.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(in crate::page) struct Image {
    pub name: String,
    pub kind: Kind,
    pub pixel_type: String,
    pub height: usize,
    pub width: usize,
    /// Height and width of each scale level, full resolution first.
    pub levels: Vec<(usize, usize)>,
    /// Full colour as `rrggbb`; labels have none.
    pub color: Option<String>,
    /// Whether it is shown at first.
    pub shown: bool,
    /// Pixel values that become black and full colour. JSON has no infinities: null.
    limits: Option<(Option<f64>, Option<f64>)>,
    /// The microscope's name of a raw channel.
    pub channel: Option<String>,
}

/// What the values of an image are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::page) enum Kind {
    Intensity,
    Labels,
}

/// A table of a container.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(in crate::page) struct TableOf {
    pub name: String,
    /// The label image that its rows speak of.
    pub labels: Option<String>,
}

impl Image {
    /// Pixel values that become black and full colour, as they stand in the form.
    pub(in crate::page) fn limits(&self) -> (f64, f64) {
        self.known_limits().unwrap_or((0.0, 1.0))
    }

    /// The same; `None` where they are not known.
    pub(in crate::page) fn known_limits(&self) -> Option<(f64, f64)> {
        match self.limits {
            Some((Some(low), Some(high))) => Some((six_digits(low), six_digits(high))),
            _ => None,
        }
    }

    const fn size(&self) -> (usize, usize) {
        (self.height, self.width)
    }
}

/// More digits than a person wants to read in a form have no meaning for the contrast.
fn six_digits(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

impl Contents {
    /// The images that can be laid over what is shown first, and the names of those that have another size.
    pub(in crate::page) fn of_one_size(self) -> (Self, Vec<String>) {
        let intensity = || self.images.iter().filter(|i| i.kind == Kind::Intensity);
        let first = intensity().find(|image| image.shown);
        let size = first.or_else(|| intensity().next()).map(Image::size);
        let size = size.or_else(|| self.images.first().map(Image::size));
        let (images, others): (Vec<_>, Vec<_>) = self
            .images
            .into_iter()
            .partition(|image| Some(image.size()) == size);
        let others = others.into_iter().map(|image| image.name).collect();
        let tables = self.tables;
        (Self { images, tables }, others)
    }

    /// Height and width of the images.
    pub(in crate::page) fn size(&self) -> Option<(usize, usize)> {
        self.images.first().map(Image::size)
    }

    pub(in crate::page) fn channels(&self) -> impl Iterator<Item = &Image> {
        self.images
            .iter()
            .filter(|image| image.kind == Kind::Intensity)
    }

    pub(in crate::page) fn labels(&self) -> impl Iterator<Item = &Image> {
        self.images
            .iter()
            .filter(|image| image.kind == Kind::Labels)
    }
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    /// Two channels, a label image, one of another size, two tables.
    pub(in crate::page::site) fn contents() -> Contents {
        let image = |name: &str, kind: &str, side: usize, shown: bool| {
            json!({
                "name": name, "kind": kind, "pixel_type": "uint16", "height": side, "width": side,
                "levels": [[side, side], [side / 2, side / 2]],
                "color": if kind == "labels" { json!(null) } else { json!("0000ff") },
                "shown": shown,
                "limits": if kind == "labels" { json!(null) } else { json!([100.0, 900.5]) },
                "channel": null,
            })
        };
        let value = json!({
            "images": [
                image("small", "intensity", 10, false), image("nuclei", "intensity", 64, true),
                image("a,b", "intensity", 64, false), image("cells", "labels", 64, false),
            ],
            "tables": [{ "name": "cells/objects", "labels": "cells" }, { "name": "default", "labels": null }],
        });
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn only_images_of_one_size_are_laid_over_each_other() {
        let (contents, others) = contents().of_one_size();
        assert_eq!(others, ["small"]);
        assert_eq!(contents.size(), Some((64, 64)));
        let names = |images: Vec<&Image>| -> Vec<String> {
            images.into_iter().map(|image| image.name.clone()).collect()
        };
        assert_eq!(names(contents.channels().collect()), ["nuclei", "a,b"]);
        assert_eq!(names(contents.labels().collect()), ["cells"]);
    }

    #[test]
    fn limits_that_json_cannot_tell_are_none() {
        let mut image = contents().images.remove(1);
        assert_eq!(image.limits(), (100.0, 900.5));
        image.limits = Some((Some(-1.0 / 3.0), Some(4_564.650_000_000_01)));
        assert_eq!(image.limits(), (-0.333_333, 4564.65));
        image.limits = Some((Some(1.0), None));
        assert_eq!(image.limits(), (0.0, 1.0));
    }
}
