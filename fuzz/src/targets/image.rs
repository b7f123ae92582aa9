//! Acquisition files: headers, descriptions and pixels.

use image_io::acquisition::{ImageFile, Limits};

use super::MemoryFile;

/// Small, so that what passes them shows.
const LIMITS: Limits = Limits {
    max_pixels_per_plane: 1 << 20,
    max_decoded_bytes: 1 << 23,
    max_planes: 256,
    max_tag_bytes: 1 << 20,
};

/// TIFF and PNG: the structure, then every plane, alone and together.
pub(super) fn file(input: &[u8]) {
    let file = MemoryFile::new(input);
    let Ok(image) = ImageFile::open_with(&file.path(), &LIMITS) else {
        return;
    };
    let info = image.info().clone();
    let all = image.read_all();
    for (index, plane) in info.planes.iter().enumerate().take(8) {
        let read = image.read(index);
        if let Ok(pixels) = &read {
            assert_eq!(pixels.shape(), (plane.height, plane.width));
            assert_eq!(pixels.pixel_type(), plane.pixel_type);
        }
        if let Ok(all) = &all {
            // What can be read together can be read alone, with the same values; bits, because NaN is not NaN.
            assert_eq!(
                read.ok().as_ref().map(|pixels| format!("{pixels:?}")),
                Some(format!("{:?}", all[index]))
            );
        }
    }
}

/// Descriptions: OME-XML and `ImageJ`'s, in a TIFF of one pixel a page. The first byte says how many pages there are.
pub(super) fn description(input: &[u8]) {
    let Some((pages, text)) = input.split_first() else {
        return;
    };
    let pages = 1 + usize::from(*pages % 16);
    let file = MemoryFile::new(&described(text, pages));
    match ImageFile::open_with(&file.path(), &LIMITS) {
        Ok(image) => {
            let Some(ome) = &image.info().ome else { return };
            assert_eq!(ome.channel_names.len(), ome.size_c);
            let sizes = [ome.size_c, ome.size_z, ome.size_t].map(|size| size.min(20));
            for c in 0..=sizes[0] {
                for z in 0..=sizes[1] {
                    for t in 0..=sizes[2] {
                        let plane = ome.index(c, z, t);
                        assert!(plane.is_none_or(|plane| plane < image.info().planes.len()));
                    }
                }
            }
        }
        Err(error) => assert!(text.len() > 1 << 19, "a sound file is refused: {error}"),
    }
}

/// A little-endian TIFF whose pages all show the same pixel.
fn described(text: &[u8], pages: usize) -> Vec<u8> {
    let mut bytes = b"II*\0".to_vec();
    let directory_at = 12 + text.len() + text.len() % 2;
    bytes.extend((directory_at as u32).to_le_bytes());
    bytes.extend([7, 0, 0, 0]);
    bytes.extend(text);
    bytes.resize(directory_at, 0);
    for page in 1..=pages {
        let mut entries = vec![
            (256_u16, 3_u16, 1_u32, 1_u32),
            (257, 3, 1, 1),
            (258, 3, 1, 8),
            (259, 3, 1, 1),
            (273, 4, 1, 8),
            (278, 3, 1, 1),
            (279, 4, 1, 1),
        ];
        // A text of up to four bytes would have to lie in the entry.
        if page == 1 && text.len() > 4 {
            entries.insert(4, (270, 2, text.len() as u32, 12));
        }
        bytes.extend((entries.len() as u16).to_le_bytes());
        for (tag, kind, count, value) in entries {
            bytes.extend(tag.to_le_bytes());
            bytes.extend(kind.to_le_bytes());
            bytes.extend(count.to_le_bytes());
            bytes.extend(value.to_le_bytes());
        }
        let next = if page == pages { 0 } else { bytes.len() + 4 };
        bytes.extend((next as u32).to_le_bytes());
    }
    bytes
}
