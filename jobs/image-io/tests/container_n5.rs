//! N5 folders: other programs read ours, we read theirs, and what cannot be is refused.
#![allow(clippy::unwrap_used)]

mod container_support;

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use container_support::{SHAPES, TYPES, bytes, plane, run_python, table, write};
use image_io::container::{
    Attribute, Container, ContainerWriter, ImageOptions, VisibleType, inspect, recover,
};
use image_io::publish::{Leftovers, remove_leftovers};
use image_io::{Error, ErrorClass, PixelType, Pixels};
use ndarray::{Array2, array};

/// A Python in which these statements work, or `None` with a note.
fn python_with(statements: &str) -> Option<PathBuf> {
    let python = std::env::var_os("WELLSPRING_PYTHON")
        .map_or_else(|| PathBuf::from("python3"), PathBuf::from);
    let works = Command::new(&python)
        .args(["-c", statements])
        .output()
        .is_ok_and(|o| o.status.success());
    if !works {
        println!("skipped: no Python in which `{statements}` works (set WELLSPRING_PYTHON)");
        return None;
    }
    Some(python)
}

fn script(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/readers");
    fs::read_to_string(folder.join(name)).unwrap()
}

/// A container with images of all types and a table, and a line for each level as the readers print it.
fn sample(path: &Path, shape: (usize, usize)) -> Vec<String> {
    let planes = TYPES.map(|t| (t.name(), plane(t, shape)));
    let mut writer = ContainerWriter::create(path, None).unwrap();
    for (name, pixels) in &planes {
        writer
            .add_image(name, pixels, &ImageOptions::default())
            .unwrap();
    }
    writer
        .add_table("cells/properties", &table(4), VisibleType::U8)
        .unwrap();
    let commit = Attribute::from("wellspring");
    writer.set_attribute("batchlib_commit", &commit).unwrap();
    writer.commit().unwrap();
    let container = Container::open(path).unwrap();
    let mut lines = Vec::new();
    for (name, _) in &planes {
        for level in 0..5 {
            let pixels = container.read_image(name, level).unwrap();
            let (height, width) = pixels.shape();
            let sum = libdeflater::crc32(&bytes(&pixels));
            lines.push(format!("{name}/s{level} {name} {height} {width} {sum}"));
        }
    }
    lines.sort();
    lines
}

fn images_of(printed: &str) -> Vec<String> {
    let is_image = |l: &&str| {
        TYPES
            .iter()
            .any(|t| l.starts_with(&format!("{}/s", t.name())))
    };
    let mut lines: Vec<String> = printed
        .lines()
        .filter(is_image)
        .map(str::to_owned)
        .collect();
    lines.sort();
    lines
}

#[test]
fn the_standard_library_of_python_reads_it() {
    let Some(python) = python_with("import json, struct, gzip") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    for shape in SHAPES {
        let path = folder.path().join(format!("{}-{}.n5", shape.0, shape.1));
        let wanted = sample(&path, shape);
        let printed = run_python(&python, &script("n5_plain.py"), &[path.as_os_str()]);
        assert_eq!(images_of(&printed), wanted);
        for line in [
            "tables/cells/properties/cells uint8 4 4 100 ",
            "typed/cells/properties/label_id int64 4 ",
        ] {
            assert!(printed.contains(line), "{printed}");
        }
    }
}

/// What is shown to people is what was tried.
#[test]
fn the_lines_in_the_documentation_are_those_that_are_tested() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/concepts/container.md");
    let shown = fs::read_to_string(file).unwrap();
    let tested = script("n5_others.py");
    for begin in ["text = lambda", "frame = "] {
        let mut lines = shown.lines().filter(|l| l.starts_with(begin));
        let line = lines.next().unwrap();
        assert!(tested.contains(line), "{line}");
    }
}

