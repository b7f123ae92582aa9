//! Where everything in a picture lies.

use plate::WellName;

use super::legend::{self, label, wrap};
use super::reasons::Reasons;
use super::wells::{self, EMPTY, Place};
use super::{HeatMap, Style};
use crate::drawing::{Anchor, Drawing, Group, Paint, Rgb, Shape, Text, text_width};

const MARGIN: f64 = 16.0;
/// Room for the row letters.
const LEFT: f64 = 34.0;
/// Room for the title, the line below it, and the column numbers.
const TOP: f64 = 84.0;
/// Width that a plate is drawn in, if its wells become neither too large nor too small.
const PLATE_WIDTH: f64 = 912.0;
/// Wells of a plate beyond which empty ones are not drawn.
const MOST_EMPTY: u32 = 8000;

/// Turns a heat map into shapes.
pub fn layout(map: &HeatMap) -> Drawing {
    let (rows, columns) = (map.format.rows, map.format.columns);
    let cell = (PLATE_WIDTH / f64::from(columns.max(1)))
        .floor()
        .clamp(16.0, 72.0);
    let (left, top) = (MARGIN + LEFT, TOP);
    let plate_width = cell * f64::from(columns);
    let plate_bottom = top + cell * f64::from(rows);
    let place = |name: WellName| Place {
        x: left + (f64::from(name.column()) - 0.5) * cell,
        y: top + (f64::from(name.row()) + 0.5) * cell,
        cell,
    };
    let ramp = map.scale.ramp(&map.column, &numbers(map));
    let reasons = Reasons::of(map);

    let legend_left = left + plate_width + 28.0;
    let width = legend_left + legend::WIDTH + MARGIN;
    let (legend, legend_bottom) = legend::draw(map, &ramp, &reasons, legend_left, top);

    let mut shapes = vec![headings(map, width)];
    shapes.push(axes(map, left, top, cell));
    shapes.push(empty(map, &place));
    for (name, well) in map.wells.iter().filter(|(n, _)| map.format.contains(**n)) {
        let letters = reasons.letters(map.style, well);
        shapes.push(Shape::Group(wells::draw(
            &map.id,
            *name,
            well,
            map.style,
            &ramp,
            place(*name),
            &letters,
        )));
    }
    shapes.push(Shape::Group(legend));
    let mut bottom = plate_bottom.max(legend_bottom);
    if !map.notes.is_empty() {
        let (notes, below) = notes(map, bottom + 20.0, width);
        shapes.push(Shape::Group(notes));
        bottom = below;
    }
    Drawing {
        width,
        height: bottom + MARGIN,
        id: map.id.clone(),
        title: format!("{}: {} {}", map.plate, map.column, map.style.file_word()),
        description: description(map),
        shapes,
    }
}

/// What percentiles are taken of: what is drawn and is no outlier; all where there is nothing else.
pub(super) fn numbers(map: &HeatMap) -> Vec<f64> {
    let drawn = |outliers: bool| -> Vec<f64> {
        map.wells
            .values()
            .flat_map(|well| {
                let images = match map.style {
                    Style::PerWell => &[][..],
                    Style::PerImage => &well.images,
                };
                let own = (well.value, well.outlier.is_some());
                let images = images.iter().map(|i| (i.value, i.outlier.is_some()));
                std::iter::once(own).chain(images)
            })
            .filter(|(_, outlier)| outliers || !outlier)
            .filter_map(|(value, _)| value.finite())
            .collect()
    };
    let without = drawn(false);
    if without.is_empty() {
        drawn(true)
    } else {
        without
    }
}

