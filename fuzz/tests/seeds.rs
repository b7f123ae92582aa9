//! The files of the corpus whose names begin with `seed-`: made here, so that all of them are our own.
//!
//! `UPDATE_CORPUS=1 cargo test -p fuzz --test seeds` writes them anew; without it, what is there must be what would be written.
//! Findings lie beside them under other names and are not touched.
#![allow(clippy::unwrap_used, missing_docs, dead_code)]

#[path = "../../jobs/image-io/tests/acquisition/builder.rs"]
mod builder;
#[path = "../../jobs/ilastik/tests/draft/mod.rs"]
mod draft;
#[path = "../../jobs/plate/tests/common/samples.rs"]
mod samples;
#[path = "seeds/texts.rs"]
mod texts;

use std::collections::BTreeMap;
use std::path::Path;

use builder::Layout;
use image_io::Pixels;
use image_io::container::{ContainerWriter, ImageOptions, VisibleType};
use image_io::table::Table;

/// Seeds by target and name.
type Seeds = BTreeMap<(&'static str, String), Vec<u8>>;

fn add(seeds: &mut Seeds, target: &'static str, name: &str, bytes: impl Into<Vec<u8>>) {
    let twice = seeds.insert((target, format!("seed-{name}")), bytes.into());
    assert!(twice.is_none(), "{target}/{name} is there twice");
}

fn values(count: usize, bits: usize) -> Vec<u64> {
    let mask = if bits == 64 {
        u64::MAX
    } else {
        (1 << bits) - 1
    };
    (0..count as u64)
        .map(|i| (i * i * 7 + i / 3) & mask)
        .collect()
}

fn tiffs(seeds: &mut Seeds) {
    let page = |bits: usize, format, samples: usize| Layout {
        height: 9,
        width: 11,
        samples,
        bits,
        format,
        values: values(99 * samples, bits),
        chunk: (4, None),
        ..Layout::default()
    };
    for compression in [1, 5, 8, 32_773] {
        for (name, layout) in [
            ("u8", page(8, 1, 1)),
            (
                "u16-predictor",
                Layout {
                    predictor: 2,
                    big_endian: true,
                    ..page(16, 1, 1)
                },
            ),
            (
                "f32-predictor",
                Layout {
                    predictor: 3,
                    ..page(32, 3, 1)
                },
            ),
            (
                "rgb-tiles",
                Layout {
                    chunk: (8, Some(16)),
                    ..page(8, 1, 3)
                },
            ),
            (
                "planar-12-bits",
                Layout {
                    planar: true,
                    ..page(12, 1, 2)
                },
            ),
        ] {
            let layout = Layout {
                compression,
                ..layout
            };
            add(
                seeds,
                "tiff",
                &format!("{name}-{compression}"),
                Layout::file(&[layout]),
            );
        }
    }
    add(
        seeds,
        "tiff",
        "bits",
        Layout::file(&[Layout {
            reversed_bits: true,
            ..page(1, 1, 1)
        }]),
    );
    add(seeds, "tiff", "half", Layout::file(&[page(16, 3, 1)]));
    add(seeds, "tiff", "float24", Layout::file(&[page(24, 3, 1)]));
    add(
        seeds,
        "tiff",
        "bigtiff-pages",
        Layout::file(&vec![
            Layout {
                bigtiff: true,
                ..page(8, 1, 1)
            };
            3
        ]),
    );
    let stack = "ImageJ=1.53t\nimages=6\nchannels=2\nslices=3\nhyperstack=true\nunit=micron\n";
    add(
        seeds,
        "tiff",
        "imagej",
        Layout::file(&vec![
            Layout {
                tags: vec![(270, stack.into())],
                ..page(8, 1, 1)
            };
            2
        ]),
    );
    // No encoder for these: the bytes are a start for the fuzzer.
    for (name, compression, data) in [
        ("jpeg", 7_u16, texts::JPEG),
        ("fax", 4, &[0x00, 0x10, 0x01, 0xff, 0x12]),
    ] {
        let bits = if compression == 4 { 1 } else { 8 };
        let mut bytes = Layout::file(&[Layout {
            chunk: (9, None),
            values: values(99, bits),
            ..page(bits, 1, 1)
        }]);
        let at = bytes.len() as u32;
        patch(&mut bytes, 259, compression.into());
        patch(&mut bytes, 273, at);
        patch(&mut bytes, 279, data.len() as u32);
        bytes.extend(data);
        add(seeds, "tiff", name, bytes);
    }
}

/// Sets the value of a tag that lies in its entry (little-endian, classic).
fn patch(bytes: &mut [u8], tag: u16, value: u32) {
    let count = u16::from_le_bytes([bytes[8], bytes[9]]);
    let at = (0..usize::from(count))
        .map(|i| 10 + 12 * i)
        .find(|at| bytes[*at..at + 2] == tag.to_le_bytes())
        .unwrap();
    bytes[at + 2..at + 4].copy_from_slice(&4_u16.to_le_bytes());
    bytes[at + 8..at + 12].copy_from_slice(&value.to_le_bytes());
}

fn pngs(seeds: &mut Seeds) {
    use png::{BitDepth as D, ColorType as C};
    for (name, colour, depth, bytes) in [
        ("grey8", C::Grayscale, D::Eight, 9),
        ("grey16", C::Grayscale, D::Sixteen, 18),
        ("grey1", C::Grayscale, D::One, 2),
        ("grey4", C::Grayscale, D::Four, 5),
        ("rgb", C::Rgb, D::Eight, 27),
        ("rgba16", C::Rgba, D::Sixteen, 72),
        ("palette", C::Indexed, D::Two, 3),
    ] {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, 9, 7);
        encoder.set_color(colour);
        encoder.set_depth(depth);
        if colour == C::Indexed {
            encoder.set_palette(vec![1; 12]);
        }
        encoder.add_text_chunk("Title".into(), "x".into()).unwrap();
        encoder
            .add_ztxt_chunk("More".into(), "y".repeat(300))
            .unwrap();
        let data: Vec<u8> = (0..bytes * 7).map(|i| (i * 37) as u8).collect();
        encoder
            .write_header()
            .unwrap()
            .write_image_data(&data)
            .unwrap();
        add(seeds, "png", name, file);
    }
}