#[test]
fn z5py_and_zarr_read_it() {
    let Some(python) =
        python_with("try:\n import z5py\nexcept ImportError:\n import zarr; zarr.N5Store")
    else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    for shape in [(257, 300), (3, 2)] {
        let path = folder.path().join(format!("{}.n5", shape.0));
        let wanted = sample(&path, shape);
        let printed = run_python(&python, &script("n5_others.py"), &[path.as_os_str()]);
        println!("{}", printed.lines().next().unwrap_or_default());
        assert_eq!(images_of(&printed), wanted);
    }
}

#[test]
fn what_z5py_writes_is_read_and_carried_over() {
    let Some(python) = python_with("import z5py") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.n5");
    let script = r"
import sys, numpy as np, z5py
f = z5py.File(sys.argv[1], mode='w')
a = np.arange(60 * 70, dtype='uint16').reshape(60, 70)
for name, compression in (('gzip', 'gzip'), ('raw', 'raw')):
    f.create_dataset(f'{name}/s0', data=a, chunks=(32, 64), compression=compression)
f.create_dataset('flat', data=a.astype('float64'), chunks=(60, 70), compression='gzip')
f.create_dataset('sparse/s0', shape=(40, 40), dtype='int16', chunks=(16, 16), compression='gzip')[20:24, 3] = -7
f.create_dataset('bzip2/s0', data=a, chunks=(32, 64), compression='bzip2')
f['gzip'].attrs['Visible'] = True; f['gzip'].attrs['Alpha'] = 1.0; f['gzip'].attrs['ScaleFactors'] = [1]
f.attrs['batchlib_commit'] = 'abc'";
    run_python(&python, script, &[path.as_os_str()]);
    let counted = Array2::from_shape_fn((60, 70), |(y, x)| (70 * y + x) as u16);
    let check = |path: &Path| {
        let container = Container::open(path).unwrap();
        for name in ["gzip", "raw"] {
            assert_eq!(
                container.read_image(name, 0).unwrap(),
                Pixels::U16(counted.clone())
            );
        }
        assert_eq!(
            container.read_image("flat", 0).unwrap(),
            Pixels::F64(counted.mapv(f64::from))
        );
        let mut sparse = Array2::<i16>::zeros((40, 40));
        sparse.slice_mut(ndarray::s![20..24, 3]).fill(-7);
        assert_eq!(
            container.read_image("sparse", 0).unwrap(),
            Pixels::I16(sparse)
        );
        let error = container.read_image("bzip2", 0).unwrap_err();
        assert!(error.to_string().contains("bzip2"), "{error}");
        assert_eq!(
            container.attributes("gzip").unwrap(),
            [
                ("Alpha".to_owned(), Attribute::Float(1.0)),
                ("ScaleFactors".to_owned(), Attribute::Ints(vec![1])),
                ("Visible".to_owned(), Attribute::Bool(true)),
            ]
        );
        assert_eq!(
            container.attribute("/", "batchlib_commit").unwrap(),
            Some(Attribute::from("abc"))
        );
        container.images().unwrap()
    };
    let names = ["bzip2", "flat", "gzip", "raw", "sparse"];
    assert_eq!(check(&path), names);
    let mut writer = ContainerWriter::create(&path, Some(&path)).unwrap();
    writer.add_table("t", &table(3), VisibleType::U8).unwrap();
    writer.commit().unwrap();
    assert_eq!(check(&path), names);
    assert!(inspect(&path).unwrap().bytes > 10_000);
}

