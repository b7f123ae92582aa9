//! What the colours and marks of a picture mean.

use std::collections::BTreeSet;

use plate::WellName;

use super::ramp::Ramp;
use super::reasons::Reasons;
use super::wells::{cross, disc, ring};
use super::{HeatMap, Image, Style, Value};
use crate::drawing::{Anchor, Group, Paint, Path, Rgb, Shape, Text, text_width};

/// Width of the legend.
pub const WIDTH: f64 = 250.0;
const BAR: (f64, f64) = (20.0, 190.0);
const STEPS: usize = 64;
const SIZE: f64 = 12.0;
const LINE: f64 = 16.0;
/// Wells that are named for one reason.
const MOST_WELLS: usize = 12;

/// Draws the legend; its left upper corner is given. Returns it with its lower edge.
pub fn draw(map: &HeatMap, ramp: &Ramp, reasons: &Reasons, x: f64, top: f64) -> (Group, f64) {
    let mut shapes = Vec::new();
    let mut y = top + 12.0;
    // Without a number the limits would be made up.
    if drawn_values(map).any(|v| matches!(v, Value::Number(_))) {
        bar(ramp, x, top, &mut shapes);
        y = top + BAR.1 + 26.0;
    }
    for (mark, words) in marks(map) {
        mark(x + 10.0, y - 4.0, ramp, &mut shapes);
        for line in wrap(words, SIZE, WIDTH - 28.0) {
            shapes.push(label(x + 28.0, y, line, false));
            y += LINE;
        }
        y += 4.0;
    }
    let lines = reasons.lines();
    if !lines.is_empty() {
        y += 8.0;
        shapes.push(label(x, y, "Outliers".to_owned(), true));
        y += LINE + 2.0;
    }
    for (letter, reason, wells) in lines {
        shapes.push(label(x, y, letter.to_string(), true));
        for line in wrap(&format!("{reason}: {}", names(&wells)), SIZE, WIDTH - 18.0) {
            shapes.push(label(x + 18.0, y, line, false));
            y += LINE;
        }
        y += 2.0;
    }
    let group = Group {
        id: Some(format!("{}-legend", map.id)),
        class: "legend",
        title: description(ramp, reasons),
        shapes,
    };
    (group, y)
}

fn bar(ramp: &Ramp, x: f64, top: f64, shapes: &mut Vec<Shape>) {
    let step = BAR.1 / STEPS as f64;
    for i in 0..STEPS {
        let place = 1.0 - (i as f64 + 0.5) / STEPS as f64;
        // Each reaches a little below the next, so that no seam is seen between them.
        let height = if i + 1 == STEPS { step } else { step + 0.5 };
        shapes.push(Shape::Rectangle(
            x,
            top + i as f64 * step,
            BAR.0,
            height,
            Paint::fill(ramp.color_at(place)),
        ));
    }
    shapes.push(Shape::Rectangle(
        x,
        top,
        BAR.0,
        BAR.1,
        Paint::line(Rgb::FAINT, 0.75),
    ));
    let last = ramp.ticks.len().saturating_sub(1);
    for (i, (value, place)) in ramp.ticks.iter().enumerate() {
        let y = top + BAR.1 * (1.0 - place);
        shapes.push(Shape::Path(
            Path::line((x + BAR.0, y), (x + BAR.0 + 4.0, y)),
            Paint::line(Rgb::FAINT, 1.0),
        ));
        let sign = match i {
            0 => "≤ ",
            i if i == last => "≥ ",
            _ => "",
        };
        let text = format!("{sign}{}", crate::short(*value));
        shapes.push(label(x + BAR.0 + 8.0, y + 4.0, text, false));
    }
}

fn drawn_images(map: &HeatMap) -> impl Iterator<Item = &Image> {
    let drawn = map.style == Style::PerImage;
    let wells = map.wells.values().filter(move |_| drawn);
    wells.flat_map(|w| &w.images)
}

fn drawn_values(map: &HeatMap) -> impl Iterator<Item = Value> {
    let wells = map.wells.values().map(|w| w.value);
    wells.chain(drawn_images(map).map(|i| i.value))
}

type Mark = fn(f64, f64, &Ramp, &mut Vec<Shape>);

