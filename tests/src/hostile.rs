//! Images that were made to do harm.

use std::io::{self, Cursor};
use std::path::Path;

use tiff::encoder::TiffEncoder;
use tiff::encoder::colortype::Gray16;

/// One such image.
pub struct Hostile {
    /// What it tries, as a word.
    pub what: &'static str,
    /// Its first bytes.
    pub bytes: Vec<u8>,
    /// Its size, where that is more than its bytes: the rest is a hole.
    pub size: u64,
}

impl Hostile {
    /// Writes it.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        std::fs::write(path, &self.bytes)?;
        if self.size > self.bytes.len() as u64 {
            let file = std::fs::OpenOptions::new().write(true).open(path)?;
            file.set_len(self.size)?;
        }
        Ok(())
    }
}

/// A page: tag, type, number of values and the values' field.
type Page = [(u16, u16, u32, u32)];

/// Tags of a page of `height` x `width` pixels of 16 bits in strips.
fn page(
    height: u32,
    width: u32,
    compression: u32,
    rows: u32,
    strips: u32,
    offsets: u32,
    counts: u32,
) -> Vec<(u16, u16, u32, u32)> {
    vec![
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, 1, 16),
        (259, 3, 1, compression),
        (262, 3, 1, 1),
        (273, 4, strips, offsets),
        (277, 3, 1, 1),
        (278, 4, 1, rows),
        (279, 4, strips, counts),
    ]
}

/// A classic little-endian TIFF of these pages; `link` is where the last page leads, `tail` follows the pages.
fn tiff(pages: &[Vec<(u16, u16, u32, u32)>], link: u32, tail: &[u8]) -> Vec<u8> {
    let mut bytes = b"II*\0\x08\0\0\0".to_vec();
    for (number, tags) in pages.iter().enumerate() {
        bytes.extend(directory(tags));
        let last = number + 1 == pages.len();
        let next = if last { link } else { size(&bytes) + 4 };
        bytes.extend(next.to_le_bytes());
    }
    bytes.extend(tail);
    bytes
}

fn directory(tags: &Page) -> Vec<u8> {
    let mut bytes = u16::try_from(tags.len())
        .unwrap_or(0)
        .to_le_bytes()
        .to_vec();
    for (tag, kind, count, value) in tags {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(kind.to_le_bytes());
        bytes.extend(count.to_le_bytes());
        bytes.extend(value.to_le_bytes());
    }
    bytes
}

fn size(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

/// A sound image of two small pages.
fn sound() -> io::Result<Vec<u8>> {
    let mut bytes = Cursor::new(Vec::new());
    {
        let mut encoder = TiffEncoder::new(&mut bytes).map_err(io::Error::other)?;
        for _ in 0..2 {
            encoder
                .write_image::<Gray16>(64, 64, &[7; 64 * 64])
                .map_err(io::Error::other)?;
        }
    }
    Ok(bytes.into_inner())
}

fn png_head(height: u32, width: u32) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    bytes.extend(width.to_be_bytes());
    bytes.extend(height.to_be_bytes());
    bytes.extend([16, 0, 0, 0, 0, 0, 0, 0, 0]);
    bytes
}

