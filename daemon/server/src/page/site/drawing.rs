//! How the image is drawn: what the address says, else what the viewer attributes say.

use super::super::show::{encode, escape};
use super::address::Address;
use super::contents::{Contents, Image};

/// Longest side of the picture that is shown without a script, in pixels.
const SIDE: u32 = 1024;

/// The styles of a label image: (word, what the form says).
const STYLES: [(&str, &str); 3] = [
    ("none", "not shown"),
    ("outline", "outlines"),
    ("fill", "filled"),
];

/// The channels and label images, as they are to be drawn.
pub(in crate::page) struct Drawing {
    pub channels: Vec<ChannelItem>,
    pub labels: Vec<LabelItem>,
}

/// A channel in the form.
pub(in crate::page) struct ChannelItem {
    pub name: String,
    /// The microscope's name of it, and the type of its pixels.
    pub about: String,
    pub is_on: bool,
    pub low: String,
    pub high: String,
    /// As `#rrggbb`.
    pub color: String,
}

/// A label image in the form.
pub(in crate::page) struct LabelItem {
    pub name: String,
    pub styles: Vec<StyleChoice>,
    style: &'static str,
}

/// A way to draw a label image.
pub(in crate::page) struct StyleChoice {
    pub word: &'static str,
    pub label: &'static str,
    pub is_selected: bool,
}

impl Drawing {
    pub(in crate::page) fn new(contents: &Contents, address: &Address) -> Self {
        Self {
            channels: contents
                .channels()
                .map(|image| channel(image, address))
                .collect(),
            labels: contents
                .labels()
                .map(|image| label(image, address))
                .collect(),
        }
    }

    /// Whether a field of the form has this name.
    pub(in crate::page) fn has_field(name: &str) -> bool {
        ["low.", "high.", "color.", "on.", "labels."]
            .iter()
            .any(|start| name.starts_with(start))
            || name == "drawn"
    }

    /// Where the picture comes from; `None` if no channel is chosen, which the API would take for the first ones.
    pub(in crate::page) fn picture(&self, image_set: i64, version: &str) -> Option<String> {
        let channels: Vec<String> = self
            .channels
            .iter()
            .filter(|channel| channel.is_on)
            .map(|c| {
                let (name, color) = (escape(&c.name), c.color.trim_start_matches('#'));
                format!("{name}:{}:{}:{color}", c.low, c.high)
            })
            .collect();
        let labels: Vec<String> = self
            .labels
            .iter()
            .filter(|label| label.style != "none")
            .map(|label| format!("{}:{}", escape(&label.name), label.style))
            .collect();
        (!channels.is_empty()).then(|| {
            format!(
                "/api/v1/image-sets/{image_set}/preview?size={SIDE}&format=jpeg&channels={}&labels={}&v={version}",
                encode(&channels.join(",")),
                encode(&labels.join(",")),
            )
        })
    }
}

fn channel(image: &Image, address: &Address) -> ChannelItem {
    let name = &image.name;
    let of = |field: &str| address.get(&format!("{field}.{name}"));
    let number = |field: &str, default: f64| match of(field).parse::<f64>() {
        Ok(number) if number.is_finite() => number,
        _ => default,
    };
    let (low, high) = image.limits();
    let color = of("color").trim_start_matches('#');
    let default = image.color.as_deref().unwrap_or("ffffff");
    let color = match color.parse::<viewer::Color>() {
        Ok(color) => color.hex(),
        Err(_) => default.to_owned(),
    };
    // A form does not send the boxes that are not ticked: `drawn` says that it was sent.
    let is_on = match (of("on"), address.has("drawn")) {
        ("1", _) => true,
        ("", false) => image.shown,
        _ => false,
    };
    let about = match &image.channel {
        Some(channel) if channel != name => format!("{channel}, {}", image.pixel_type),
        _ => image.pixel_type.clone(),
    };
    ChannelItem {
        name: name.clone(),
        about,
        is_on,
        low: number("low", low).to_string(),
        high: number("high", high).to_string(),
        color: format!("#{color}"),
    }
}

fn label(image: &Image, address: &Address) -> LabelItem {
    let asked = address.get(&format!("labels.{}", image.name));
    let style = STYLES
        .iter()
        .map(|(word, _)| *word)
        .find(|word| *word == asked)
        .unwrap_or("none");
    LabelItem {
        name: image.name.clone(),
        styles: STYLES
            .iter()
            .map(|&(word, label)| StyleChoice {
                word,
                label,
                is_selected: word == style,
            })
            .collect(),
        style,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::contents::tests::contents;
    use super::*;

    fn drawing(pairs: &[(&str, &str)]) -> Drawing {
        let pairs = pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        let (contents, _) = contents().of_one_size();
        Drawing::new(&contents, &Address::new("/s".into(), pairs))
    }

    #[test]
    fn the_viewer_attributes_come_first() {
        let drawing = drawing(&[]);
        assert_eq!(
            drawing.picture(7, "abc").unwrap(),
            "/api/v1/image-sets/7/preview?size=1024&format=jpeg&channels=nuclei%3A100%3A900.5%3A0000ff&labels=&v=abc"
        );
        assert!(!drawing.channels[1].is_on);
    }

    #[test]
    fn the_address_changes_them() {
        let drawn = drawing(&[
            ("drawn", "1"),
            ("on.a,b", "1"),
            ("low.a,b", "-1e2"),
            ("high.a,b", "inf"),
            ("color.a,b", "#FF00ff"),
            ("labels.cells", "fill"),
        ]);
        let picture = drawn.picture(7, "v").unwrap();
        assert!(
            picture.contains("channels=a%252Cb%3A-100%3A900.5%3Aff00ff&labels=cells%3Afill"),
            "{picture}"
        );
        assert!(!drawn.channels[0].is_on, "its box was not ticked");
        assert!(drawing(&[("drawn", "1")]).picture(7, "v").is_none());
        let odd = drawing(&[("color.nuclei", "blau"), ("labels.cells", "x")]);
        assert_eq!(odd.channels[0].color, "#0000ff");
        assert!(odd.labels[0].styles[0].is_selected);
    }
}