/// A folder as the target `n5` unpacks it: each file as the length of its name, its name, its length, its bytes.
fn pack(root: &Path) -> Vec<u8> {
    let mut open = vec![root.to_owned()];
    let mut files = BTreeMap::new();
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap();
                files.insert(name.to_owned(), std::fs::read(&path).unwrap());
            }
        }
    }
    let mut packed = Vec::new();
    for (name, bytes) in files {
        packed.push(u8::try_from(name.len()).unwrap());
        packed.extend(name.as_bytes());
        packed.extend(u16::try_from(bytes.len()).unwrap().to_le_bytes());
        packed.extend(bytes);
    }
    packed
}

fn containers(seeds: &mut Seeds) {
    for extension in ["h5", "n5"] {
        written_here(seeds, extension);
    }
    of_others(seeds);

    // Without compression, so that a changed byte is a changed value.
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    put(
        "attributes.json",
        br#"{"n5":"2.0.0","version":3,"list":[1,2.5,null]}"#,
    );
    put(
        "plain/attributes.json",
        br#"{"dimensions":[3,2],"blockSize":[2,2],"dataType":"int16","compression":{"type":"raw"}}"#,
    );
    put(
        "plain/0/0",
        &[0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 0, 1, 0, 2, 0, 3, 0, 4],
    );
    put(
        "plain/1/0",
        &[0, 1, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2, 0, 5, 0, 6],
    );
    let text = |axes: &str| {
        format!(
            r#"{{"dimensions":[2,{axes}],"blockSize":[2,{axes}],"dataType":"uint8","compression":{{"type":"raw"}}}}"#
        )
    };
    put("tables/t/cells/attributes.json", text("1,2").as_bytes());
    put(
        "tables/t/cells/0/0/0",
        b"\0\0\0\x03\0\0\0\x02\0\0\0\x01\0\0\0\x027\08\0",
    );
    put("tables/t/columns/attributes.json", text("1").as_bytes());
    put("tables/t/columns/0/0", b"\0\0\0\x02\0\0\0\x02\0\0\0\x01id");
    add(seeds, "n5", "plain", pack(folder.path()));
}

