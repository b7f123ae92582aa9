//! What holds for containers in every format: what comes back, and what becomes of the previous ones.
#![allow(clippy::unwrap_used)]

mod container_support;

use std::path::Path;

use container_support::{FORMATS, SHAPES, TYPES, assert_same, plane, table, write};
use image_io::container::{
    Attribute, Color, Container, ContainerWriter, ImageOptions, NodeKind, VisibleType, inspect,
    pyramid_levels,
};
use image_io::table::{Column, Table};
use image_io::{Error, PixelType, Pixels};
use ndarray::Array2;

#[test]
fn all_types_and_odd_sizes_come_back() {
    for name in FORMATS {
        for shape in SHAPES {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join(name);
            let planes = TYPES.map(|t| (t.name(), plane(t, shape)));
            write(&path, &planes.each_ref().map(|(n, p)| (*n, p)));
            let container = Container::open(&path).unwrap();
            let mut names = TYPES.map(PixelType::name).to_vec();
            names.sort_unstable();
            assert_eq!(container.images().unwrap(), names);
            for (name, pixels) in &planes {
                assert!(
                    &container.read_image(name, 0).unwrap() == pixels,
                    "{path:?} {name}"
                );
                let levels = pyramid_levels(pixels, &[1, 2, 4, 8, 16], false);
                for (level, reduced) in levels.iter().enumerate() {
                    assert!(&container.read_image(name, level + 1).unwrap() == reduced);
                }
                let info = container.image_info(name).unwrap();
                assert_eq!(
                    (info.shape, info.pixel_type, info.levels.len()),
                    (shape, pixels.pixel_type(), 5)
                );
            }
        }
    }
}

#[test]
fn a_rectangle_is_what_the_whole_image_has_there() {
    // Chunks have 256 pixels a side: rectangles inside one, across several, at the edges, and empty ones.
    let shape = (300, 700);
    let rectangles = [
        (0..300, 0..700),
        (0..1, 0..1),
        (255..257, 250..600),
        (299..300, 699..700),
        (10..200, 256..512),
        (7..7, 0..700),
        (0..300, 3..3),
    ];
    for name in FORMATS {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        let planes = TYPES.map(|t| (t.name(), plane(t, shape)));
        write(&path, &planes.each_ref().map(|(n, p)| (*n, p)));
        let container = Container::open(&path).unwrap();
        for (name, _) in &planes {
            for (rows, columns) in &rectangles {
                for level in 0..2 {
                    let whole = container.read_image(name, level).unwrap();
                    let (height, width) = whole.shape();
                    let rows = rows.start.min(height)..rows.end.min(height);
                    let columns = columns.start.min(width)..columns.end.min(width);
                    let part = container
                        .read_region(name, level, rows.clone(), columns.clone())
                        .unwrap();
                    assert!(
                        part == whole.crop(rows.clone(), columns.clone()),
                        "{path:?} {name} {level} {rows:?} {columns:?}"
                    );
                }
            }
            let outside = container.read_region(name, 0, 0..301, 0..1);
            assert!(matches!(outside, Err(Error::Missing { .. })), "{outside:?}");
        }
    }
}

#[test]
fn attributes_come_back() {
    for name in FORMATS {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        let mut writer = ContainerWriter::create(&path, None).unwrap();
        let long = Attribute::from("x".repeat(100_000));
        let options = ImageOptions {
            scale_factors: vec![1, 2],
            color: Some(Color::Blue),
            visible: true,
            alpha: 1.0,
            channel_information: Some("DAPI µ".to_owned()),
            attributes: vec![("task_key".to_owned(), long.clone())],
            ..ImageOptions::default()
        };
        let image = Pixels::U16(Array2::from_elem((9, 9), 7));
        writer.add_image("nuclei", &image, &options).unwrap();
        let more = [
            ("texts", Attribute::Texts(vec!["a".into(), "b".into()])),
            ("reals", Attribute::Floats(vec![1.0, -2.5])),
        ];
        for (name, value) in &more {
            writer.set_attribute(name, value).unwrap();
            assert!(
                writer.set_attribute(name, value).is_err(),
                "{name} is set twice"
            );
        }
        writer.commit().unwrap();
        let container = Container::open(&path).unwrap();
        let wanted = [
            ("Alpha", Attribute::Float(1.0)),
            ("ChannelInformation", Attribute::from("DAPI µ")),
            ("Color", Attribute::from("Blue")),
            ("ContrastLimits", Attribute::Floats(vec![7.0, 7.0])),
            ("ScaleFactors", Attribute::Ints(vec![1, 2])),
            ("Skip", Attribute::Bool(false)),
            ("Visible", Attribute::Bool(true)),
            ("task_key", long),
        ];
        let owned = |(n, v): (&str, Attribute)| (n.to_owned(), v);
        assert_eq!(container.attributes("nuclei").unwrap(), wanted.map(owned));
        let [texts, reals] = more.map(owned);
        assert_eq!(container.attributes("/").unwrap(), [reals, texts]);
        assert_eq!(container.attributes("nuclei/s0").unwrap(), []);
        assert!(matches!(
            container.attributes("absent").unwrap_err(),
            Error::Missing { .. }
        ));
    }
}

