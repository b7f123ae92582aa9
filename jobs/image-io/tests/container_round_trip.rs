//! HDF5 containers that are written here: what comes back, here and in h5py, and those of other programs.
#![allow(clippy::unwrap_used)]

mod container_support;

use container_support::{SHAPES, TYPES, bytes, plane, python, run_python, table, write};
use image_io::container::{
    Attribute, Color, Container, ContainerWriter, ImageOptions, VisibleType, inspect,
    pyramid_levels, read_attributes, read_dataset_2d,
};
use image_io::table::Column;
use image_io::{ErrorClass, PixelType, Pixels};
use ndarray::Array2;

#[test]
fn all_types_and_odd_sizes_come_back_here_and_in_h5py() {
    let folder = tempfile::tempdir().unwrap();
    let mut expected = Vec::new();
    for (i, shape) in SHAPES.into_iter().enumerate() {
        let path = folder.path().join(format!("{i}.h5"));
        let planes: Vec<_> = TYPES.map(|t| (t.name(), plane(t, shape))).into();
        write(
            &path,
            &planes.iter().map(|(n, p)| (*n, p)).collect::<Vec<_>>(),
        );
        let container = Container::open(&path).unwrap();
        for (name, pixels) in &planes {
            assert_eq!(&container.read_image(name, 0).unwrap(), pixels);
            let levels = pyramid_levels(pixels, &[1, 2, 4, 8, 16], false);
            for (level, reduced) in levels.iter().enumerate() {
                assert_eq!(&container.read_image(name, level + 1).unwrap(), reduced);
            }
            let info = container.image_info(name).unwrap();
            assert_eq!(
                (info.shape, info.pixel_type, info.levels.len()),
                (shape, pixels.pixel_type(), 5)
            );
            for (level, reduced) in std::iter::once(pixels).chain(&levels).enumerate() {
                expected.push((
                    i,
                    format!("{name}/s{level}"),
                    libdeflater::crc32(&bytes(reduced)),
                ));
            }
        }
    }
    let Some(python) = python() else { return };
    let script = r"
import h5py, sys, zlib, os
for i in range(int(sys.argv[2])):
    with h5py.File(os.path.join(sys.argv[1], f'{i}.h5'), 'r') as f:
        for name in f:
            for level in f[name]:
                d = f[name][level]
                assert d.chunks == tuple(min(256, n) for n in d.shape), d.chunks
                assert d.compression == 'gzip' and d.maxshape == d.shape and d.dtype == name
                print(i, f'{name}/{level}', zlib.crc32(d[()].tobytes()))";
    let count = SHAPES.len().to_string();
    let printed = run_python(
        &python,
        script,
        &[folder.path().as_os_str(), count.as_ref()],
    );
    let mut found: Vec<_> = printed.lines().map(str::to_owned).collect();
    let mut wanted: Vec<_> = expected
        .iter()
        .map(|(i, n, c)| format!("{i} {n} {c}"))
        .collect();
    found.sort();
    wanted.sort();
    assert_eq!(found, wanted);
}

#[test]
fn attributes_have_the_types_that_h5py_writes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.h5");
    let mut writer = ContainerWriter::create(&path, None).unwrap();
    let options = ImageOptions {
        scale_factors: vec![1, 2],
        color: Some(Color::Blue),
        visible: true,
        alpha: 0.5,
        channel_information: Some("DAPI µ".to_owned()),
        attributes: vec![("task_key".to_owned(), Attribute::from("x".repeat(100_000)))],
        ..ImageOptions::default()
    };
    writer
        .add_image(
            "nuclei",
            &Pixels::U16(Array2::from_elem((9, 9), 7)),
            &options,
        )
        .unwrap();
    writer
        .set_attribute("texts", &Attribute::Texts(vec!["a".into(), "b".into()]))
        .unwrap();
    writer.commit().unwrap();
    let info = Container::open(&path)
        .unwrap()
        .image_info("nuclei")
        .unwrap();
    let names: Vec<_> = info.attributes.iter().map(|(n, _)| n.as_str()).collect();
    assert_eq!(
        names,
        [
            "Alpha",
            "ChannelInformation",
            "Color",
            "ContrastLimits",
            "ScaleFactors",
            "Skip",
            "Visible",
            "task_key"
        ]
    );
    assert_eq!(
        info.attribute("ContrastLimits"),
        Some(&Attribute::Floats(vec![7.0, 7.0]))
    );
    assert_eq!(
        info.attribute("ChannelInformation"),
        Some(&Attribute::from("DAPI µ"))
    );
    let Some(python) = python() else { return };
    let script = r"
