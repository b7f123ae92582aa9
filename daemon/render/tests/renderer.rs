//! Pictures, labels and tables of real containers, in both formats.
#![allow(clippy::unwrap_used, missing_docs)]

use std::path::{Path, PathBuf};

use image_io::Pixels;
use image_io::container::{Color as Shown, ContainerWriter, ImageOptions, VisibleType};
use image_io::table::{Column, Table};
use ndarray::Array2;
use render::Renderer;
use serde_json::Value;
use viewer::{
    Answer, Ask, Channel, Color, Encoding, ErrorClass, Overlay, OverlayStyle, Part, Question,
    Refusal, TILE, TableFormat,
};

/// More than a tile in both directions, and no multiple of one.
const SHAPE: (usize, usize) = (TILE + 40, TILE + 70);

fn gray() -> Array2<u16> {
    Array2::from_shape_fn(SHAPE, |(y, x)| ((y * 7 + x * 3) % 1001) as u16)
}

/// Objects of 20 x 20 pixels that touch, some across the edges of tiles.
fn labels() -> Array2<u32> {
    Array2::from_shape_fn(SHAPE, |(y, x)| (y / 20 * 100 + x / 20) as u32)
}

fn container(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    let mut writer = ContainerWriter::create(&path, None).unwrap();
    let look = |color, visible| ImageOptions {
        color: Some(color),
        visible,
        scale_factors: vec![1, 2, 4],
        ..ImageOptions::default()
    };
    writer
        .add_image("dna", &Pixels::U16(gray()), &look(Shown::Blue, true))
        .unwrap();
    let inverse = gray().mapv(|v| 1000.0 - f32::from(v));
    writer
        .add_image("tubulin", &Pixels::F32(inverse), &look(Shown::Green, false))
        .unwrap();
    writer
        .add_image(
            "cells",
            &Pixels::U32(labels()),
            &look(Shown::Glasbey, false),
        )
        .unwrap();
    let small = Pixels::U16(Array2::zeros((8, 8)));
    writer
        .add_image("small", &small, &look(Shown::White, false))
        .unwrap();
    let table = Table {
        columns: vec![
            Column::int("label_id", vec![1, 2, 3]),
            Column::float("area", vec![4.0, f64::NAN, 1.5]),
        ],
    };
    writer
        .add_table("cells/objects", &table, VisibleType::U8)
        .unwrap();
    writer.commit().unwrap();
    path
}

fn ask(path: &Path, ask: Ask) -> Result<Answer, Refusal> {
    Renderer::default().answer(&Question {
        path: path.to_owned(),
        ask,
    })
}

fn channel(image: &str, limits: (f64, f64), color: Color) -> Channel {
    Channel {
        image: image.to_owned(),
        limits: Some(limits),
        color: Some(color),
    }
}

fn picture(
    path: &Path,
    part: Part,
    channels: Vec<Channel>,
    overlays: Vec<Overlay>,
) -> Result<(usize, usize, Vec<[u8; 3]>), Refusal> {
    let answer = ask(
        path,
        Ask::Picture {
            part,
            channels,
            overlays,
            encoding: Encoding::Png,
        },
    )?;
    assert_eq!(answer.kind, "image/png");
    let mut reader = png::Decoder::new(std::io::Cursor::new(answer.bytes))
        .read_info()
        .unwrap();
    let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut bytes).unwrap();
    let pixels = match info.color_type {
        png::ColorType::Rgb => bytes.as_chunks::<3>().0.to_vec(),
        _ => bytes.iter().map(|v| [*v; 3]).collect(),
    };
    Ok((info.height as usize, info.width as usize, pixels))
}

fn formats() -> Vec<(tempfile::TempDir, PathBuf)> {
    ["a.h5", "a.n5"]
        .map(|name| {
            let folder = tempfile::tempdir().unwrap();
            let path = container(folder.path(), name);
            (folder, path)
        })
        .into()
}