/// The marks that occur, so that a picture without outliers does not explain them.
fn marks(map: &HeatMap) -> Vec<(Mark, &'static str)> {
    let any = |value: Value| drawn_values(map).any(|v| v == value);
    let mut marks: Vec<(Mark, &'static str)> = Vec::new();
    if any(Value::Undefined) {
        marks.push((
            |x, y, ramp, shapes| disc(x, y, 8.0, Value::Undefined, ramp, shapes),
            "not a number",
        ));
    }
    if any(Value::Missing) {
        marks.push((
            |x, y, ramp, shapes| disc(x, y, 8.0, Value::Missing, ramp, shapes),
            "no result",
        ));
    }
    if map.wells.values().any(|w| w.outlier.is_some()) {
        marks.push((
            |x, y, ramp, shapes| {
                disc(x, y, 8.0, Value::Number(f64::INFINITY), ramp, shapes);
                ring(x, y, 8.0, shapes);
            },
            "outlier well",
        ));
    }
    if drawn_images(map).any(|i| i.outlier.is_some()) {
        marks.push((
            |x, y, ramp, shapes| {
                shapes.push(Shape::Path(
                    Path::wedge(x - 8.0, y + 8.0, 18.0, 0.0, 0.25),
                    Paint::fill(ramp.color_at(1.0)).with_line(Rgb::FAINT, 0.75),
                ));
                cross(x - 1.5, y + 1.5, 4.0, shapes);
            },
            "outlier image",
        ));
    }
    marks
}

/// What the legend says to those who do not see it.
fn description(ramp: &Ramp, reasons: &Reasons) -> String {
    let ends = match (ramp.ticks.first(), ramp.ticks.last()) {
        (Some(lo), Some(hi)) => format!(
            "Colours from {} to {}",
            crate::short(lo.0),
            crate::short(hi.0)
        ),
        _ => String::new(),
    };
    reasons
        .lines()
        .iter()
        .fold(ends, |text, (letter, reason, wells)| {
            format!("{text}\n{letter}: {reason}: {}", names(wells))
        })
}

fn names(wells: &BTreeSet<WellName>) -> String {
    let mut text: Vec<String> = wells
        .iter()
        .take(MOST_WELLS)
        .map(ToString::to_string)
        .collect();
    if wells.len() > MOST_WELLS {
        text.push(format!("and {} more", wells.len() - MOST_WELLS));
    }
    text.join(", ")
}

/// A line of normal size.
pub fn label(x: f64, y: f64, text: String, bold: bool) -> Shape {
    Shape::Text(Text {
        at: (x, y),
        text,
        size: SIZE,
        anchor: Anchor::Start,
        color: Rgb::INK,
        bold,
    })
}

/// Breaks a text into lines of at most `width`, at spaces where there are any.
pub fn wrap(text: &str, size: f64, width: f64) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        for piece in pieces(word, size, width) {
            let line = lines.last().map_or("", String::as_str);
            let longer = format!("{line} {piece}");
            if line.is_empty() {
                lines.pop();
                lines.push(piece);
            } else if text_width(&longer, size, false) <= width {
                lines.pop();
                lines.push(longer);
            } else {
                lines.push(piece);
            }
        }
    }
    lines
}

/// A word, cut where it is wider than a line.
fn pieces(word: &str, size: f64, width: f64) -> Vec<String> {
    let mut pieces = vec![String::new()];
    for c in word.chars() {
        if let Some(last) = pieces.last_mut() {
            last.push(c);
            if last.chars().count() > 1 && text_width(last, size, false) > width {
                last.pop();
                pieces.push(c.to_string());
            }
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit() {
        let text = "too few control cells; too low infected cell intensity: A01, B02 averyveryverylongwordthatfitsinnoline";
        let lines = wrap(text, 12.0, 120.0);
        assert!(lines.len() > 3);
        assert!(lines.iter().all(|l| text_width(l, 12.0, false) <= 120.0));
        assert_eq!(
            lines.concat().replace(' ', ""),
            text.replace(' ', ""),
            "nothing is lost"
        );
        assert_eq!(wrap("", 12.0, 10.0), [""]);
    }
}
