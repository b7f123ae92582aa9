//! One contrast for all pictures of a plate: with one of its own, an empty well looks as bright as a full one.

use futures_util::future::join_all;
use queue::{SiteSummary, SubjectId};
use viewer::Ask;

use super::measured::{ask, read};
use crate::app::App;
use crate::page::show::{encode, escape};
use crate::page::site::contents::{Contents, Image};
use crate::problem::Problem;
use crate::published::container_of;

/// Image sets whose limits are looked at.
const SAMPLE: usize = 16;

/// The limits of each channel that is shown at first.
pub(crate) struct Contrast {
    /// As the address of a preview has them.
    pub query: String,
    /// As people read them.
    pub text: String,
}

struct Limits {
    image: String,
    low: f64,
    high: f64,
    decimals: usize,
}

impl Contrast {
    /// What image sets from all over the plate need. `None` if nothing is published yet or nothing can be read: each
    /// picture then has its own.
    pub(crate) async fn of_plate(app: &App, sites: &[SiteSummary]) -> Option<Self> {
        let ids = sample(sites);
        let contents = join_all(ids.into_iter().map(|id| contents(app, id))).await;
        // One that cannot be read has no picture either, which says why.
        Self::of(&contents.into_iter().flatten().collect::<Vec<_>>())
    }

    fn of(contents: &[Contents]) -> Option<Self> {
        let mut channels: Vec<Limits> = Vec::new();
        let images = |of: &'_ Contents| of.images.iter().filter(|image| image.shown).count();
        // Those of an image set that has most, should they differ.
        let model = contents.iter().max_by_key(|of| images(of))?;
        for image in model.images.iter().filter(|image| image.shown) {
            let all = contents.iter().flat_map(|of| &of.images);
            let limits: Vec<_> = all
                .filter(|other| other.name == image.name)
                .filter_map(Image::known_limits)
                .collect();
            channels.extend(Limits::of(image.name.clone(), &limits));
        }
        if channels.is_empty() {
            return None;
        }
        let (mut query, mut text) = (Vec::new(), Vec::new());
        for of in &channels {
            let (low, high) = (of.number(of.low), of.number(of.high));
            query.push(format!("{}:{low}:{high}", escape(&of.image)));
            text.push(format!("{} {low} to {high}", of.image));
        }
        let s = if contents.len() == 1 { "" } else { "s" };
        Some(Self {
            query: format!("channels={}", encode(&query.join(","))),
            text: format!("{} (from {} image set{s})", text.join(", "), contents.len()),
        })
    }
}

impl Limits {
    /// From nearly the lowest to nearly the highest, so that a speck of dust in one well does not darken all others.
    /// Rounded outwards to two digits: a plate that fills up does not change all its pictures with every image.
    fn of(image: String, limits: &[(f64, f64)]) -> Option<Self> {
        let (mut lows, mut highs): (Vec<_>, Vec<_>) = limits.iter().copied().unzip();
        lows.sort_by(f64::total_cmp);
        highs.sort_by(f64::total_cmp);
        let cut = limits.len() / 8;
        let (low, high) = (
            *lows.get(cut)?,
            *highs.get(highs.len().checked_sub(1 + cut)?)?,
        );
        if !(low.is_finite() && high.is_finite() && low < high) {
            return None;
        }
        // Within what a number in an address may have.
        let place = ((high - low).log10().floor() - 1.0).clamp(-9.0, 300.0);
        let step = 10_f64.powf(place);
        Some(Self {
            image,
            low: (low / step).floor() * step,
            high: (high / step).ceil() * step,
            decimals: (-place).max(0.0) as usize,
        })
    }

    fn number(&self, value: f64) -> String {
        format!("{value:.*}", self.decimals)
    }
}

/// Image sets from all over the plate; nearly the same ones while it grows.
fn sample(sites: &[SiteSummary]) -> Vec<SubjectId> {
    let mut ids: Vec<SubjectId> = sites
        .iter()
        .filter(|site| site.has_container)
        .map(|site| site.id)
        .collect();
    ids.sort_by_key(|id| (id.0 as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    ids.truncate(SAMPLE);
    ids
}

async fn contents(app: &App, id: SubjectId) -> Result<Contents, Problem> {
    let (_, path) = app.blocking(move |inner| container_of(inner, id)).await?;
    read(&ask(app, &path, Ask::Contents).await?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::{Value, json};

    use super::*;

    fn of(limits: &[(f64, f64)]) -> Option<(String, String)> {
        let of = Limits::of("a".to_owned(), limits)?;
        Some((of.number(of.low), of.number(of.high)))
    }

    fn told(low: &str, high: &str) -> Option<(String, String)> {
        Some((low.to_owned(), high.to_owned()))
    }

    #[test]
    fn limits_reach_from_the_darkest_to_the_brightest() {
        assert_eq!(of(&[(112.0, 950.0), (130.0, 2310.0)]), told("100", "2400"));
        assert_eq!(of(&[(0.011, 0.52), (0.02, 0.1)]), told("0.01", "0.52"));
        assert_eq!(of(&[(-3.2, 3.1)]), told("-3.2", "3.1"));
        assert_eq!(of(&[(1e6, 1.2e6)]), told("1000000", "1200000"));
    }

    #[test]
    fn one_odd_image_of_many_does_not_darken_the_others() {
        let mut limits = vec![(100.0, 900.0); 15];
        limits.push((0.0, 65535.0));
        assert_eq!(of(&limits), told("100", "900"));
    }

    #[test]
    fn what_has_no_range_has_no_limits() {
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[(1.0, 1.0)]), None);
        assert_eq!(of(&[(f64::NAN, 1.0)]), None);
    }

    #[test]
    fn names_are_escaped_once_more() {
        let image = |name: &str, kind: &str, limits: Value| {
            json!({
                "name": name, "kind": kind, "pixel_type": "uint16", "height": 4, "width": 4, "levels": [[4, 4]],
                "color": null, "shown": kind == "intensity", "limits": limits, "channel": null,
            })
        };
        let images = [
            image("a,b", "intensity", json!([0.0, 10.0])),
            image("mask", "labels", json!(null)),
        ];
        let contents = serde_json::from_value(json!({ "images": images, "tables": [] })).unwrap();
        let contrast = Contrast::of(&[contents]).unwrap();
        assert_eq!(contrast.query, "channels=a%252Cb%3A0%3A10");
        assert_eq!(contrast.text, "a,b 0 to 10 (from 1 image set)");
    }
}
