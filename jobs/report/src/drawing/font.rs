//! The one font that PNGs are drawn with: DejaVu Sans, built in, because a service must not depend on installed fonts.
//!
//! Latin, Greek, Cyrillic and many signs are in it; what is not shows as a box in the PNG, and as it should in the SVG.

use ttf_parser::{Face, GlyphId, OutlineBuilder};

use super::{Path, Segment};

/// The outlines of a line of text that begins at (`x`, `y`) on its base line.
pub fn outlines(text: &str, x: f64, y: f64, size: f64, bold: bool) -> Path {
    let Some(face) = face(bold) else {
        return Path::default();
    };
    let scale = size / f64::from(face.units_per_em());
    let mut pen = Pen {
        path: Path::default(),
        at: (0.0, 0.0),
        x,
        y,
        scale,
    };
    for c in text.chars() {
        let glyph = face.glyph_index(c).unwrap_or(GlyphId(0));
        face.outline_glyph(glyph, &mut pen);
        pen.x += advance(&face, glyph) * scale;
    }
    pen.path
}

/// Width of a line of text.
#[must_use]
pub fn text_width(text: &str, size: f64, bold: bool) -> f64 {
    let Some(face) = face(bold) else {
        return 0.0;
    };
    let scale = size / f64::from(face.units_per_em());
    let units: f64 = text
        .chars()
        .map(|c| advance(&face, face.glyph_index(c).unwrap_or(GlyphId(0))))
        .sum();
    units * scale
}

/// Parsing only reads the directory of the file.
fn face(bold: bool) -> Option<Face<'static>> {
    let bytes = if bold {
        dejavu::sans::bold()
    } else {
        dejavu::sans::regular()
    };
    Face::parse(bytes, 0).ok()
}

fn advance(face: &Face<'_>, glyph: GlyphId) -> f64 {
    face.glyph_hor_advance(glyph).map_or(0.0, f64::from)
}

/// Turns the font's outlines, whose y goes up, into a path.
struct Pen {
    path: Path,
    at: (f64, f64),
    x: f64,
    y: f64,
    scale: f64,
}

impl Pen {
    fn place(&self, x: f32, y: f32) -> (f64, f64) {
        (
            self.x + f64::from(x) * self.scale,
            self.y - f64::from(y) * self.scale,
        )
    }
}

impl OutlineBuilder for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.at = self.place(x, y);
        self.path.0.push(Segment::Move(self.at.0, self.at.1));
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.at = self.place(x, y);
        self.path.0.push(Segment::Line(self.at.0, self.at.1));
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let (from, control, to) = (self.at, self.place(x1, y1), self.place(x, y));
        let third = |end: (f64, f64)| {
            (
                end.0 + (control.0 - end.0) * 2.0 / 3.0,
                end.1 + (control.1 - end.1) * 2.0 / 3.0,
            )
        };
        let (a, b) = (third(from), third(to));
        self.path
            .0
            .push(Segment::Curve(a.0, a.1, b.0, b.1, to.0, to.1));
        self.at = to;
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let (a, b, to) = (self.place(x1, y1), self.place(x2, y2), self.place(x, y));
        self.path
            .0
            .push(Segment::Curve(a.0, a.1, b.0, b.1, to.0, to.1));
        self.at = to;
    }

    fn close(&mut self) {
        self.path.0.push(Segment::Close);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_font_is_there() {
        assert!(face(false).is_some() && face(true).is_some());
        assert!(text_width("mm", 10.0, false) > 1.9 * text_width("m", 10.0, false));
        assert!(text_width("m", 10.0, true) > text_width("i", 10.0, true));
        assert!(outlines("Aµ", 0.0, 10.0, 10.0, false).0.len() > 10);
        assert!(outlines("", 0.0, 10.0, 10.0, false).0.is_empty());
    }
}