fn headings(map: &HeatMap, width: f64) -> Shape {
    let heading = |text: &str, y: f64, size: f64, bold: bool, color: Rgb| {
        Shape::Text(Text {
            at: (MARGIN, y),
            text: shortened(text, size, bold, width - 2.0 * MARGIN),
            size,
            anchor: Anchor::Start,
            color,
            bold,
        })
    };
    let explained = match map.style {
        Style::PerWell => format!("{}, per well; {}", map.plate, map.well_value),
        Style::PerImage => format!(
            "{}, per image; wedges: images in site order, clockwise from the top; centre: {}",
            map.plate, map.well_value
        ),
    };
    Shape::Group(Group {
        id: None,
        class: "heading",
        title: String::new(),
        shapes: vec![
            heading(&map.column, 26.0, 17.0, true, Rgb::INK),
            heading(&explained, 46.0, 12.0, false, Rgb::FAINT),
        ],
    })
}

/// Row letters and column numbers; only decoration for those who hear the wells' own names.
fn axes(map: &HeatMap, left: f64, top: f64, cell: f64) -> Shape {
    let size = (cell * 0.6).clamp(8.0, 13.0);
    let text = |x: f64, y: f64, text: String, anchor: Anchor| {
        Shape::Text(Text {
            at: (x, y),
            text,
            size,
            anchor,
            color: Rgb::FAINT,
            bold: false,
        })
    };
    let rows = (0..map.format.rows).filter_map(|row| {
        let letters = WellName::from_row_column(row, 1).ok()?.row_letters();
        let y = top + (f64::from(row) + 0.5) * cell + size * 0.36;
        Some(text(left - 8.0, y, letters, Anchor::End))
    });
    let columns = (1..=map.format.columns).map(|column| {
        let x = left + (f64::from(column) - 0.5) * cell;
        text(x, top - 8.0, column.to_string(), Anchor::Middle)
    });
    Shape::Group(Group {
        id: None,
        class: "axes",
        title: String::new(),
        shapes: rows.chain(columns).collect(),
    })
}

/// Wells that were not imaged.
fn empty(map: &HeatMap, place: &impl Fn(WellName) -> Place) -> Shape {
    let mut shapes = Vec::new();
    if map.format.wells() <= MOST_EMPTY {
        for row in 0..map.format.rows {
            for column in 1..=map.format.columns {
                if let Ok(name) = WellName::from_row_column(row, column)
                    && !map.wells.contains_key(&name)
                {
                    let at = place(name);
                    let r = at.radius() * 0.9;
                    shapes.push(Shape::Circle(at.x, at.y, r, Paint::line(EMPTY, 1.0)));
                }
            }
        }
    }
    Shape::Group(Group {
        id: None,
        class: "not-imaged",
        title: String::new(),
        shapes,
    })
}

fn notes(map: &HeatMap, top: f64, width: f64) -> (Group, f64) {
    let mut shapes = Vec::new();
    let mut y = top;
    for note in &map.notes {
        for line in wrap(&format!("Note: {note}"), 12.0, width - 2.0 * MARGIN) {
            shapes.push(label(MARGIN, y, line, false));
            y += 16.0;
        }
    }
    let group = Group {
        id: Some(format!("{}-notes", map.id)),
        class: "notes",
        title: map.notes.join("\n"),
        shapes,
    };
    (group, y)
}

fn description(map: &HeatMap) -> String {
    let outliers = map.wells.values().filter(|w| w.outlier.is_some()).count();
    let mut text = format!(
        "Plate of {}, {} imaged. The value of a well: {}.",
        map.format,
        map.wells.len(),
        map.well_value
    );
    if outliers > 0 {
        text.push_str(&format!(" {outliers} outlier wells."));
    }
    if map.style == Style::PerImage {
        let images = map.wells.values().flat_map(|w| &w.images);
        let outliers = images.filter(|i| i.outlier.is_some()).count();
        if outliers > 0 {
            text.push_str(&format!(" {outliers} outlier images."));
        }
    }
    text
}

/// A text cut to a width; the whole is in the picture's title.
fn shortened(text: &str, size: f64, bold: bool, width: f64) -> String {
    if text_width(text, size, bold) <= width {
        return text.to_owned();
    }
    let mut short = text.to_owned();
    while short.pop().is_some() {
        let with_dots = format!("{short}…");
        if text_width(&with_dots, size, bold) <= width {
            return with_dots;
        }
    }
    short
}
