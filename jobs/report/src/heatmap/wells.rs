//! One well of a picture.

use plate::WellName;

use super::ramp::Ramp;
use super::{Image, Style, Value, Well};
use crate::drawing::{Anchor, Group, Paint, Path, Rgb, Shape, Text, on_circle};

/// Fill of what is not a number.
pub const UNDEFINED: Rgb = Rgb(0xd9, 0xd9, 0xd9);
/// Outline of what has no result, and of wells that were not imaged.
pub const OUTLINE: Rgb = Rgb(0x8c, 0x8c, 0x8c);
/// Outline of wells that were not imaged.
pub const EMPTY: Rgb = Rgb(0xdd, 0xdd, 0xdd);
/// From this size of a cell on there is room for the value itself.
const ROOM_FOR_TEXT: f64 = 46.0;

/// Where and how large a well is drawn.
#[derive(Clone, Copy)]
pub struct Place {
    /// Middle of its cell.
    pub x: f64,
    /// Middle of its cell.
    pub y: f64,
    /// Side of its cell.
    pub cell: f64,
}

impl Place {
    /// Radius of the disc.
    pub fn radius(self) -> f64 {
        self.cell * 0.40
    }
}

/// A well with its marks. `letters` are those of its reasons.
pub fn draw(
    id: &str,
    name: WellName,
    well: &Well,
    style: Style,
    ramp: &Ramp,
    place: Place,
    letters: &[char],
) -> Group {
    let mut shapes = Vec::new();
    let (x, y, r) = (place.x, place.y, place.radius());
    match style {
        Style::PerWell => {
            disc(x, y, r, well.value, ramp, &mut shapes);
            if well.outlier.is_some() {
                ring(x, y, r, &mut shapes);
            }
            if place.cell >= ROOM_FOR_TEXT
                && let Value::Number(value) = well.value
            {
                shapes.push(value_text(x, y, r, value, ramp));
            } else if well.outlier.is_some() && well.value != Value::Undefined {
                cross(x, y, r * 0.42, &mut shapes);
            }
        }
        Style::PerImage => {
            let count = well.images.len() as f64;
            for (index, image) in well.images.iter().enumerate() {
                let (from, to) = (index as f64 / count, (index + 1) as f64 / count);
                wedge(x, y, r, (from, to), image, ramp, &mut shapes);
            }
            if well.images.is_empty() {
                disc(x, y, r, Value::Missing, ramp, &mut shapes);
            }
            shapes.push(Shape::Circle(x, y, r * 0.44, Paint::fill(Rgb::PAPER)));
            disc(x, y, r * 0.38, well.value, ramp, &mut shapes);
            if well.outlier.is_some() {
                ring(x, y, r, &mut shapes);
            }
            if well.outlier.is_some() && well.value != Value::Undefined {
                cross(x, y, r * 0.2, &mut shapes);
            }
        }
    }
    if let Some(text) = superscript(place, letters) {
        shapes.push(text);
    }
    Group {
        id: Some(format!("{id}-{name}")),
        class: "well",
        title: title(name, well, style),
        shapes,
    }
}

/// A filled circle that shows a value, or that there is none.
pub fn disc(x: f64, y: f64, r: f64, value: Value, ramp: &Ramp, shapes: &mut Vec<Shape>) {
    match value {
        Value::Number(value) => {
            let line = if r > 5.0 { 0.75 } else { 0.5 };
            shapes.push(Shape::Circle(
                x,
                y,
                r,
                Paint::fill(ramp.color(value)).with_line(Rgb::FAINT, line),
            ));
        }
        Value::Undefined => {
            shapes.push(Shape::Circle(
                x,
                y,
                r,
                Paint::fill(UNDEFINED).with_line(Rgb::FAINT, 0.75),
            ));
            let half = r * 0.5;
            shapes.push(Shape::Path(
                Path::line((x - half, y), (x + half, y)),
                Paint::line(Rgb::INK, (r * 0.14).max(1.0)),
            ));
        }
        Value::Missing => shapes.push(Shape::Circle(
            x,
            y,
            r,
            Paint::fill(Rgb::PAPER).with_line(OUTLINE, 1.0).dashed(),
        )),
    }
}

