//! A picture as a list of shapes, from which the SVG and the PNG are both made.
//!
//! Coordinates are in pixels of the SVG; x goes right, y goes down.

mod font;
mod path;
mod raster;
mod svg;

pub use font::text_width;
pub use path::{Path, Segment, on_circle};
pub use raster::png;
pub use svg::{escape, svg};

/// A colour: red, green, blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rgb(pub u8, pub u8, pub u8);

impl Rgb {
    /// Text and lines.
    pub const INK: Self = Self(0x1a, 0x1a, 0x1a);
    /// Less important text and lines.
    pub const FAINT: Self = Self(0x59, 0x59, 0x59);
    /// The background.
    pub const PAPER: Self = Self(0xff, 0xff, 0xff);

    /// Relative luminance, 0 (black) to 1 (white), as WCAG 2 defines it.
    #[must_use]
    pub fn luminance(self) -> f64 {
        let linear = |c: u8| {
            let c = f64::from(c) / 255.0;
            if c <= 0.040_45 {
                c / 12.92
            } else {
                ((c + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * linear(self.0) + 0.7152 * linear(self.1) + 0.0722 * linear(self.2)
    }

    /// Black or white, whichever is read better on this colour.
    #[must_use]
    pub fn readable(self) -> Self {
        if self.luminance() > 0.179 {
            Self::INK
        } else {
            Self::PAPER
        }
    }

    /// `#rrggbb`.
    #[must_use]
    pub fn hex(self) -> String {
        format!("#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

/// How an outline is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stroke {
    /// Its colour.
    pub color: Rgb,
    /// Its width.
    pub width: f64,
    /// Whether it is dashed.
    pub dashed: bool,
}

/// How a shape is filled and outlined.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Paint {
    /// Colour inside.
    pub fill: Option<Rgb>,
    /// The outline.
    pub stroke: Option<Stroke>,
}

impl Paint {
    /// Filled, without an outline.
    #[must_use]
    pub const fn fill(color: Rgb) -> Self {
        Self {
            fill: Some(color),
            stroke: None,
        }
    }

    /// Only an outline.
    #[must_use]
    pub const fn line(color: Rgb, width: f64) -> Self {
        Self {
            fill: None,
            stroke: Some(Stroke {
                color,
                width,
                dashed: false,
            }),
        }
    }

    /// The same with an outline.
    #[must_use]
    pub const fn with_line(mut self, color: Rgb, width: f64) -> Self {
        self.stroke = Some(Stroke {
            color,
            width,
            dashed: false,
        });
        self
    }

    /// The same, dashed.
    #[must_use]
    pub fn dashed(mut self) -> Self {
        if let Some(stroke) = &mut self.stroke {
            stroke.dashed = true;
        }
        self
    }
}

/// Which end of a text its position is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// The left end.
    Start,
    /// The middle.
    Middle,
    /// The right end.
    End,
}

/// A line of text; its position is on the base line.
#[derive(Clone, Debug, PartialEq)]
pub struct Text {
    /// Where.
    pub at: (f64, f64),
    /// What.
    pub text: String,
    /// Height of the font.
    pub size: f64,
    /// Which end `at` is.
    pub anchor: Anchor,
    /// Its colour.
    pub color: Rgb,
    /// Whether it is bold.
    pub bold: bool,
}

/// Something that belongs together and has a name, for those who do not see it.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Its id; `None` for something that only decorates.
    pub id: Option<String>,
    /// A word for style sheets: `well`, `legend`.
    pub class: &'static str,
    /// What it says, as a tooltip and for screen readers; empty for something that only decorates.
    pub title: String,
    /// What it shows.
    pub shapes: Vec<Shape>,
}

/// One thing to draw.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// A rectangle: left, top, width, height.
    Rectangle(f64, f64, f64, f64, Paint),
    /// A circle: centre and radius.
    Circle(f64, f64, f64, Paint),
    /// A path.
    Path(Path, Paint),
    /// A line of text.
    Text(Text),
    /// A group.
    Group(Group),
}

/// A picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawing {
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
    /// Prefix of its ids.
    pub id: String,
    /// What it shows, in a few words.
    pub title: String,
    /// What it shows, in a few sentences.
    pub description: String,
    /// What it is made of, the lowest first.
    pub shapes: Vec<Shape>,
}
