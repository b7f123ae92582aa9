//! A drawing as SVG text.

use std::fmt::Write;

use super::{Anchor, Drawing, Group, Paint, Path, Segment, Shape, Text};
use crate::number::coordinate as c;

/// Fonts, the one that the PNG is drawn with first, then ones of much the same width.
const FONTS: &str = "DejaVu Sans, Verdana, Geneva, sans-serif";

/// Writes a drawing. The same drawing gives the same text on every machine.
#[must_use]
pub fn svg(drawing: &Drawing) -> String {
    let (w, h, id) = (c(drawing.width), c(drawing.height), escape(&drawing.id));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" id=\"{id}\" class=\"heat-map\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" height=\"{h}\" \
         role=\"group\" aria-labelledby=\"{id}-title {id}-description\" font-family=\"{FONTS}\">\n\
         <title id=\"{id}-title\">{}</title>\n<desc id=\"{id}-description\">{}</desc>\n",
        escape(&drawing.title),
        escape(&drawing.description)
    );
    out.push_str(&format!(
        "<rect width=\"{w}\" height=\"{h}\" fill=\"#ffffff\"/>\n"
    ));
    for shape in &drawing.shapes {
        write_shape(shape, &mut out);
    }
    out.push_str("</svg>\n");
    out
}

fn write_shape(shape: &Shape, out: &mut String) {
    // Writing to a string cannot fail.
    let _ = match shape {
        Shape::Rectangle(x, y, w, h, paint) => writeln!(
            out,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"{}/>",
            c(*x),
            c(*y),
            c(*w),
            c(*h),
            attributes(paint)
        ),
        Shape::Circle(x, y, r, paint) => writeln!(
            out,
            "<circle cx=\"{}\" cy=\"{}\" r=\"{}\"{}/>",
            c(*x),
            c(*y),
            c(*r),
            attributes(paint)
        ),
        Shape::Path(path, paint) => {
            writeln!(out, "<path d=\"{}\"{}/>", data(path), attributes(paint))
        }
        Shape::Text(text) => {
            write_text(text, out);
            Ok(())
        }
        Shape::Group(group) => {
            write_group(group, out);
            Ok(())
        }
    };
}

fn write_group(group: &Group, out: &mut String) {
    out.push_str(&format!("<g class=\"{}\"", group.class));
    if let Some(id) = &group.id {
        out.push_str(&format!(" id=\"{}\"", escape(id)));
    }
    if group.title.is_empty() {
        out.push_str(" aria-hidden=\"true\">\n");
    } else {
        out.push_str(&format!(
            " role=\"img\">\n<title>{}</title>\n",
            escape(&group.title)
        ));
    }
    for shape in &group.shapes {
        write_shape(shape, out);
    }
    out.push_str("</g>\n");
}

fn write_text(text: &Text, out: &mut String) {
    let anchor = match text.anchor {
        Anchor::Start => "",
        Anchor::Middle => " text-anchor=\"middle\"",
        Anchor::End => " text-anchor=\"end\"",
    };
    let bold = if text.bold {
        " font-weight=\"bold\""
    } else {
        ""
    };
    out.push_str(&format!(
        "<text x=\"{}\" y=\"{}\" font-size=\"{}\"{anchor}{bold} fill=\"{}\">{}</text>\n",
        c(text.at.0),
        c(text.at.1),
        c(text.size),
        text.color.hex(),
        escape(&text.text)
    ));
}

fn attributes(paint: &Paint) -> String {
    let mut out = match paint.fill {
        Some(color) => format!(" fill=\"{}\"", color.hex()),
        None => " fill=\"none\"".to_owned(),
    };
    if let Some(stroke) = paint.stroke {
        out.push_str(&format!(
            " stroke=\"{}\" stroke-width=\"{}\"",
            stroke.color.hex(),
            c(stroke.width)
        ));
        if stroke.dashed {
            out.push_str(" stroke-dasharray=\"2 2\"");
        }
    }
    out
}

fn data(path: &Path) -> String {
    let parts: Vec<String> = path
        .0
        .iter()
        .map(|segment| match *segment {
            Segment::Move(x, y) => format!("M{} {}", c(x), c(y)),
            Segment::Line(x, y) => format!("L{} {}", c(x), c(y)),
            Segment::Curve(x1, y1, x2, y2, x, y) => {
                format!("C{} {} {} {} {} {}", c(x1), c(y1), c(x2), c(y2), c(x), c(y))
            }
            Segment::Close => "Z".to_owned(),
        })
        .collect();
    parts.join("")
}

/// Text of others inside XML or HTML, also in attributes. Characters that XML does not allow become `U+FFFD`.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' => out.push(c),
            c if c < ' '
                || ('\u{7f}'..='\u{9f}').contains(&c)
                || matches!(c, '\u{fffe}' | '\u{ffff}') =>
            {
                out.push('\u{fffd}');
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_stays_text() {
        assert_eq!(
            escape("<b a='1' c=\"2\">&\u{0}\u{1b}é"),
            "&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp;\u{fffd}\u{fffd}é"
        );
    }
}