/// Makes a dataset by hand.
fn dataset(folder: &Path, attributes: &str, blocks: &[(&str, Vec<u8>)]) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("attributes.json"), attributes).unwrap();
    for (name, bytes) in blocks {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

fn root(path: &Path) {
    fs::create_dir_all(path).unwrap();
    fs::write(path.join("attributes.json"), "{\"n5\": \"2.0.0\"}").unwrap();
}

/// Mode, then lengths from the fastest axis on.
fn head(mode: u16, lengths: &[u32]) -> Vec<u8> {
    let mut bytes = mode.to_be_bytes().to_vec();
    bytes.extend((lengths.len() as u16).to_be_bytes());
    lengths.iter().for_each(|n| bytes.extend(n.to_be_bytes()));
    bytes
}

#[test]
fn every_form_that_the_format_allows_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.n5");
    root(&path);
    let about = |compression: &str| {
        format!(
            "{{\"dimensions\": [3, 2], \"blockSize\": [2, 2], \"dataType\": \"uint16\", \"compression\": {compression}}}"
        )
    };
    let values = |list: &[u16]| {
        list.iter()
            .flat_map(|v| v.to_be_bytes())
            .collect::<Vec<u8>>()
    };
    let with = |mut head: Vec<u8>, body: &[u8]| {
        head.extend(body);
        head
    };
    let mut compressor = libdeflater::Compressor::new(libdeflater::CompressionLvl::default());
    let mut zlib = |plain: &[u8]| {
        let mut out = vec![0; 200];
        let n = compressor.zlib_compress(plain, &mut out).unwrap();
        out.truncate(n);
        out
    };
    let left = values(&[1, 2, 4, 5]);
    // The right block as the format has it, and padded to full length, as zarr writes it.
    let right = with(head(0, &[1, 2]), &values(&[3, 6]));
    let padded = with(head(0, &[2, 2]), &values(&[3, 9, 6, 9]));
    let varying = with(with(head(1, &[2, 2]), &4_u32.to_be_bytes()), &left);
    let raw = with(head(0, &[2, 2]), &left);
    dataset(
        &path.join("raw"),
        &about("{\"type\": \"raw\"}"),
        &[("0/0", raw.clone()), ("1/0", right.clone())],
    );
    dataset(
        &path.join("padded"),
        &about("{\"type\": \"raw\"}"),
        &[("0/0", varying), ("1/0", padded)],
    );
    dataset(
        &path.join("zlib"),
        &about("{\"type\": \"gzip\", \"useZlib\": true, \"level\": -1}"),
        &[
            ("0/0", with(head(0, &[2, 2]), &zlib(&left))),
            ("1/0", with(head(0, &[1, 2]), &zlib(&values(&[3, 6])))),
        ],
    );
    // What is no block is passed over; a block that is missing holds zeros.
    dataset(
        &path.join("sparse"),
        &about("{\"type\": \"raw\"}"),
        &[
            ("0/0", raw),
            ("00/0", right.clone()),
            ("2/0", right.clone()),
            ("0/x", right),
            (".0.swp", Vec::new()),
        ],
    );
    let container = Container::open(&path).unwrap();
    let whole = Pixels::U16(array![[1, 2, 3], [4, 5, 6]]);
    for name in ["raw", "padded", "zlib"] {
        assert_eq!(container.read_image(name, 0).unwrap(), whole, "{name}");
    }
    let sparse = Pixels::U16(array![[1, 2, 0], [4, 5, 0]]);
    assert_eq!(container.read_image("sparse", 0).unwrap(), sparse);
    assert_eq!(
        container.images().unwrap(),
        ["padded", "raw", "sparse", "zlib"]
    );
}

#[test]
fn half_a_copy_is_not_taken_for_a_dark_image() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.n5");
    write(&path, &[("x", &plane(PixelType::U16, (600, 600)))]);
    fs::remove_file(path.join("x/s0/1/2")).unwrap();
    let container = Container::open(&path).unwrap();
    let error = container.read_image("x", 0).unwrap_err();
    assert!(error.to_string().contains("8 of its 9 blocks"), "{error}");
    assert_eq!(error.class(), ErrorClass::Permanent);
    assert!(container.read_image("x", 1).is_ok());
    let block = path.join("x/s1/0/0");
    let bytes = fs::read(&block).unwrap();
    fs::write(&block, &bytes[..bytes.len() / 2]).unwrap();
    let error = container.read_image("x", 1).unwrap_err();
    assert!(error.to_string().contains("block [0, 0]"), "{error}");
    fs::remove_file(path.join("attributes.json")).unwrap();
    let error = Container::open(&path).unwrap_err();
    assert!(error.to_string().contains("copied in part"), "{error}");
}