#[test]
fn tables_come_back_typed_and_as_text() {
    for name in FORMATS {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        for rows in [0, 1, 50, 30_000] {
            let mut writer = ContainerWriter::create(&path, None).unwrap();
            writer
                .add_table("cells/properties", &table(rows), VisibleType::F64)
                .unwrap();
            writer
                .add_table("empty", &Table::default(), VisibleType::U8)
                .unwrap();
            writer
                .alias_table("cells/properties", "cells/again")
                .unwrap();
            let large = writer.commit().unwrap().bytes;
            let container = Container::open(&path).unwrap();
            assert_eq!(
                container.tables().unwrap(),
                ["cells/again", "cells/properties", "empty"]
            );
            assert_same(
                &container.read_table("cells/properties").unwrap(),
                &table(rows),
            );
            assert_same(&container.read_table("cells/again").unwrap(), &table(rows));
            assert_eq!(container.read_table("empty").unwrap(), Table::default());
            assert!(large < 20_000_000, "{large}");
        }
    }
}

#[test]
fn what_is_not_replaced_is_carried_over_without_dead_space() {
    for name in FORMATS {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        let (kept, old, new) = (
            plane(PixelType::U16, (300, 300)),
            plane(PixelType::F32, (300, 300)),
            plane(PixelType::U32, (300, 310)),
        );
        let mut writer = ContainerWriter::create(&path, None).unwrap();
        for (name, pixels) in [("kept", &kept), ("replaced", &old), ("removed", &old)] {
            writer
                .add_image(name, pixels, &ImageOptions::default())
                .unwrap();
        }
        for name in ["cells/kept", "cells/replaced", "wells/removed"] {
            writer.add_table(name, &table(20), VisibleType::U8).unwrap();
        }
        writer.alias_table("cells/kept", "alias/of/kept").unwrap();
        writer
            .set_attribute("batchlib_commit", &Attribute::from("abc"))
            .unwrap();
        writer.set_attribute("changed", &Attribute::Int(1)).unwrap();
        writer.commit().unwrap();
        let mut sizes = Vec::new();
        for _ in 0..3 {
            let mut writer = ContainerWriter::create(&path, Some(&path)).unwrap();
            writer
                .add_image("replaced", &new, &ImageOptions::default())
                .unwrap();
            writer
                .add_table("cells/replaced", &table(3), VisibleType::U8)
                .unwrap();
            writer.remove_image("removed");
            writer.remove_table("wells/removed");
            writer.set_attribute("changed", &Attribute::Int(2)).unwrap();
            sizes.push(writer.commit().unwrap().bytes);
            let container = Container::open(&path).unwrap();
            assert_eq!(container.images().unwrap(), ["kept", "replaced"]);
            assert_eq!(container.read_image("kept", 0).unwrap(), kept);
            assert_eq!(container.image_info("kept").unwrap().attributes.len(), 6);
            assert_eq!(container.read_image("replaced", 0).unwrap(), new);
            assert_eq!(
                container.tables().unwrap(),
                ["alias/of/kept", "cells/kept", "cells/replaced"]
            );
            assert_same(&container.read_table("cells/kept").unwrap(), &table(20));
            assert_same(&container.read_table("alias/of/kept").unwrap(), &table(20));
            assert_same(&container.read_table("cells/replaced").unwrap(), &table(3));
            assert_eq!(
                container.attribute("/", "batchlib_commit").unwrap(),
                Some(Attribute::from("abc"))
            );
            assert_eq!(
                container.attribute("/", "changed").unwrap(),
                Some(Attribute::Int(2))
            );
        }
        assert!(
            sizes.windows(2).all(|w| w[0] == w[1]),
            "the file grows: {sizes:?}"
        );
        // In a file the alias is still one table with two names.
        let root = inspect(&path).unwrap().root;
        let NodeKind::Group { members } = &root.kind else {
            panic!()
        };
        let json = serde_json::to_string(members).unwrap();
        let links = if name == "a.h5" { 2 } else { 0 };
        assert_eq!(json.matches("hard_link").count(), links, "{json}");
        // In a folder it is the files that have several names: this one and the second table's.
        if name == "a.n5" {
            use std::os::unix::fs::MetadataExt;
            let block = path.join("tables/cells/kept/cells/0/0/0");
            assert_eq!(block.metadata().unwrap().nlink(), 2);
        }
        // Beside the container there is nothing.
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

/// All files below a folder with their bytes, or those of the file.
fn content(path: &Path) -> Vec<(String, Vec<u8>)> {
    if path.is_file() {
        return vec![(String::new(), std::fs::read(path).unwrap())];
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let inner = content(&entry.path()).into_iter();
        found.extend(inner.map(|(below, bytes)| (format!("{name}/{below}"), bytes)));
    }
    found.sort();
    found
}

#[test]
fn equal_content_gives_equal_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let image = plane(PixelType::U16, (300, 300));
    for paths in [["a.h5", "b.h5"], ["a.n5", "b.n5"]] {
        let paths = paths.map(|n| folder.path().join(n));
        for path in &paths {
            let mut writer = ContainerWriter::create(path, None).unwrap();
            writer
                .add_image("x", &image, &ImageOptions::default())
                .unwrap();
            writer.add_table("t", &table(9), VisibleType::U8).unwrap();
            writer.commit().unwrap();
        }
        assert!(content(&paths[0]) == content(&paths[1]));
    }
}

#[test]
fn nothing_appears_before_commit_and_nothing_stays_after_a_drop() {
    for name in FORMATS {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        let mut writer = ContainerWriter::create(&path, None).unwrap();
        writer
            .add_image("x", &plane(PixelType::U8, (9, 9)), &ImageOptions::default())
            .unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        drop(writer);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

#[test]
fn misuse_is_refused_with_reasons() {
    for name in FORMATS {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        let mut writer = ContainerWriter::create(&path, None).unwrap();
        let (image, options) = (plane(PixelType::U8, (9, 9)), ImageOptions::default());
        for name in ["", "a/b", "tables", "typed", "."] {
            let error = writer.add_image(name, &image, &options).unwrap_err();
            assert!(matches!(error, Error::Unsupported { .. }), "{error}");
        }
        assert!(
            writer
                .add_image("none", &Pixels::U8(Array2::zeros((0, 4))), &options)
                .is_err()
        );
        for factors in [vec![], vec![2, 4], vec![1, 4, 2]] {
            assert!(
                writer
                    .add_image(
                        "x",
                        &image,
                        &ImageOptions {
                            scale_factors: factors,
                            ..options.clone()
                        }
                    )
                    .is_err()
            );
        }
        if path.ends_with("a.n5") {
            for name in ["..", "attributes.json", &"x".repeat(256)] {
                assert!(writer.add_image(name, &image, &options).is_err(), "{name}");
                let inner = format!("a/{name}/b");
                assert!(
                    writer
                        .add_table(&inner, &table(1), VisibleType::U8)
                        .is_err(),
                    "{inner}"
                );
            }
            assert!(writer.set_attribute("n5", &Attribute::from("9.0")).is_err());
        }
        writer.add_image("x", &image, &options).unwrap();
        assert!(
            writer
                .add_image("x", &image, &options)
                .unwrap_err()
                .to_string()
                .contains("added")
        );
        let ragged = Table {
            columns: vec![Column::int("a", vec![1]), Column::int("b", vec![])],
        };
        assert!(writer.add_table("t", &ragged, VisibleType::U8).is_err());
        assert!(matches!(
            writer.alias_table("t", "u").unwrap_err(),
            Error::Missing { .. }
        ));
        writer.commit().unwrap();
        let container = Container::open(&path).unwrap();
        for missing in [
            container.read_image("y", 0).unwrap_err(),
            container.read_image("x", 9).unwrap_err(),
            container.read_table("t").unwrap_err(),
        ] {
            assert!(matches!(missing, Error::Missing { .. }), "{missing}");
        }
    }
}

#[test]
fn a_missing_previous_container_is_an_error_and_changes_nothing() {
    for name in FORMATS {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        let writer =
            ContainerWriter::create(&path, Some(&folder.path().join(format!("gone-{name}"))))
                .unwrap();
        let error = writer.commit().unwrap_err();
        assert!(matches!(error, Error::Io { .. }), "{error}");
        assert!(!path.exists());
        let other = folder.path().join(FORMATS[usize::from(name == FORMATS[0])]);
        let Err(error) = ContainerWriter::create(&path, Some(&other)) else {
            panic!("{other:?} is carried over into {path:?}")
        };
        assert!(error.to_string().contains("format"), "{error}");
    }
}