/// Containers in both formats.
fn written_here(seeds: &mut Seeds, extension: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a").with_extension(extension);
    let (target, read): (_, fn(&Path) -> Vec<u8>) = match extension {
        "h5" => ("container", |path| std::fs::read(path).unwrap()),
        _ => ("n5", pack),
    };
    let plane =
        |side: usize| ndarray::Array2::from_shape_fn((side, side), |(y, x)| (y * 7 + x) as u16);
    let mut writer = ContainerWriter::create(&path, None).unwrap();
    let options = ImageOptions {
        scale_factors: vec![1, 2],
        ..ImageOptions::default()
    };
    writer
        .add_image("nuclei", &Pixels::U16(plane(20)), &options)
        .unwrap();
    writer
        .add_image(
            "mask",
            &Pixels::U8(plane(9).mapv(|v| (v % 2) as u8)),
            &ImageOptions::default(),
        )
        .unwrap();
    writer.commit().unwrap();
    add(seeds, target, "images", read(&path));

    let mut writer = ContainerWriter::create(&path, None).unwrap();
    let mut table = Table::default();
    table.columns.push(image_io::table::Column {
        name: "label".into(),
        values: image_io::table::Values::Int(vec![1, 2, 3]),
        visible: true,
    });
    table.columns.push(image_io::table::Column {
        name: "name".into(),
        values: image_io::table::Values::Text(vec!["a".into(), String::new(), "c".into()]),
        visible: false,
    });
    writer
        .add_table("cells/default", &table, VisibleType::U8)
        .unwrap();
    writer.commit().unwrap();
    add(seeds, target, "table", read(&path));
}

/// An HDF5 file as other programs write it.
fn of_others(seeds: &mut Seeds) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.h5");
    let file = hdf5::File::create(&path).unwrap();
    let data = ndarray::Array2::from_shape_fn((6, 5), |(y, x)| (y + x) as f32);
    file.new_dataset_builder()
        .with_data(&data)
        .create("plain")
        .unwrap();
    file.new_dataset_builder()
        .with_data(&data)
        .chunk((2, 2))
        .fletcher32()
        .create("checked")
        .unwrap();
    let group = file.create_group("soft").unwrap();
    group.link_soft("/plain", "s0").unwrap();
    group.link_hard("/", "root").unwrap();
    file.new_attr::<i32>()
        .create("version")
        .unwrap()
        .write_scalar(&3)
        .unwrap();
    drop((group, file));
    add(seeds, "container", "others", std::fs::read(&path).unwrap());
}

fn models(seeds: &mut Seeds) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ilp");
    for (name, draft) in [
        ("one-stage", draft::Draft::default()),
        (
            "two-stages",
            draft::Draft {
                workflow: "AutocontextTwoStage",
                stages: 2,
                texts: draft::Texts::FixedAscii,
                ..draft::Draft::default()
            },
        ),
    ] {
        draft::write(&draft, &path);
        add(seeds, "project", name, std::fs::read(&path).unwrap());
    }
    let path = folder.path().join("a.npy");
    let planes = [0u16, 100].map(|base| {
        Pixels::U16(ndarray::Array2::from_shape_fn((5, 7), |(y, x)| {
            base + (y * 7 + x) as u16
        }))
    });
    let planes: Vec<&Pixels> = planes.iter().collect();
    image_io::exchange::write_stack(&path, &planes, image_io::exchange::Format::Npy, true).unwrap();
    add(seeds, "array", "stack", std::fs::read(&path).unwrap());
    let header = "{'descr': '>f4', 'fortran_order': True, 'shape': (2, 3), }\n";
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.as_bytes());
    file.extend((0..6u8).flat_map(|v| f32::from(v).to_be_bytes()));
    add(seeds, "array", "fortran", file);
}

