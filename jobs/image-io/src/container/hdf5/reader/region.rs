//! Reading a rectangle of a plane: only the chunks that it touches.

use std::ops::Range;

use super::Hdf5File;
use crate::container::hdf5::ffi::{Failure, dataset};
use crate::exchange::filled;
use crate::{Pixels, Result};

impl Hdf5File {
    /// Reads the rectangle of these rows and columns, which lies inside the plane.
    pub(super) fn read_rectangle(
        &self,
        path: &str,
        rows: Range<usize>,
        columns: Range<usize>,
    ) -> Result<Pixels> {
        let (data, plane) = self.open_plane(path)?;
        let failed = |f: Failure| f.reading(&self.path, &format!("dataset `{path}`"));
        let chunked = self.chunked(&data, &plane).map_err(failed)?;
        filled(plane.pixel_type, (rows.len(), columns.len()), |out| {
            if out.is_empty() {
                return Ok(());
            }
            let Some(chunked) = chunked else {
                let start = [rows.start as u64, columns.start as u64];
                let count = [rows.len() as u64, columns.len() as u64];
                let at = (start.as_slice(), count.as_slice());
                let read = dataset::read_block(&data, &plane.described, plane.pixel_type, at, out);
                return read.map_err(failed);
            };
            let (ch, cw) = chunked.extents;
            let size = chunked.size;
            let stride = columns.len() * size;
            for top in (rows.start / ch * ch..rows.end).step_by(ch) {
                for left in (columns.start / cw * cw..columns.end).step_by(cw) {
                    let ys = rows.start.max(top)..rows.end.min(top + ch);
                    let xs = columns.start.max(left)..columns.end.min(left + cw);
                    self.with_chunk(path, &chunked, (top, left), |content| {
                        for y in ys {
                            let from =
                                (y - rows.start) * stride + (xs.start - columns.start) * size;
                            let out = &mut out[from..from + xs.len() * size];
                            chunked.copy_row(content, (y - top, xs.start - left), out);
                        }
                    })?;
                }
            }
            Ok(())
        })
    }
}