/// The whole picture at full resolution is the tiles side by side, and both are what the formula says.
#[test]
fn channels_are_added_up_as_light() {
    let red = channel("dna", (0.0, 1000.0), Color(255, 0, 0));
    let cyan = channel("tubulin", (500.0, 1000.0), Color(0, 128, 255));
    let expected = |y: usize, x: usize| {
        let value = f64::from(gray()[(y, x)]);
        let r = value / 1000.0;
        let c = ((1000.0 - value - 500.0) / 500.0).clamp(0.0, 1.0);
        [r * 255.0, c * 128.0, c * 255.0]
    };
    for (_folder, path) in formats() {
        let channels = || vec![red.clone(), cyan.clone()];
        let (height, width, whole) = picture(&path, Part::Whole(4096), channels(), vec![]).unwrap();
        assert_eq!((height, width), SHAPE);
        for (row, column) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let part = Part::Tile {
                level: 0,
                row,
                column,
            };
            let (h, w, tile) = picture(&path, part, channels(), vec![]).unwrap();
            assert_eq!((h, w), ([TILE, 40][row], [TILE, 70][column]));
            for (i, pixel) in tile.iter().enumerate() {
                let (y, x) = (row * TILE + i / w, column * TILE + i % w);
                assert_eq!(*pixel, whole[y * width + x], "{y} {x}");
            }
        }
        for (y, x) in [(0, 0), (3, 5), (100, 200), (551, 581)] {
            for (value, wanted) in whole[y * width + x].iter().zip(expected(y, x)) {
                assert!((f64::from(*value) - wanted).abs() <= 0.51, "{y} {x}");
            }
        }
    }
}

#[test]
fn what_is_not_said_is_taken_from_the_viewer_attributes() {
    for (_folder, path) in formats() {
        let (height, width, pixels) = picture(&path, Part::Whole(100), vec![], vec![]).unwrap();
        assert_eq!((height, width), (95, 100));
        assert!(
            pixels.iter().all(|[r, g, _]| *r == 0 && *g == 0),
            "only the visible blue channel"
        );
        assert!(pixels.iter().any(|[.., b]| *b > 200));
        let (_, _, one) = picture(&path, Part::Whole(1), vec![], vec![]).unwrap();
        assert_eq!(one.len(), 1);
    }
}

#[test]
fn outlines_do_not_end_at_the_edges_of_tiles() {
    for (_folder, path) in formats() {
        for style in [OverlayStyle::Outline, OverlayStyle::Fill] {
            let overlay = || Overlay {
                image: "cells".to_owned(),
                style,
            };
            let black = || vec![channel("dna", (1e9, 2e9), Color(255, 255, 255))];
            let (_, width, whole) =
                picture(&path, Part::Whole(4096), black(), vec![overlay()]).unwrap();
            for (row, column) in [(0, 0), (0, 1), (1, 1)] {
                let part = Part::Tile {
                    level: 0,
                    row,
                    column,
                };
                let (_, w, tile) = picture(&path, part, black(), vec![overlay()]).unwrap();
                for (i, pixel) in tile.iter().enumerate() {
                    let (y, x) = (row * TILE + i / w, column * TILE + i % w);
                    assert_eq!(*pixel, whole[y * width + x], "{style:?} {y} {x}");
                }
            }
            let inside = whole[30 * width + 30];
            assert_eq!(inside == [0; 3], style == OverlayStyle::Outline);
        }
    }
}

#[test]
fn labels_are_the_numbers_of_the_level() {
    for (_folder, path) in formats() {
        for (level, row, column) in [(0, 1, 1), (1, 0, 0), (2, 0, 0)] {
            let image = "cells".to_owned();
            let answer = ask(
                &path,
                Ask::Labels {
                    image,
                    level,
                    row,
                    column,
                },
            )
            .unwrap();
            let found: Vec<u32> = answer
                .bytes
                .as_chunks::<4>()
                .0
                .iter()
                .map(|b| u32::from_le_bytes(*b))
                .collect();
            let container = image_io::container::Container::open(&path).unwrap();
            let whole = container
                .read_image("cells", level)
                .unwrap()
                .to_labels()
                .unwrap();
            let (height, width) = whole.dim();
            let (rows, columns) = (
                row * TILE..height.min(row * TILE + TILE),
                column * TILE..width.min(column * TILE + TILE),
            );
            let expected: Vec<u32> = rows
                .flat_map(|y| columns.clone().map(move |x| (y, x)))
                .map(|at| whole[at])
                .collect();
            assert_eq!(found, expected, "level {level}");
        }
    }
}