fn all() -> Seeds {
    let mut seeds = Seeds::new();
    tiffs(&mut seeds);
    pngs(&mut seeds);
    containers(&mut seeds);
    models(&mut seeds);
    add(&mut seeds, "yokogawa", "mlf", samples::MLF);
    add(
        &mut seeds,
        "yokogawa",
        "all",
        [samples::MLF, texts::WPI, texts::MRF, texts::MES].join("\n%%%%\n"),
    );
    add(&mut seeds, "operetta", "index", samples::INDEX);
    add(&mut seeds, "incell", "xdce", samples::XDCE);
    add(&mut seeds, "scanr", "experiment", samples::scanr(""));
    add(
        &mut seeds,
        "imagexpress",
        "sites",
        samples::htd(texts::HTD_SITES),
    );
    add(
        &mut seeds,
        "imagexpress",
        "stack",
        samples::htd(texts::HTD_STACK),
    );
    texts::all(&mut |target, name, text: &str| add(&mut seeds, target, name, text));
    seeds
}

#[test]
fn the_seeds_are_what_would_be_made() {
    let update = std::env::var_os("UPDATE_CORPUS").is_some();
    for ((target, name), bytes) in all() {
        let folder = fuzz::corpus().join(target);
        let path = folder.join(&name);
        if update {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&path, &bytes).unwrap();
        }
        let there = std::fs::read(&path).unwrap_or_default();
        // What libraries write may differ from version to version; then the old seed is as good.
        let comparable =
            !matches!(target, "container" | "n5" | "png" | "project") && !name.ends_with("-8");
        if comparable || there.is_empty() {
            assert!(
                there == bytes,
                "{} is not what would be made: run with UPDATE_CORPUS=1",
                path.display()
            );
        }
    }
}

/// A seed that is refused at once teaches the fuzzer nothing.
#[test]
fn seeds_are_sound() {
    let folder = tempfile::tempdir().unwrap();
    for ((target, name), bytes) in all() {
        let path = folder.path().join(&name);
        std::fs::write(&path, &bytes).unwrap();
        let sound = match target {
            "tiff" | "png" => image_io::acquisition::probe(&path).is_ok(),
            "container" => image_io::container::Container::open(&path).is_ok(),
            "project" => ilastik::Project::open(&path).is_ok_and(|p| p.check().is_ok()),
            "array" => {
                let axes = "yxc".parse().unwrap();
                let stack = name == "seed-stack";
                let wanted = image_io::exchange::Wanted {
                    channel: stack.then_some(0),
                    axes: stack.then_some(&axes),
                    ..image_io::exchange::Wanted::default()
                };
                image_io::exchange::read_plane(&path, &wanted).is_ok()
            }
            "mapping" => plate::ChannelMapping::parse(&path, &bytes).is_ok(),
            "workflow" => {
                config::WorkflowFile::from_str(std::str::from_utf8(&bytes).unwrap(), folder.path())
                    .is_ok()
            }
            "config" => config::DaemonConfig::load(config::LoadOptions::new().file(&path)).is_ok(),
            "to_worker" => bytes
                .split(|b| *b == b'\n')
                .all(|line| serde_json::from_slice::<worker::ToWorker>(line).is_ok()),
            "from_worker" => bytes
                .split(|b| *b == b'\n')
                .all(|line| serde_json::from_slice::<worker::FromWorker>(line).is_ok()),
            _ => true,
        };
        assert!(sound, "{target}/{name}");
    }
}
