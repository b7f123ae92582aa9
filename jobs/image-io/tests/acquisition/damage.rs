//! Foreign bytes: nothing panics, nothing asks for much memory or time, and errors say what is wrong.

use std::path::Path;

use image_io::acquisition::{ImageFile, Limits, probe, read_plane};
use image_io::{Error, ErrorClass, Result};
use proptest::prelude::*;

use crate::builder::Layout;
use crate::layouts::layout;
use crate::support::{shared, write};

const SMALL: Limits = Limits {
    max_pixels_per_plane: 1 << 20,
    max_decoded_bytes: 1 << 24,
    max_planes: 100,
    max_tag_bytes: 1 << 20,
};

fn read_everything(path: &Path) -> Result<()> {
    ImageFile::open_with(path, &SMALL)?.read_all().map(drop)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_do_not_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..400), head in 0..5_usize) {
        let head: &[u8] = [b"II*\0\x08\0\0\0".as_slice(), b"MM\0*\0\0\0\x08", b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0", b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR", b""][head];
        bytes.splice(0..0, head.iter().copied());
        let folder = tempfile::tempdir().unwrap();
        let _ = read_everything(&write(&folder, "a", &bytes));
    }

    #[test]
    fn changed_files_do_not_panic(layout in layout(), changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20)) {
        let mut bytes = Layout::file(&[layout]);
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        let folder = tempfile::tempdir().unwrap();
        let _ = read_everything(&write(&folder, "a.tif", &bytes));
    }
}

/// The real files with random bytes changed; this also reaches JPEG, fax and PNG.
#[test]
fn changed_real_files_do_not_panic() {
    let (Some(odd), Some(em)) = (shared("odd_tiff"), shared("em_isbi2012/image")) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut state = 1_u64;
    let mut random = move |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let files = ["generated", "pillow", "image-tiff"]
        .iter()
        .flat_map(|part| std::fs::read_dir(odd.join(part)).unwrap());
    let files = files
        .chain(std::fs::read_dir(em).unwrap().take(3))
        .map(|entry| entry.unwrap().path());
    let mut tried = 0;
    for path in files.filter(|path| path.is_file()) {
        let original = std::fs::read(&path).unwrap();
        for _ in 0..8 {
            let mut bytes = original.clone();
            for _ in 0..=random(6) {
                if !bytes.is_empty() {
                    // Half of the changes where the directories mostly are.
                    let range = if random(2) == 0 {
                        bytes.len()
                    } else {
                        bytes.len().min(400)
                    };
                    let at = random(range);
                    bytes[at] = random(256) as u8;
                }
            }
            let start = std::time::Instant::now();
            let _ = read_everything(&write(&folder, "a", &bytes));
            assert!(
                start.elapsed().as_secs() < 120,
                "{} took {:?}",
                path.display(),
                start.elapsed()
            );
            tried += 1;
        }
    }
    assert!(tried > 1000, "{tried}");
}

#[test]
fn errors_say_who_can_mend_them() {
    let folder = tempfile::tempdir().unwrap();
    let missing = probe(&folder.path().join("absent.tif")).unwrap_err();
    // The folder is there: the file was moved or deleted. Without the folder, the share is gone.
    assert_eq!(missing.class(), ErrorClass::Permanent);
    let unmounted = probe(&folder.path().join("gone/absent.tif")).unwrap_err();
    assert_eq!(unmounted.class(), ErrorClass::Environment);
    assert!(
        matches!(&missing, Error::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound),
        "{missing}"
    );
    assert_eq!(
        probe(folder.path()).unwrap_err().class(),
        ErrorClass::Permanent
    );

    let cases: [(&[u8], &str); 5] = [
        (b"", "it is empty"),
        (&[0; 100], "it starts with zeros"),
        (b"Nothing of the kind", "neither TIFF nor PNG"),
        (b"II*\0", "outside the file of 4 bytes"),
        (b"II*\0\0\0\0\0", "no image directory"),
    ];
    for (bytes, reason) in cases {
        let error = probe(&write(&folder, "a.tif", bytes)).unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
        assert_eq!(error.class(), ErrorClass::Permanent);
    }

    let path = write(&folder, "a.tif", &Layout::file(&[Layout::default()]));
    assert!(matches!(read_plane(&path, 1), Err(Error::Missing { .. })));
    let zstd = write(&folder, "z.tif", &{
        let mut bytes = Layout::file(&[Layout::default()]);
        let at = bytes
            .windows(8)
            .position(|window| window == [3, 1, 3, 0, 1, 0, 0, 0])
            .unwrap();
        bytes[at + 8..at + 10].copy_from_slice(&50_000_u16.to_le_bytes());
        bytes
    });
    assert!(
        matches!(probe(&zstd), Err(Error::Unsupported { reason, .. }) if reason.contains("Zstandard"))
    );
}

