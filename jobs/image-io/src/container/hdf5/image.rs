//! Writing one multiscale image.

use super::chunk::{self, Encoded};
use super::ffi::dataset::{self, Element, Layout};
use super::ffi::types::Shared;
use super::ffi::{Failure, Handle, attribute, link, locked};
use crate::Pixels;
use crate::container::image::{self, ImageOptions, Prepared};

/// Creates the image's group and hands all chunks to the library, in one hold of its lock.
pub(super) fn write(
    file: &Handle,
    name: &str,
    pixels: &Pixels,
    prepared: &Prepared<Encoded>,
    options: &ImageOptions,
    shared: &Shared,
) -> Result<(), Failure> {
    locked(|| {
        let group = link::create_group(file, name, shared)?;
        for (name, value) in image::attributes(prepared, options) {
            attribute::write(&group, &name, &value, shared)?;
        }
        let pixel_type = pixels.pixel_type();
        let mut creation: Option<((usize, usize), Handle)> = None;
        for (index, level) in prepared.levels.iter().enumerate() {
            let extents = chunk::extents(level.shape);
            // Chunks of the larger levels are equal.
            let list = match creation.take() {
                Some((e, list)) if e == extents => list,
                _ => dataset::creation(Layout::Chunked {
                    chunk: &[extents.0 as u64, extents.1 as u64],
                    shuffle: pixel_type.size() > 1,
                })?,
            };
            let data = dataset::create(
                &group,
                &format!("s{index}"),
                Element::Number(pixel_type),
                &[level.shape.0 as u64, level.shape.1 as u64],
                &list,
                shared,
            )?;
            for chunk in &level.chunks {
                dataset::write_chunk(&data, &chunk.offset, &chunk.bytes)?;
            }
            creation = Some((extents, list));
        }
        Ok(())
    })
}