import h5py, sys, numpy as np
f = h5py.File(sys.argv[1], 'r'); a = f['nuclei'].attrs
assert a['Color'] == 'Blue' and h5py.check_string_dtype(a.get_id('Color').dtype).encoding == 'utf-8'
assert h5py.check_string_dtype(a.get_id('Color').dtype).length is None
assert isinstance(a['Visible'], np.bool_) and a['Visible'] and isinstance(a['Skip'], np.bool_) and not a['Skip']
assert a['Alpha'].dtype == 'float64' and a['Alpha'] == 0.5 and a['Alpha'].shape == ()
assert a['ScaleFactors'].dtype == 'int64' and list(a['ScaleFactors']) == [1, 2]
assert a['ContrastLimits'].dtype == 'float64' and list(a['ContrastLimits']) == [7, 7]
assert a['ChannelInformation'] == 'DAPI µ' and len(a['task_key']) == 100000
assert list(f.attrs['texts']) == ['a', 'b']
print('ok')";
    assert_eq!(
        run_python(&python, script, &[path.as_os_str()]).trim(),
        "ok"
    );
}

#[test]
fn h5py_sees_the_text_form_and_its_changes_count() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.h5");
    let mut writer = ContainerWriter::create(&path, None).unwrap();
    writer.add_table("t", &table(4), VisibleType::U8).unwrap();
    writer.commit().unwrap();
    let script = r"
import h5py, sys
with h5py.File(sys.argv[1], 'r+') as f:
    g = f['tables/t']
    assert g['cells'].dtype == 'S100' and g['columns'].dtype == 'S100' and g['visible'].dtype == 'uint8'
    assert [c.decode() for c in g['columns']] == ['label_id', 'a/b', 'a/b', 'type'], g['columns'][()]
    assert list(g['visible']) == [1, 0, 1, 1]
    assert [c.decode() for c in g['cells'][1]] == ['1', '0.3333333333333333', '1e-07', 'too_small'], g['cells'][1]
    assert g['cells'][0, 2] == b'nan'
    assert list(f['typed/t/label_id']) == [0, 1, 2, 3] and f['typed/t/type'][2].decode() == 'größer'
    cells = g['cells'][()]; cells[:, 0] = [b'10', b'11', b'12', b'13']; g['cells'][...] = cells
print('ok')";
    assert_eq!(
        run_python(&python, script, &[path.as_os_str()]).trim(),
        "ok"
    );
    let read = Container::open(&path).unwrap().read_table("t").unwrap();
    assert_eq!(
        read.column("label_id"),
        Some(&Column::int("label_id", vec![10, 11, 12, 13]))
    );
}

#[test]
fn damaged_files_are_named_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.h5");
    let image = plane(PixelType::U16, (600, 600));
    write(&path, &[("x", &image)]);
    let whole = std::fs::read(&path).unwrap();
    let mut refused = 0;
    for cut in [0, 7, 100, 2048, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&path, &whole[..cut]).unwrap();
        let error = Container::open(&path)
            .and_then(|c| c.read_image("x", 0))
            .unwrap_err();
        assert_eq!(
            error.class(),
            ErrorClass::Permanent,
            "cut at {cut}: {error}"
        );
        assert!(error.to_string().contains("a.h5"));
        refused += 1;
    }
    assert_eq!(refused, 6);
    // A flipped byte in a chunk is found by the checksum, or leads to an error of the structure, never to a panic.
    for at in (0..whole.len()).step_by(whole.len() / 97) {
        let mut flipped = whole.clone();
        flipped[at] ^= 0x55;
        std::fs::write(&path, &flipped).unwrap();
        if let Ok(read) = Container::open(&path).and_then(|c| c.read_image("x", 0)) {
            assert_eq!(read, image, "byte {at} was flipped and not noticed");
        }
    }
    std::fs::write(&path, "this is no HDF5 file").unwrap();
    assert!(inspect(&path).unwrap_err().to_string().contains("damaged"));
}

#[test]
fn files_of_other_programs_are_read() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.h5");
    let script = r"