#[test]
fn a_named_pipe_is_refused_and_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipe.tif");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &path,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )
    .unwrap();
    assert!(matches!(probe(&path), Err(Error::Unsupported { .. })));
}

#[test]
fn a_file_that_shrinks_after_it_was_opened_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout {
        height: 64,
        width: 64,
        values: vec![7; 64 * 64],
        chunk: (64, None),
        ..Layout::default()
    };
    let bytes = Layout::file(&[layout]);
    let path = write(&folder, "a.tif", &bytes);
    let file = ImageFile::open(&path).unwrap();
    std::fs::OpenOptions::new()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(bytes.len() as u64 - 1)
        .unwrap();
    assert!(matches!(file.read(0), Err(Error::Damaged { .. })));
}

#[test]
fn limits_are_checked_before_memory_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    // 60 000 x 60 000 pixels of 8 bytes in one sparse chunk: 29 GB from 300 bytes.
    let bomb = Layout {
        height: 60_000,
        width: 60_000,
        bits: 64,
        values: Vec::new(),
        chunk: (1, None),
        ..Layout::default()
    };
    let empty = Layout {
        height: 1,
        values: vec![0],
        ..bomb.clone()
    };
    let mut bytes = Layout::file(&[Layout { width: 1, ..empty }]);
    patch(&mut bytes, 256, 60_000);
    patch(&mut bytes, 257, 60_000);
    assert!(matches!(
        probe(&write(&folder, "bomb.tif", &bytes)),
        Err(Error::Limit { .. })
    ));

    // A size within the limits that the compressed bytes cannot hold.
    let layout = Layout {
        height: 4,
        width: 4,
        values: vec![1; 16],
        compression: 8,
        chunk: (4, None),
        ..Layout::default()
    };
    let mut bytes = Layout::file(&[layout]);
    for tag in [256, 257, 278] {
        patch(&mut bytes, tag, 40_000);
    }
    let error = probe(&write(&folder, "hollow.tif", &bytes)).unwrap_err();
    assert!(error.to_string().contains("too few"), "{error}");

    // Too many planes, and too many bytes at once.
    let page = Layout {
        height: 64,
        width: 64,
        values: vec![0; 64 * 64],
        chunk: (64, None),
        ..Layout::default()
    };
    let path = write(&folder, "pages.tif", &Layout::file(&vec![page; 20]));
    let tight = Limits {
        max_planes: 19,
        ..Limits::default()
    };
    assert!(matches!(
        ImageFile::open_with(&path, &tight),
        Err(Error::Limit { .. })
    ));
    let tight = Limits {
        max_decoded_bytes: 5 * 64 * 64,
        ..Limits::default()
    };
    let file = ImageFile::open_with(&path, &tight).unwrap();
    assert!(file.read(19).is_ok());
    assert!(matches!(file.read_all(), Err(Error::Limit { .. })));
}

/// A page of the builder with a tag of its own text.
fn described(text: String) -> Vec<u8> {
    Layout::file(&[Layout {
        tags: vec![(270, text.into_bytes())],
        ..Layout::default()
    }])
}

