//! A drawing as PNG.

use tiny_skia::{
    Color, FillRule, Paint as SkiaPaint, Path as SkiaPath, PathBuilder, Pixmap, Stroke, StrokeDash,
    Transform,
};

use super::font::{outlines, text_width};
use super::{Anchor, Drawing, Paint, Path, Rgb, Segment, Shape, Text};

/// Most pixels of a side: a plate larger than any that is sold is drawn smaller instead of not at all.
const MOST: f64 = 12_000.0;

/// Draws with `scale` pixels for each unit of the drawing. `None` only for a drawing without area.
#[must_use]
pub fn png(drawing: &Drawing, scale: f64) -> Option<Vec<u8>> {
    let scale = scale.min(MOST / drawing.width.max(drawing.height));
    let pixels = |length: f64| (length * scale).ceil() as u32;
    let mut pixmap = Pixmap::new(pixels(drawing.width), pixels(drawing.height))?;
    pixmap.fill(Color::WHITE);
    let mut canvas = Canvas {
        pixmap,
        transform: Transform::from_scale(scale as f32, scale as f32),
    };
    for shape in &drawing.shapes {
        canvas.shape(shape);
    }
    encode(&canvas.pixmap)
}

struct Canvas {
    pixmap: Pixmap,
    transform: Transform,
}

impl Canvas {
    fn shape(&mut self, shape: &Shape) {
        match shape {
            Shape::Rectangle(x, y, w, h, paint) => {
                let mut path = Path::line((*x, *y), (x + w, *y));
                path.0.extend([
                    Segment::Line(x + w, y + h),
                    Segment::Line(*x, y + h),
                    Segment::Close,
                ]);
                self.path(build(&path), paint);
            }
            Shape::Circle(x, y, r, paint) => {
                self.path(
                    PathBuilder::from_circle(*x as f32, *y as f32, *r as f32),
                    paint,
                );
            }
            Shape::Path(path, paint) => self.path(build(path), paint),
            Shape::Text(text) => self.text(text),
            Shape::Group(group) => group.shapes.iter().for_each(|s| self.shape(s)),
        }
    }

    fn path(&mut self, path: Option<SkiaPath>, paint: &Paint) {
        let Some(path) = path else {
            return;
        };
        if let Some(fill) = paint.fill {
            self.pixmap
                .fill_path(&path, &color(fill), FillRule::Winding, self.transform, None);
        }
        if let Some(line) = paint.stroke {
            let stroke = Stroke {
                width: line.width as f32,
                dash: line
                    .dashed
                    .then(|| StrokeDash::new(vec![2.0, 2.0], 0.0))
                    .flatten(),
                ..Stroke::default()
            };
            self.pixmap
                .stroke_path(&path, &color(line.color), &stroke, self.transform, None);
        }
    }

    fn text(&mut self, text: &Text) {
        let width = || text_width(&text.text, text.size, text.bold);
        let x = match text.anchor {
            Anchor::Start => text.at.0,
            Anchor::Middle => text.at.0 - width() / 2.0,
            Anchor::End => text.at.0 - width(),
        };
        let path = outlines(&text.text, x, text.at.1, text.size, text.bold);
        self.path(build(&path), &Paint::fill(text.color));
    }
}

fn color(Rgb(r, g, b): Rgb) -> SkiaPaint<'static> {
    let mut paint = SkiaPaint {
        anti_alias: true,
        ..SkiaPaint::default()
    };
    paint.set_color_rgba8(r, g, b, 255);
    paint
}

fn build(path: &Path) -> Option<SkiaPath> {
    let mut builder = PathBuilder::new();
    for segment in &path.0 {
        match *segment {
            Segment::Move(x, y) => builder.move_to(x as f32, y as f32),
            Segment::Line(x, y) => builder.line_to(x as f32, y as f32),
            Segment::Curve(x1, y1, x2, y2, x, y) => builder.cubic_to(
                x1 as f32, y1 as f32, x2 as f32, y2 as f32, x as f32, y as f32,
            ),
            Segment::Close => builder.close(),
        }
    }
    builder.finish()
}

/// All is drawn on white, so there is no transparency to keep.
fn encode(pixmap: &Pixmap) -> Option<Vec<u8>> {
    let rgb: Vec<u8> = pixmap
        .data()
        .chunks_exact(4)
        .flat_map(|p| [p[0], p[1], p[2]])
        .collect();
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, pixmap.width(), pixmap.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(&rgb).ok()?;
    writer.finish().ok()?;
    Some(out)
}