/// The mark of an outlier well: a dark ring, apart from the disc by a white one.
pub fn ring(x: f64, y: f64, r: f64, shapes: &mut Vec<Shape>) {
    let width = (r * 0.12).clamp(1.2, 3.0);
    shapes.push(Shape::Circle(
        x,
        y,
        r - width * 0.5,
        Paint::line(Rgb::PAPER, width),
    ));
    shapes.push(Shape::Circle(
        x,
        y,
        r + width * 0.5,
        Paint::line(Rgb::INK, width),
    ));
}

/// The mark of an outlier image: a dark cross on a white one, seen on every colour.
pub fn cross(x: f64, y: f64, arm: f64, shapes: &mut Vec<Shape>) {
    let width = (arm * 0.4).clamp(0.9, 2.2);
    let path = Path::cross(x, y, arm);
    shapes.push(Shape::Path(
        Path::cross(x, y, arm + width * 0.5),
        Paint::line(Rgb::PAPER, width * 2.2),
    ));
    shapes.push(Shape::Path(path, Paint::line(Rgb::INK, width)));
}

fn wedge(
    x: f64,
    y: f64,
    r: f64,
    (from, to): (f64, f64),
    image: &Image,
    ramp: &Ramp,
    shapes: &mut Vec<Shape>,
) {
    let paint = match image.value {
        Value::Number(value) => {
            Paint::fill(ramp.color(value)).with_line(Rgb::PAPER, (r * 0.05).clamp(0.4, 1.2))
        }
        Value::Undefined => {
            Paint::fill(UNDEFINED).with_line(Rgb::PAPER, (r * 0.05).clamp(0.4, 1.2))
        }
        Value::Missing => Paint::fill(Rgb::PAPER).with_line(OUTLINE, 1.0).dashed(),
    };
    let whole = to - from >= 1.0;
    shapes.push(if whole {
        Shape::Circle(x, y, r, paint)
    } else {
        Shape::Path(Path::wedge(x, y, r, from, to), paint)
    });
    let (mx, my) = on_circle(x, y, r * 0.72, f64::midpoint(from, to));
    // As much as fits between the neighbours.
    let room = (r * 0.24).min(r * 0.72 * (to - from) * 2.4);
    if image.outlier.is_some() {
        cross(mx, my, room * 0.8, shapes);
    } else if image.value == Value::Undefined {
        shapes.push(Shape::Path(
            Path::line((mx - room * 0.8, my), (mx + room * 0.8, my)),
            Paint::line(Rgb::INK, (r * 0.06).max(0.8)),
        ));
    }
}

fn value_text(x: f64, y: f64, r: f64, value: f64, ramp: &Ramp) -> Shape {
    let text = crate::short(value);
    let width = crate::drawing::text_width(&text, 1.0, false);
    let size = (r * 1.6 / width).min(r * 0.48);
    Shape::Text(Text {
        at: (x, y + size * 0.36),
        text,
        size,
        anchor: Anchor::Middle,
        color: ramp.color(value).readable(),
        bold: false,
    })
}

fn superscript(place: Place, letters: &[char]) -> Option<Shape> {
    let most = match place.cell {
        c if c >= 46.0 => 3,
        c if c >= 28.0 => 2,
        _ => 1,
    };
    let mut text: String = letters.iter().take(most).collect();
    if letters.is_empty() {
        return None;
    }
    if letters.len() > most && most > 1 {
        text.pop();
        text.push('+');
    }
    let size = (place.cell * 0.2).clamp(6.5, 12.0);
    let r = place.radius();
    Some(Shape::Text(Text {
        at: (place.x + r * 0.86, place.y - r * 0.86 + size * 0.12),
        text,
        size,
        anchor: Anchor::Start,
        color: Rgb::INK,
        bold: true,
    }))
}

/// What a screen reader says of a well, and a browser when the pointer rests on it.
fn title(name: WellName, well: &Well, style: Style) -> String {
    let mut text = format!("{name}: {}", well.value.text());
    if let Some(reason) = &well.outlier {
        text.push_str(&format!(", outlier: {reason}"));
    }
    if style == Style::PerImage {
        for image in &well.images {
            text.push_str(&format!("\n{}: {}", image.name, image.value.text()));
            if let Some(reason) = &image.outlier {
                text.push_str(&format!(", outlier: {reason}"));
            }
            if let Some(reason) = &image.failed {
                text.push_str(&format!(", failed: {reason}"));
            }
        }
    }
    text
}