#[test]
fn a_description_that_claims_too_much_costs_neither_memory_nor_time() {
    let folder = tempfile::tempdir().unwrap();
    let ome = |sizes: &str, body: &str| {
        format!("<OME><Image><Pixels DimensionOrder='XYCZT' {sizes}>{body}</Pixels></Image></OME>")
    };
    let begin = std::time::Instant::now();
    for (text, understood) in [
        // Sixteen million planes of a set, of which this file holds one: believed, and cheap.
        (ome("SizeC='16' SizeZ='1024' SizeT='1024'", ""), true),
        (ome("SizeC='16777216' SizeZ='1' SizeT='1'", ""), false),
        (
            ome("SizeC='18446744073709551615' SizeZ='9' SizeT='9'", ""),
            false,
        ),
        // A name of a megabyte for each of 4096 channels: 4 GiB.
        (
            ome(
                "SizeC='4096' SizeZ='1' SizeT='1'",
                &format!(
                    "<Channel SamplesPerPixel='4096' Name='{}'/>",
                    "x".repeat(1 << 20)
                ),
            ),
            true,
        ),
        (
            ome(
                "SizeC='1' SizeZ='1' SizeT='1'",
                &"<TiffData/>".repeat(100_000),
            ),
            false,
        ),
        (
            ome("SizeC='1' SizeZ='1' SizeT='1'", &"<a>".repeat(100_000)),
            false,
        ),
        (
            format!(
                "<OME {}/>",
                (0..200_000)
                    .map(|i| format!(" a{i}='1'"))
                    .collect::<String>()
            ),
            false,
        ),
        (
            "<!DOCTYPE a [<!ENTITY b \"bbbb\">]><OME>&b;</OME>".to_owned(),
            false,
        ),
    ] {
        let head: String = text.chars().take(200).collect();
        let info = probe(&write(&folder, "a.tif", &described(text))).unwrap();
        assert_eq!(info.ome.is_some(), understood, "{head}");
        let names = info
            .ome
            .map(|ome| ome.channel_names.iter().map(String::len).sum());
        assert!(names.unwrap_or(0) < 1 << 20, "{head}");
    }
    assert!(begin.elapsed().as_secs() < 120, "{:?}", begin.elapsed());
}

/// Files with holes: they take no room on the disk, but all their bytes can be read.
#[test]
fn huge_files_are_refused_before_they_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let grow = |path: &Path, size: u64| {
        std::fs::OpenOptions::new()
            .write(true)
            .open(path)
            .unwrap()
            .set_len(size)
            .unwrap();
    };
    let begin = std::time::Instant::now();

    let path = write(&folder, "tail.tif", &Layout::file(&[Layout::default()]));
    grow(&path, 1 << 40);
    let error = probe(&path).unwrap_err();
    assert!(
        matches!(error, Error::Limit { .. }) && error.to_string().contains("hold only"),
        "{error}"
    );

    // A hundred million strips, whose table would take gigabytes.
    let mut bytes = Layout::file(&[Layout {
        height: 2,
        values: vec![0; 2],
        chunk: (1, None),
        ..Layout::default()
    }]);
    patch(&mut bytes, 257, 100_000_000);
    for tag in [273, 279] {
        patch_count(&mut bytes, tag, 100_000_000, 1 << 12);
    }
    let path = write(&folder, "strips.tif", &bytes);
    grow(&path, 1 << 30);
    let error = probe(&path).unwrap_err();
    assert!(
        matches!(error, Error::Limit { .. }) && error.to_string().contains("tags"),
        "{error}"
    );

    // One pixel in a tile of four gigabytes.
    let mut bytes = Layout::file(&[Layout {
        chunk: (16, Some(16)),
        ..Layout::default()
    }]);
    for tag in [322, 323] {
        patch(&mut bytes, tag, 65_536);
    }
    patch(&mut bytes, 325, u32::MAX);
    let path = write(&folder, "tile.tif", &bytes);
    grow(&path, 6 << 30);
    let error = probe(&path).unwrap_err();
    assert!(
        error.to_string().contains("larger than its image"),
        "{error}"
    );

    // A valid image, and then chunks without end, or one chunk of other things after the other.
    let mut png = Vec::new();
    {
        let mut encoder = png::Encoder::new(&mut png, 4, 4);
        encoder.set_color(png::ColorType::Grayscale);
        encoder
            .write_header()
            .unwrap()
            .write_image_data(&[7; 16])
            .unwrap();
    }
    let end = png.len() - 12;
    let path = write(&folder, "zeros.png", &png[..end]);
    grow(&path, 1 << 40);
    let error = probe(&path).unwrap_err();
    assert!(
        error.to_string().contains("there should be a PNG chunk"),
        "{error}"
    );
    let chunk = [(100_u32 << 20).to_be_bytes(), *b"teXt"].concat();
    let path = write(&folder, "text.png", &[&png[..end], &chunk].concat());
    grow(&path, 1 << 40);
    let error = probe(&path).unwrap_err();
    assert!(matches!(error, Error::Limit { .. }), "{error}");
    let many = [0, 0, 0, 0, b't', b'e', b'X', b't', 0, 0, 0, 0].repeat((1 << 20) + 1);
    let error = probe(&write(&folder, "many.png", &[&png[..end], &many].concat())).unwrap_err();
    assert!(error.to_string().contains("PNG chunks"), "{error}");
    assert!(begin.elapsed().as_secs() < 120, "{:?}", begin.elapsed());
}