#[test]
fn sizes_that_cannot_be_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.n5");
    root(&path);
    let about = |dimensions: &str, block: &str| {
        format!(
            "{{\"dimensions\": {dimensions}, \"blockSize\": {block}, \"dataType\": \"uint16\", \"compression\": {{\"type\": \"raw\"}}}}"
        )
    };
    let bomb = [head(0, &[1 << 30, 1 << 30]), vec![0; 64]].concat();
    for (name, dimensions, block, words) in [
        ("hollow", "[65536, 65536]", "[64, 64]", "bytes of it"),
        (
            "absurd",
            "[1073741824, 1073741824]",
            "[64, 64]",
            "too large",
        ),
        (
            "countless",
            "[9223372036854775807, 9223372036854775807]",
            "[1, 1]",
            "too large",
        ),
        ("bomb", "[4, 4]", "[1073741824, 1073741824]", "a block of"),
        ("negative", "[-4, 4]", "[4, 4]", "cannot be understood"),
        ("empty-block", "[4, 4]", "[0, 4]", "cannot be understood"),
        ("cube", "[4, 4, 4]", "[4, 4, 4]", "3 dimensions"),
    ] {
        dataset(
            &path.join(name),
            &about(dimensions, block),
            &[("0/0", bomb.clone())],
        );
        let container = Container::open(&path).unwrap();
        let error = container.read_image(name, 0).unwrap_err();
        assert_eq!(error.class(), ErrorClass::Permanent, "{name}: {error}");
        assert!(error.to_string().contains(words), "{name}: {error}");
        assert!(error.to_string().contains(name), "{error}");
        fs::remove_dir_all(path.join(name)).unwrap();
    }
    for version in ["9.0.0", "x"] {
        fs::write(
            path.join("attributes.json"),
            format!("{{\"n5\": \"{version}\"}}"),
        )
        .unwrap();
        let error = Container::open(&path).unwrap_err();
        assert!(matches!(error, Error::Unsupported { .. }), "{error}");
    }
}

#[test]
fn no_link_is_followed() {
    let folder = tempfile::tempdir().unwrap();
    let outside = folder.path().join("b.n5");
    write(&outside, &[("x", &plane(PixelType::U8, (4, 4)))]);
    let path = folder.path().join("a.n5");
    write(&path, &[("whole", &plane(PixelType::U8, (4, 4)))]);
    symlink(outside.join("x"), path.join("group")).unwrap();
    for (name, link) in [
        ("level", "s0"),
        ("block", "s0/0/0"),
        ("about", "s0/attributes.json"),
    ] {
        write(
            &folder.path().join("c.n5"),
            &[(name, &plane(PixelType::U8, (4, 4)))],
        );
        fs::rename(folder.path().join("c.n5").join(name), path.join(name)).unwrap();
        let link = path.join(name).join(link);
        if link.is_dir() {
            fs::remove_dir_all(&link).unwrap();
        } else {
            fs::remove_file(&link).unwrap();
        }
        symlink(
            outside.join(link.strip_prefix(path.join(name)).unwrap()),
            &link,
        )
        .unwrap();
    }
    let container = Container::open(&path).unwrap();
    assert!(container.read_image("whole", 0).is_ok());
    for name in ["group", "level", "block", "about"] {
        let error = container.read_image(name, 0).unwrap_err();
        assert!(error.to_string().contains("link"), "{name}: {error}");
        assert_eq!(error.class(), ErrorClass::Permanent, "{name}: {error}");
    }
    // Carrying over would bring the link, or what it leads to, into the new container.
    let writer = ContainerWriter::create(&path, Some(&path)).unwrap();
    let error = writer.commit().unwrap_err();
    assert!(
        error.to_string().contains("cannot be carried over"),
        "{error}"
    );
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        3,
        "nothing is left behind"
    );
    // Nor is a pipe waited for.
    let pipe = folder.path().join("d.n5");
    write(&pipe, &[("x", &plane(PixelType::U8, (4, 4)))]);
    fs::remove_file(pipe.join("x/s0/attributes.json")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        pipe.join("x/s0/attributes.json"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )
    .unwrap();
    let error = Container::open(&pipe)
        .unwrap()
        .read_image("x", 0)
        .unwrap_err();
    assert!(error.to_string().contains("device"), "{error}");
    // A file in the place of the folder is none.
    let file = folder.path().join("e.n5");
    fs::write(&file, "x").unwrap();
    assert_eq!(
        Container::open(&file).unwrap_err().class(),
        ErrorClass::Permanent
    );
}