/// Images that must be refused.
///
/// # Errors
/// The sound image that some of them begin as cannot be made.
pub fn refused() -> io::Result<Vec<Hostile>> {
    let sound = sound()?;
    let of = |what, bytes: Vec<u8>, size| Hostile { what, bytes, size };
    let two = |one: Vec<(u16, u16, u32, u32)>| tiff(&[one.clone(), one], 0, &[0; 64]);
    let big = {
        // BigTIFF: one page whose strip claims 2^63 bytes.
        let mut bytes = b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0".to_vec();
        let tags: [(u16, u16, u64, u64); 6] = [
            (256, 4, 1, 64),
            (257, 4, 1, 64),
            (258, 3, 1, 16),
            (259, 3, 1, 5),
            (273, 16, 1, 16),
            (279, 16, 1, 1 << 63),
        ];
        bytes.extend((tags.len() as u64).to_le_bytes());
        for (tag, kind, count, value) in tags {
            bytes.extend(tag.to_le_bytes());
            bytes.extend(kind.to_le_bytes());
            bytes.extend(count.to_le_bytes());
            bytes.extend(value.to_le_bytes());
        }
        bytes.extend([0; 8]);
        bytes
    };
    let chain: Vec<_> = (0..70_000)
        .map(|_| {
            vec![
                (256, 4, 1, 1),
                (257, 4, 1, 1),
                (258, 3, 1, 8),
                (273, 4, 1, 8),
                (279, 4, 1, 1),
            ]
        })
        .collect();
    let mut text = sound.clone();
    text.extend(b"trailing text");
    Ok(vec![
        of(
            "terabytes",
            two(page(u32::MAX, u32::MAX, 1, u32::MAX, 1, 8, u32::MAX)),
            0,
        ),
        of(
            "gigabytes-of-nothing",
            two(page(60_000, 60_000, 8, 60_000, 1, 8, 100)),
            0,
        ),
        of("outside", two(page(64, 64, 1, 64, 1, 0xffff_0000, 8192)), 0),
        of("header-as-pixels", two(page(64, 64, 5, 64, 1, 0, 8192)), 0),
        of("count-of-2^63", big, 0),
        of(
            "many-strips",
            two(page(100_000_000, 1, 1, 1, 100_000_000, 4096, 4096)),
            1 << 30,
        ),
        of(
            "many-tags",
            [b"II*\0\x08\0\0\0\xff\xff".as_slice(), &[1; 4000]].concat(),
            1 << 20,
        ),
        of("loop", tiff(&[page(1, 1, 1, 1, 1, 8, 2)], 8, &[]), 0),
        of("chain", tiff(&chain, 0, &[]), 0),
        of("hole-of-a-terabyte", sound.clone(), 1 << 40),
        of("half", sound[..sound.len() / 2].to_vec(), 0),
        of("zeros", Vec::new(), 1 << 30),
        of("text", b"#!/bin/sh\nrm -rf /\n".to_vec(), 0),
        of("png-of-exabytes", png_head(0x7fff_ffff, 0x7fff_ffff), 0),
        of("png-without-end", png_head(64, 64), 1 << 40),
        of(
            "one-plane-too-few",
            tiff(&[page(1, 1, 1, 1, 1, 8, 2)], 0, &[]),
            0,
        ),
    ])
}

/// A sound image of two pages with a description that would take minutes or gigabytes to read.
#[must_use]
pub fn described() -> Vec<Hostile> {
    let attributes: String = (0..300_000).map(|i| format!(" a{i}='1'")).collect();
    let texts = [
        ("attributes", format!("<OME{attributes}/>")),
        ("deep", format!("<OME>{}", "<a>".repeat(500_000))),
        ("names", format!("<OME><Image><Pixels SizeC='65536' SizeZ='256' SizeT='1'><Channel SamplesPerPixel='65536' Name='{}'/></Pixels></Image></OME>", "x".repeat(1 << 20))),
        ("laughs", "<!DOCTYPE a [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]><OME>&b;</OME>".to_owned()),
    ];
    let image = |(what, text): (&'static str, String)| {
        let pages = |start: u32| {
            let mut first = page(64, 64, 1, 64, 1, start, 8192);
            first.insert(5, (270, 2, size(text.as_bytes()), start + 8192));
            vec![first, page(64, 64, 1, 64, 1, start, 8192)]
        };
        let start = size(&tiff(&pages(0), 0, &[]));
        let mut tail = 1000_u16.to_le_bytes().repeat(64 * 64);
        tail.extend(text.as_bytes());
        Hostile {
            what,
            bytes: tiff(&pages(start), 0, &tail),
            size: 0,
        }
    };
    texts.into_iter().map(image).collect()
}

/// A sound image of some kilobytes that unpacks to two pages of 512 MiB: all strips are the same bytes.
#[must_use]
pub fn bomb() -> Vec<u8> {
    const SIDE: u32 = 16_384;
    const ROWS: u32 = 32;
    let strips = SIDE / ROWS;
    // PackBits: 128 times the same byte, again and again.
    let strip = [0x81, 3].repeat((SIDE * ROWS * 2 / 128) as usize);
    let pages = |start: u32| {
        let one = page(SIDE, SIDE, 32_773, ROWS, strips, start, start + 4 * strips);
        vec![one.clone(), one]
    };
    let start = size(&tiff(&pages(0), 0, &[]));
    let data = start + 8 * strips;
    let mut tail = data.to_le_bytes().repeat(strips as usize);
    tail.extend(size(&strip).to_le_bytes().repeat(strips as usize));
    tail.extend(&strip);
    tiff(&pages(start), 0, &tail)
}