/// Chains of pages that do not end, overlap, or point at the header.
#[test]
fn chains_of_pages_end() {
    let folder = tempfile::tempdir().unwrap();
    let begin = std::time::Instant::now();
    // A directory of one tag, linked to itself; to the header; and a million directories, two bytes apart.
    let directory = |next: u32| {
        let mut bytes = b"\x01\0\0\x01\x03\0\x01\0\0\0\x01\0\0\0".to_vec();
        bytes.extend(next.to_le_bytes());
        bytes
    };
    let file = |tail: &[u8]| [b"II*\0\x08\0\0\0", tail].concat();
    for (next, reason) in [(8, "height"), (0, "height"), (4_000_000_000, "height")] {
        let error = probe(&write(&folder, "a.tif", &file(&directory(next)))).unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
    }
    let page = Layout::file(&[Layout::default()]);
    let at = page.len() - 1;
    // The link of the only directory lies behind its tags.
    let tags = usize::from(u16::from_le_bytes([page[8], page[9]]));
    let link = 10 + 12 * tags;
    assert!(link < at);
    let mut looped = page.clone();
    looped[link..link + 4].copy_from_slice(&8_u32.to_le_bytes());
    let error = probe(&write(&folder, "loop.tif", &looped)).unwrap_err();
    assert!(error.to_string().contains("endless loop"), "{error}");
    // As many pages as are asked for, each with its own directory and the same pixel.
    let head = 8;
    let mut chain = page[..head].to_vec();
    let directory = &page[head..link + 4];
    for number in 0..70_000_u32 {
        let start = chain.len();
        chain.extend(directory);
        let next = (start + directory.len()) as u32;
        let link = chain.len() - 4;
        chain[link..].copy_from_slice(&next.to_le_bytes());
        assert!(number < 70_000);
    }
    let error = probe(&write(&folder, "chain.tif", &chain)).unwrap_err();
    assert!(
        error.to_string().contains("more than 65536 planes"),
        "{error}"
    );
    assert!(begin.elapsed().as_secs() < 120, "{:?}", begin.elapsed());
}

/// Sets the number of values of a tag, and where they lie (little-endian, classic).
fn patch_count(bytes: &mut [u8], tag: u16, count: u32, at: u32) {
    let tags = u16::from_le_bytes([bytes[8], bytes[9]]);
    let entry = (0..usize::from(tags))
        .map(|i| 10 + 12 * i)
        .find(|at| bytes[*at..at + 2] == tag.to_le_bytes())
        .unwrap();
    bytes[entry + 2..entry + 4].copy_from_slice(&3_u16.to_le_bytes());
    bytes[entry + 4..entry + 8].copy_from_slice(&count.to_le_bytes());
    bytes[entry + 8..entry + 12].copy_from_slice(&at.to_le_bytes());
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