import h5py, sys, numpy as np
a = np.arange(12, dtype='int16').reshape(3, 4)
with h5py.File(sys.argv[1], 'w') as f:
    f['big'] = a.astype('>i2')
    f.create_dataset('lzf', data=np.zeros((64, 64), 'uint8'), compression='lzf')
    f.create_dataset('fletcher', data=a, compression='gzip', fletcher32=True, chunks=(2, 3))
    f.create_dataset('plain', data=a, chunks=(2, 3))
    f.create_dataset('sparse', shape=(5, 5), dtype='uint8', chunks=(2, 2), fillvalue=9)
    f['sparse'][0, 0] = 1
    f['bool'] = a > 4
    f['group/deep'] = a.astype('float64')
    f['cube'] = np.zeros((2, 2, 2)); f['text'] = 'words'
    f['group'].attrs['offset'] = np.int32(550); f.attrs['image_shape'] = [3, 4]
    f['group'].attrs['flags'] = np.array([True, False]); f['group'].attrs['empty'] = h5py.Empty('f')
    f['group'].attrs['fixed'] = np.bytes_('abc')
    f['soft'] = h5py.SoftLink('/group/deep'); f['dangling'] = h5py.SoftLink('/nowhere')
    f.create_dataset('huge', shape=(1 << 40, 1 << 20), dtype='uint8', chunks=(256, 256))
    f['table'] = np.zeros(3, dtype=[('a', 'i4'), ('b', 'S5')])";
    run_python(&python, script, &[path.as_os_str()]);
    let counted = Array2::from_shape_fn((3, 4), |(y, x)| (4 * y + x) as i16);
    for name in ["big", "fletcher", "plain"] {
        assert_eq!(
            read_dataset_2d(&path, name).unwrap(),
            Pixels::I16(counted.clone()),
            "{name}"
        );
    }
    let deep = Pixels::F64(counted.mapv(f64::from));
    assert_eq!(read_dataset_2d(&path, "group/deep").unwrap(), deep);
    assert_eq!(read_dataset_2d(&path, "soft").unwrap(), deep);
    assert_eq!(
        read_dataset_2d(&path, "bool").unwrap(),
        Pixels::U8(counted.mapv(|v| u8::from(v > 4)))
    );
    let Pixels::U8(sparse) = read_dataset_2d(&path, "sparse").unwrap() else {
        panic!()
    };
    assert_eq!((sparse[[0, 0]], sparse[[0, 1]], sparse[[4, 4]]), (1, 9, 9));
    for (name, words) in [
        ("cube", "3 dimensions"),
        ("text", "string"),
        ("huge", "cannot be true"),
        ("nothing", "no dataset"),
        ("lzf", "filter"),
    ] {
        let error = read_dataset_2d(&path, name).unwrap_err().to_string();
        assert!(error.contains(words), "{name}: {error}");
    }
    assert!(read_dataset_2d(&path, "dangling").is_err());
    let attributes = read_attributes(&path, "group").unwrap();
    let wanted = [
        ("empty", Attribute::Unreadable("empty".to_owned())),
        ("fixed", Attribute::from("abc")),
        ("flags", Attribute::Ints(vec![1, 0])),
        ("offset", Attribute::Int(550)),
    ];
    assert_eq!(attributes, wanted.map(|(n, v)| (n.to_owned(), v)));
    assert_eq!(
        read_attributes(&path, "/").unwrap(),
        [("image_shape".to_owned(), Attribute::Ints(vec![3, 4]))]
    );
    let json = serde_json::to_string(&inspect(&path).unwrap()).unwrap();
    for part in [
        "compound {a: int32, b: S5}",
        "\"soft_link\"",
        "\"filters\":[\"lzf\"]",
        "int16 big-endian",
        "fletcher32",
    ] {
        assert!(json.contains(part), "{part} is not in {json}");
    }
    // Everything is carried over, exact types included.
    let copy = folder.path().join("b.h5");
    ContainerWriter::create(&copy, Some(&path))
        .unwrap()
        .commit()
        .unwrap();
    let differs = run_python(
        &python,
        r"
import h5py, sys
a, b = h5py.File(sys.argv[1], 'r'), h5py.File(sys.argv[2], 'r')
assert sorted(a) == sorted(b), sorted(b)
assert b.get('dangling', getlink=True).path == '/nowhere' and (a['table'][()] == b['table'][()]).all()
for n in ('image_shape',): assert a.attrs.get_id(n).dtype == b.attrs.get_id(n).dtype
assert b['group'].attrs['offset'].dtype == 'int32' and b['group'].attrs['fixed'] == b'abc'
assert (a['lzf'][()] == b['lzf'][()]).all() and b['sparse'][4, 4] == 9
print('same')",
        &[path.as_os_str(), copy.as_os_str()],
    );
    assert_eq!(differs.trim(), "same");
}

#[test]
fn a_file_that_another_program_changes_is_refused_for_now() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.h5");
    write(&path, &[("x", &plane(PixelType::U8, (9, 9)))]);
    let script = r"
import h5py, sys
f = h5py.File(sys.argv[1], 'r+')
print('open', flush=True)
sys.stdin.read()";
    let mut child = std::process::Command::new(python)
        .args(["-c", script])
        .arg(&path)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(
        &mut std::io::BufReader::new(child.stdout.take().unwrap()),
        &mut line,
    )
    .unwrap();
    assert_eq!(line.trim(), "open");
    let error = Container::open(&path).unwrap_err();
    assert_eq!(error.class(), ErrorClass::Transient, "{error}");
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
    Container::open(&path).unwrap();
}