#[test]
fn contents_tell_how_images_are_first_shown() {
    for (_folder, path) in formats() {
        let answer = ask(&path, Ask::Contents).unwrap();
        let contents: Value = serde_json::from_slice(&answer.bytes).unwrap();
        let image = |name: &str| {
            contents["images"]
                .as_array()
                .unwrap()
                .iter()
                .find(|i| i["name"] == name)
                .unwrap()
                .clone()
        };
        assert_eq!(image("cells")["kind"], "labels");
        assert_eq!(image("dna")["color"], "0000ff");
        assert_eq!(
            (&image("dna")["shown"], &image("tubulin")["shown"]),
            (&Value::from(true), &Value::from(false))
        );
        assert_eq!(image("dna")["levels"].as_array().unwrap().len(), 3);
        assert!(image("dna")["limits"][1].as_f64().unwrap() > 900.0);
        assert_eq!(
            contents["tables"],
            serde_json::json!([{ "labels": "cells", "name": "cells/objects" }])
        );
    }
}

#[test]
fn what_is_not_there_or_does_not_fit_is_told() {
    let (_folder, path) = formats().remove(0);
    let class = |refused: Result<Answer, Refusal>| refused.unwrap_err().class;
    let of = |image: &str| channel(image, (0.0, 1.0), Color(255, 255, 255));
    let refused = |part, channels| picture(&path, part, channels, vec![]).unwrap_err();
    assert_eq!(
        refused(Part::Whole(9), vec![of("x")]).class,
        ErrorClass::Missing
    );
    let tile =
        |level, row, column| refused(Part::Tile { level, row, column }, vec![of("dna")]).class;
    assert_eq!(tile(3, 0, 0), ErrorClass::Missing);
    assert_eq!(tile(0, 2, 0), ErrorClass::Missing);
    assert_eq!(tile(0, 0, usize::MAX), ErrorClass::Missing);
    let mixed = refused(Part::Whole(9), vec![of("dna"), of("small")]);
    assert_eq!(mixed.class, ErrorClass::Unsuitable);
    assert!(mixed.detail.contains("`small` 8 x 8"), "{}", mixed.detail);
    let labels = |image: &str| {
        let image = image.to_owned();
        class(ask(
            &path,
            Ask::Labels {
                image,
                level: 0,
                row: 0,
                column: 0,
            },
        ))
    };
    assert_eq!(labels("tubulin"), ErrorClass::Unsuitable);
    assert_eq!(labels("x"), ErrorClass::Missing);
    let table = |name: &str| Ask::Table {
        name: name.to_owned(),
        columns: vec![],
        sort: None,
        descending: false,
        from: 0,
        limit: 9,
        format: TableFormat::Json,
    };
    assert_eq!(class(ask(&path, table("x"))), ErrorClass::Missing);
    let rows: Value =
        serde_json::from_slice(&ask(&path, table("cells/objects")).unwrap().bytes).unwrap();
    assert_eq!(
        rows["rows"],
        serde_json::json!([[1, 4.0], [2, null], [3, 1.5]])
    );
    assert_eq!(
        class(ask(&path.join("nowhere.h5"), Ask::Contents)),
        ErrorClass::Missing
    );
    let broken = path.with_file_name("broken.h5");
    std::fs::write(&broken, &std::fs::read(&path).unwrap()[..5000]).unwrap();
    assert_eq!(class(ask(&broken, Ask::Contents)), ErrorClass::Damaged);
}

/// A container that is published anew while it is open is read anew.
#[test]
fn another_container_under_the_name_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let path = container(folder.path(), "a.h5");
    let mut renderer = Renderer::default();
    let question = Question {
        path: path.clone(),
        ask: Ask::Contents,
    };
    let before = renderer.answer(&question).unwrap();
    let mut writer = ContainerWriter::create(&path, None).unwrap();
    writer
        .add_image(
            "other",
            &Pixels::U8(Array2::zeros((4, 4))),
            &ImageOptions::default(),
        )
        .unwrap();
    writer.commit().unwrap();
    let after = renderer.answer(&question).unwrap();
    assert_ne!(before.bytes, after.bytes);
}