#[test]
fn a_container_that_is_replaced_while_it_is_read_gives_no_zeros() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.n5");
    let image = plane(PixelType::U16, (300, 300));
    write(&path, &[("x", &image)]);
    let open = Container::open(&path).unwrap();
    assert!(open.read_image("x", 0).unwrap() == image);
    write(&path, &[("x", &plane(PixelType::U8, (300, 300)))]);
    for error in [
        open.read_image("x", 0).unwrap_err(),
        open.attributes("/").unwrap_err(),
        open.tables().unwrap_err(),
    ] {
        assert!(error.to_string().contains("replaced"), "{error}");
        assert_eq!(error.class(), ErrorClass::Transient);
    }
    assert!(Container::open(&path).unwrap().read_image("x", 0).is_ok());
}

/// What a writer leaves that dies between the two steps which stand for an exchange where there is none.
#[test]
fn a_container_that_is_aside_is_read_and_brought_back() {
    let folder = tempfile::tempdir().unwrap();
    let (path, aside) = (folder.path().join("a.n5"), folder.path().join(".a.n5.old"));
    let image = plane(PixelType::U16, (30, 30));
    write(&path, &[("x", &image)]);
    fs::rename(&path, &aside).unwrap();
    assert!(Container::open(&path).unwrap().read_image("x", 0).unwrap() == image);
    // The sweep waits: the writer may be at work. The next pass, which is the only writer, does not.
    let waits = Leftovers {
        removed: 0,
        kept: 1,
    };
    assert_eq!(remove_leftovers(folder.path()).unwrap(), waits);
    assert!(recover(&path).unwrap() && !aside.exists());
    assert!(!recover(&path).unwrap());
    let mut writer = ContainerWriter::create(&path, Some(&path)).unwrap();
    writer
        .add_image("y", &image, &ImageOptions::default())
        .unwrap();
    writer.commit().unwrap();
    assert_eq!(
        Container::open(&path).unwrap().images().unwrap(),
        ["x", "y"]
    );
    assert!(!recover(&folder.path().join("a.h5")).unwrap());
}

#[test]
fn another_programs_change_of_the_text_cells_counts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.n5");
    let mut writer = ContainerWriter::create(&path, None).unwrap();
    writer.add_table("t", &table(4), VisibleType::F64).unwrap();
    writer.commit().unwrap();
    // As z5py would write it, uncompressed but for the sake of a size that differs.
    let cells = path.join("tables/t/cells");
    let mut values = vec![0_u8; 4 * 4 * 100];
    for (row, value) in values.chunks_mut(400).enumerate() {
        value[..2].copy_from_slice(format!("{}", 10 + row).as_bytes());
    }
    let text = fs::read_to_string(cells.join("attributes.json")).unwrap();
    let raw = text.replace("gzip", "raw");
    fs::write(cells.join("attributes.json"), raw).unwrap();
    let mut block = fs::File::create(cells.join("0/0/0")).unwrap();
    block.write_all(&head(0, &[100, 4, 4])).unwrap();
    block.write_all(&values).unwrap();
    let read = Container::open(&path).unwrap().read_table("t").unwrap();
    assert_eq!(
        read.column("label_id"),
        Some(&image_io::table::Column::int(
            "label_id",
            vec![10, 11, 12, 13]
        ))
    );
    let visible: Vec<bool> = read.columns.iter().map(|c| c.visible).collect();
    assert_eq!(visible, [true, false, true, true]);
}
