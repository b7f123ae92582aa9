//! From values to colours.

use crate::drawing::Rgb;

/// Viridis in ten steps.
const VIRIDIS: [Rgb; 10] = [
    Rgb(0x44, 0x01, 0x54),
    Rgb(0x48, 0x28, 0x78),
    Rgb(0x3e, 0x49, 0x89),
    Rgb(0x31, 0x68, 0x8e),
    Rgb(0x26, 0x82, 0x8e),
    Rgb(0x1f, 0x9e, 0x89),
    Rgb(0x35, 0xb7, 0x79),
    Rgb(0x6e, 0xce, 0x58),
    Rgb(0xb5, 0xde, 0x2b),
    Rgb(0xfd, 0xe7, 0x25),
];
/// Blue over near white to orange: apart for every kind of colour vision.
const DIVERGING: [Rgb; 7] = [
    Rgb(0x12, 0x3f, 0x7f),
    Rgb(0x3f, 0x7f, 0xbf),
    Rgb(0xa3, 0xc8, 0xe4),
    Rgb(0xf4, 0xf4, 0xf2),
    Rgb(0xf6, 0xc0, 0x85),
    Rgb(0xd9, 0x7a, 0x1e),
    Rgb(0x8a, 0x40, 0x06),
];
const NEGATIVE: [Rgb; 2] = [Rgb(0x1f, 0x55, 0x99), Rgb(0xa9, 0xcd, 0xea)];
const DOUBTFUL: Rgb = Rgb(0xc4, 0xc4, 0xc4);
const POSITIVE: [Rgb; 2] = [Rgb(0xf8, 0xc4, 0x8a), Rgb(0x9c, 0x4a, 0x08)];

/// Colours between knots: at each a value, its place on the colour bar (0 bottom, 1 top), and its colour. Two knots of
/// one value are a jump.
#[derive(Clone, Debug, PartialEq)]
pub struct Ramp {
    knots: Vec<(f64, f64, Rgb)>,
    /// Values that are written beside the colour bar, with their places.
    pub ticks: Vec<(f64, f64)>,
}

impl Ramp {
    /// Even colours from `lo` to `hi`.
    pub fn even(lo: f64, hi: f64, diverging: bool) -> Self {
        let colors: &[Rgb] = if diverging { &DIVERGING } else { &VIRIDIS };
        let last = (colors.len() - 1) as f64;
        let knots = colors.iter().enumerate().map(|(i, color)| {
            let place = i as f64 / last;
            (lo + (hi - lo) * place, place, *color)
        });
        let ticks = (0..=4).map(|i| {
            let place = f64::from(i) / 4.0;
            (lo + (hi - lo) * place, place)
        });
        Self {
            knots: knots.collect(),
            ticks: ticks.collect(),
        }
    }

    /// BatchLib's: negative, doubtful, positive.
    pub fn thresholds([a, b, c, d]: [f64; 4]) -> Self {
        let parts = [b > a, c > b, d > c];
        let count = parts.iter().filter(|p| **p).count().max(1) as f64;
        let mut knots = Vec::new();
        let mut ticks = vec![(a, 0.0)];
        let mut place = 0.0;
        for (present, (from, to), colors) in [
            (parts[0], (a, b), NEGATIVE),
            (parts[1], (b, c), [DOUBTFUL, DOUBTFUL]),
            (parts[2], (c, d), POSITIVE),
        ] {
            if present {
                knots.push((from, place, colors[0]));
                place += 1.0 / count;
                knots.push((to, place, colors[1]));
                ticks.push((to, place));
            }
        }
        Self { knots, ticks }
    }

    /// The colour of a value; beyond the ends that of the end. Exactly at a jump the upper colour.
    pub fn color(&self, value: f64) -> Rgb {
        self.find(value, |knot| knot.0)
    }

    /// The colour at a place of the colour bar.
    pub fn color_at(&self, place: f64) -> Rgb {
        self.find(place, |knot| knot.1)
    }

    fn find(&self, x: f64, axis: impl Fn(&(f64, f64, Rgb)) -> f64) -> Rgb {
        let above = self.knots.partition_point(|k| axis(k) <= x);
        match (
            above.checked_sub(1).map(|i| self.knots[i]),
            self.knots.get(above),
        ) {
            (None, Some(first)) => first.2,
            (Some(last), None) => last.2,
            (Some(low), Some(high)) => {
                let part = (x - axis(&low)) / (axis(high) - axis(&low));
                mix(low.2, high.2, part)
            }
            (None, None) => DOUBTFUL,
        }
    }
}

fn mix(a: Rgb, b: Rgb, part: f64) -> Rgb {
    let one = |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * part).round() as u8;
    Rgb(one(a.0, b.0), one(a.1, b.1), one(a.2, b.2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_and_beyond() {
        let ramp = Ramp::even(1.0, 3.0, false);
        assert_eq!(ramp.color(1.0), VIRIDIS[0]);
        assert_eq!(ramp.color(f64::NEG_INFINITY), VIRIDIS[0]);
        assert_eq!(ramp.color(3.0), VIRIDIS[9]);
        assert_eq!(ramp.color(99.0), VIRIDIS[9]);
        assert_eq!(Ramp::even(-2.0, 2.0, true).color(0.0), DIVERGING[3]);
        assert_eq!(ramp.color(2.0), ramp.color_at(0.5));
    }

    #[test]
    fn thresholds_jump_where_two_are_equal() {
        let ramp = Ramp::thresholds([0.9, 1.3, 1.3, 2.0]);
        assert_eq!(ramp.color(0.5), NEGATIVE[0]);
        assert_eq!(ramp.color(1.3), POSITIVE[0]);
        assert_eq!(ramp.color(2.5), POSITIVE[1]);
        assert!(ramp.color(1.299).2 > 0xe0, "still blue");
        assert_eq!(ramp.ticks, [(0.9, 0.0), (1.3, 0.5), (2.0, 1.0)]);
        assert_eq!(Ramp::thresholds([0.0, 1.8, 2.5, 5.0]).color(2.0), DOUBTFUL);
    }

    #[test]
    fn viridis_gets_lighter_all_the_way() {
        let ramp = Ramp::even(0.0, 1.0, false);
        let light: Vec<f64> = (0..=50)
            .map(|i| ramp.color(f64::from(i) / 50.0).luminance())
            .collect();
        assert!(light.is_sorted());
    }
}
