//! Label images: their numbers, their colours, their outlines.

use image_io::container::Container;
use ndarray::Array2;
use serde_json::json;
use viewer::{Answer, Color, OverlayStyle, Refusal, TILE};

use crate::encode::Picture;
use crate::error::{missing, of_file, unsuitable};

/// The numbers of a tile.
pub fn tile(
    container: &Container,
    image: &str,
    level: usize,
    row: usize,
    column: usize,
) -> Result<Answer, Refusal> {
    let info = container
        .image_info(image)
        .map_err(|error| of_file(&error))?;
    let (rows, columns) = tile_ranges(&info.levels, level, row, column)?;
    let (height, width) = (rows.len(), columns.len());
    let labels = read(container, image, level, rows, columns)?;
    let bytes = labels
        .iter()
        .flat_map(|label| label.to_le_bytes())
        .collect();
    Ok(Answer {
        kind: "application/octet-stream".to_owned(),
        bytes,
        meta: json!({ "height": height, "width": width }),
    })
}

/// Rows and columns of a tile.
pub fn tile_ranges(
    levels: &[(usize, usize)],
    level: usize,
    row: usize,
    column: usize,
) -> Result<(std::ops::Range<usize>, std::ops::Range<usize>), Refusal> {
    let &(height, width) = levels.get(level).ok_or_else(|| {
        missing(
            format!("there is no level {level}: the image has {}", levels.len()),
            "levels count from 0, which is full resolution",
        )
    })?;
    let part = |i: usize, side: usize| {
        let from = i.checked_mul(TILE).filter(|from| *from < side)?;
        Some(from..side.min(from + TILE))
    };
    match (part(row, height), part(column, width)) {
        (Some(rows), Some(columns)) => Ok((rows, columns)),
        _ => Err(missing(
            format!(
                "there is no tile in row {row}, column {column} of level {level}, which has {height} x {width} pixels"
            ),
            "tiles have 512 x 512 pixels, and count from 0",
        )),
    }
}

/// Reads labels of a rectangle.
pub fn read(
    container: &Container,
    image: &str,
    level: usize,
    rows: std::ops::Range<usize>,
    columns: std::ops::Range<usize>,
) -> Result<Array2<u32>, Refusal> {
    let pixels = container
        .read_region(image, level, rows, columns)
        .map_err(|error| of_file(&error))?;
    pixels.to_labels().ok_or_else(|| {
        unsuitable(
            format!("`{image}` holds {}, not labels", pixels.pixel_type().name()),
            "name a label image: whole numbers from 0 to 4294967295",
        )
    })
}

/// Draws labels over a picture. `labels` has a margin of `before` rows and columns at its upper and left edge, and may have more at
/// the others: the neighbours of the outermost pixels.
pub fn draw(
    picture: &mut Picture,
    labels: &Array2<u32>,
    before: (usize, usize),
    style: OverlayStyle,
) {
    let (rows, columns) = labels.dim();
    for y in 0..picture.height {
        for x in 0..picture.width {
            let (ly, lx) = (y + before.0, x + before.1);
            let Some(&label) = labels.get((ly, lx)) else {
                continue;
            };
            if label == 0 {
                continue;
            }
            let at = (y * picture.width + x) * 3;
            let pixel = &mut picture.rgb[at..at + 3];
            let Color(r, g, b) = color(label);
            match style {
                OverlayStyle::Fill => {
                    for (value, of_label) in pixel.iter_mut().zip([r, g, b]) {
                        *value = value.midpoint(of_label);
                    }
                }
                OverlayStyle::Outline => {
                    // The edge of the image is no outline.
                    let differs =
                        |y: usize, x: usize| y < rows && x < columns && labels[(y, x)] != label;
                    let is_edge = (ly > 0 && differs(ly - 1, lx))
                        || differs(ly + 1, lx)
                        || (lx > 0 && differs(ly, lx - 1))
                        || differs(ly, lx + 1);
                    if is_edge {
                        pixel.copy_from_slice(&[r, g, b]);
                    }
                }
            }
        }
    }
}

/// The darkest that a channel of a label's colour may be: blue alone has a contrast of 2.4:1 to black, which is hard to see. With so
/// much of red and green it has 3:1.
const DARKEST: f64 = 49.0;

/// The colour of a label: hues a golden angle apart, so that neighbours in number are far apart in colour; never dark. The page's
/// script (`site-colors.js`) computes the same.
pub fn color(label: u32) -> Color {
    let hue = f64::from(label) * 0.618_033_988_749_895 % 1.0 * 6.0;
    let saturation = [0.85, 0.6, 1.0][(label / 7 % 3) as usize];
    let channel = |offset: f64| {
        let k = (offset + hue) % 6.0;
        let value = 1.0 - saturation * k.min(4.0 - k).clamp(0.0, 1.0);
        (value * 255.0).round().max(DARKEST) as u8
    };
    Color(channel(5.0), channel(3.0), channel(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn outlines_are_the_outermost_pixels() {
        let labels = array![
            [0, 0, 0, 0, 0],
            [0, 7, 7, 7, 9],
            [0, 7, 7, 7, 9],
            [0, 7, 7, 7, 9],
        ];
        let mut picture = Picture {
            height: 4,
            width: 5,
            rgb: vec![0; 60],
        };
        draw(&mut picture, &labels, (0, 0), OverlayStyle::Outline);
        let drawn: Vec<bool> = picture.rgb.chunks(3).map(|p| p != [0, 0, 0]).collect();
        let (o, x) = (false, true);
        assert_eq!(
            drawn,
            [o, o, o, o, o, o, x, x, x, x, o, x, o, x, x, o, x, o, x, x],
            "the lower edge of the image is no outline of 7, the right one none of 9"
        );
    }

    #[test]
    fn colours_of_neighbours_differ_and_none_is_dark() {
        for label in 1..500 {
            let Color(r, g, b) = color(label);
            let Color(r2, g2, b2) = color(label + 1);
            let apart = r.abs_diff(r2).max(g.abs_diff(g2)).max(b.abs_diff(b2));
            assert!(apart > 60, "{label}");
            assert!(r.max(g).max(b) == 255);
        }
    }

    /// Contrast to black as WCAG 2.2 defines it.
    fn contrast(Color(r, g, b): Color) -> f64 {
        let [r, g, b] = [r, g, b].map(|value| {
            let value = f64::from(value) / 255.0;
            match value <= 0.04045 {
                true => value / 12.92,
                false => ((value + 0.055) / 1.055).powf(2.4),
            }
        });
        (0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05) / 0.05
    }

    #[test]
    fn every_colour_is_seen_on_black() {
        for label in 1..20_000 {
            let contrast = contrast(color(label));
            assert!(contrast >= 3.0, "{label}: {contrast}");
        }
    }

    #[test]
    fn the_script_computes_the_same_colours() {
        // As a browser computed them with `site-colors.js`.
        for (label, red, green, blue) in [
            (1, 49, 101, 255),
            (7, 109, 255, 102),
            (14, 49, 49, 255),
            (8191, 60, 255, 49),
            (123_456, 255, 49, 49),
            (u32::MAX, 255, 49, 195),
        ] {
            assert_eq!(color(label), Color(red, green, blue), "{label}");
        }
    }
}
