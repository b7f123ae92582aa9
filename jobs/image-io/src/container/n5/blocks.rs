//! All blocks of a dataset: which are there, and their values.

use std::cell::RefCell;
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::Path;

use rayon::prelude::*;

use super::dataset::{Compression, Dataset};
use super::folder::{Folder, Kind};
use super::{block, damaged, failed};
use crate::container::{HARMLESS, MOST_DEFLATED, MOST_PLANE_BYTES};
use crate::{Error, Result};

/// More blocks than any image has.
const MOST_BLOCKS: usize = 1 << 22;

thread_local! {
    static SCRATCH: RefCell<(Vec<u8>, Vec<u8>)> = RefCell::default();
}

/// An open dataset.
#[derive(Debug)]
pub struct Blocks<'c> {
    /// The container.
    pub root: &'c Path,
    /// The dataset's path in it.
    pub at: String,
    pub folder: Folder,
    pub dataset: Dataset,
}

impl Blocks<'_> {
    /// Places of the blocks that are there, by row of the grid: slowest axis first, sorted. What is no block is passed over.
    pub fn list(&self) -> Result<Vec<Vec<u64>>> {
        let axes = self.dataset.shape.len();
        let mut found = Vec::new();
        // The fastest axis is the outermost folder.
        let mut open = vec![Vec::new()];
        while let Some(place) = open.pop() {
            let axis = axes - 1 - place.len();
            let folder = self.enter(&place)?;
            let Some(folder) = folder else { continue };
            let grid = self.dataset.shape[axis].div_ceil(self.dataset.block[axis]);
            for (name, kind) in folder.entries(MOST_BLOCKS).map_err(|e| self.failed(e))? {
                let number = name.to_str().and_then(|n| canonical(n, grid));
                let Some(number) = number else { continue };
                let mut place = place.clone();
                place.push(number);
                match kind {
                    Kind::Folder if axis > 0 => open.push(place),
                    Kind::File if axis == 0 => {
                        place.reverse();
                        found.push(place);
                    }
                    Kind::Other => {
                        return Err(damaged(
                            self.root,
                            &self.at,
                            format!("block {name:?} is a link"),
                        ));
                    }
                    _ => {}
                }
            }
            if found.len() + open.len() > MOST_BLOCKS {
                return Err(self.limit(&format!("it has more than {MOST_BLOCKS} blocks")));
            }
        }
        found.sort();
        Ok(found)
    }

    /// Bytes of these blocks on disk.
    pub fn stored(&self, places: &[Vec<u64>]) -> Result<u64> {
        let mut sum = 0_u64;
        for place in places {
            let (last, folders) = outermost_first(place);
            if let Some(folder) = self.enter(&folders)? {
                sum += folder
                    .size_of(last.to_string())
                    .map_err(|e| self.failed(e))?;
            }
        }
        Ok(sum)
    }

    /// Checks that values of this form can be read. Returns their bytes.
    pub fn check_form(&self) -> Result<u64> {
        let unsupported = |reason: String| Error::Unsupported {
            path: self.root.to_owned(),
            reason: format!("`{}` {reason}", self.at),
        };
        if self.dataset.pixel_type.is_none() {
            return Err(unsupported(format!(
                "holds {}, not numbers",
                self.dataset.data_type
            )));
        }
        if let Compression::Other(name) = &self.dataset.compression {
            return Err(unsupported(format!(
                "is compressed with {name}; write it with gzip"
            )));
        }
        let bytes = self.dataset.bytes().filter(|b| *b <= MOST_PLANE_BYTES);
        let shape = &self.dataset.shape;
        bytes.ok_or_else(|| {
            self.limit(&format!(
                "its shape is {shape:?}; the limit is {MOST_PLANE_BYTES} bytes"
            ))
        })
    }

    /// The same, and that they are worth their memory.
    pub fn check(&self, places: &[Vec<u64>]) -> Result<u64> {
        let bytes = self.check_form()?;
        let shape = &self.dataset.shape;
        if let Some(wanted) = self.dataset.blocks.filter(|n| *n > places.len() as u64) {
            let there = places.len();
            return Err(damaged(
                self.root,
                &self.at,
                format!(
                    "{there} of its {wanted} blocks are there: it was copied in part, or files were deleted"
                ),
            ));
        }
        if bytes > HARMLESS {
            let stored = self.stored(places)?;
            if bytes > stored.saturating_mul(MOST_DEFLATED) {
                return Err(damaged(
                    self.root,
                    &self.at,
                    format!(
                        "its shape {shape:?} cannot be true: there are only {stored} bytes of it"
                    ),
                ));
            }
        }
        Ok(bytes)
    }

    /// Reads all values into `out`, in C order and the machine's byte order. `out` is as long as [`Self::check`] tells, and zero
    /// where blocks are missing.
    pub fn read_into(&self, places: &[Vec<u64>], out: &mut [u8]) -> Result<()> {
        let size = self.dataset.pixel_type.map_or(1, crate::PixelType::size);
        let row: u64 = self.dataset.shape[1..].iter().product::<u64>() * size as u64;
        let band = self.dataset.block[0].saturating_mul(row);
        if out.is_empty() {
            return Ok(());
        }
        // Blocks with the same place on the slowest axis cover one stretch of the output.
        out.par_chunks_mut(usize::try_from(band).unwrap_or(usize::MAX))
            .enumerate()
            .try_for_each(|(i, band)| {
                let from = places.partition_point(|p| p[0] < i as u64);
                let to = places.partition_point(|p| p[0] <= i as u64);
                places[from..to]
                    .iter()
                    .try_for_each(|place| self.fill(place, band, size))
            })
    }

    /// Reads a rectangle of a plane into `out`, in C order. Blocks that are missing hold zeros, unless the dataset says that none
    /// may be.
    pub fn read_rectangle(
        &self,
        rows: &Range<usize>,
        columns: &Range<usize>,
        out: &mut [u8],
    ) -> Result<()> {
        let size = self.dataset.pixel_type.map_or(1, crate::PixelType::size);
        let side = |axis: usize| usize::try_from(self.dataset.block[axis]).unwrap_or(usize::MAX);
        let (bh, bw) = (side(0), side(1));
        if rows.is_empty() || columns.is_empty() {
            return Ok(());
        }
        for by in rows.start / bh..=(rows.end - 1) / bh {
            for bx in columns.start / bw..=(columns.end - 1) / bw {
                let place = [by as u64, bx as u64];
                let Some(file) = self.open(&place)? else {
                    if self.dataset.blocks.is_some() {
                        return Err(self.gone(&place));
                    }
                    continue;
                };
                self.with_block(file, &place, |lengths, plain| {
                    let (top, left) = (by * bh, bx * bw);
                    let ys = rows.start.max(top)..rows.end.min(top + lengths[0] as usize);
                    let xs = columns.start.max(left)..columns.end.min(left + lengths[1] as usize);
                    // A block may hold less than its place asks for.
                    if xs.is_empty() {
                        return;
                    }
                    for y in ys {
                        let from = ((y - top) * lengths[1] as usize + xs.start - left) * size;
                        let to =
                            ((y - rows.start) * columns.len() + xs.start - columns.start) * size;
                        let n = xs.len() * size;
                        out[to..to + n].copy_from_slice(&plain[from..from + n]);
                    }
                })?;
            }
        }
        Ok(())
    }

    /// Puts one block into its band.
    fn fill(&self, place: &[u64], band: &mut [u8], size: usize) -> Result<()> {
        // It was listed a moment ago. Whoever called looks whether the container is still the same.
        let file = self.open(place)?.ok_or_else(|| self.gone(place))?;
        self.with_block(file, place, |lengths, plain| {
            self.copy(place, lengths, plain, band, size);
        })
    }

    /// The file of a block; `None` if it is not there.
    fn open(&self, place: &[u64]) -> Result<Option<File>> {
        let (last, folders) = outermost_first(place);
        match self.enter(&folders)? {
            Some(folder) => folder.file(last.to_string()).map_err(|e| self.failed(e)),
            None => Ok(None),
        }
    }

    /// Reads and decompresses a block, and hands over its lengths and its values.
    fn with_block(
        &self,
        file: File,
        place: &[u64],
        use_values: impl FnOnce(&[u64], &[u8]),
    ) -> Result<()> {
        SCRATCH.with_borrow_mut(|(stored, plain)| {
            stored.clear();
            let most = block::most_file_bytes(&self.dataset);
            file.take(most + 1)
                .read_to_end(stored)
                .map_err(|e| self.failed(e))?;
            let lengths = if stored.len() as u64 > most {
                Err("the file is larger than its content can be".to_owned())
            } else {
                block::decode(stored, &self.dataset, plain)
            };
            let lengths = lengths.map_err(|reason| {
                damaged(self.root, &self.at, format!("block {place:?}: {reason}"))
            })?;
            use_values(&lengths, plain);
            Ok(())
        })
    }

    fn gone(&self, place: &[u64]) -> Error {
        damaged(self.root, &self.at, format!("block {place:?} is gone"))
    }

    /// Copies the part of a block that lies inside the dataset, row by row of the fastest axis.
    fn copy(&self, place: &[u64], lengths: &[u64], plain: &[u8], band: &mut [u8], size: usize) {
        let shape = &self.dataset.shape;
        let axes = shape.len();
        let start: Vec<u64> = (0..axes)
            .map(|a| place[a] * self.dataset.block[a])
            .collect();
        let valid: Vec<u64> = (0..axes)
            .map(|a| lengths[a].min(shape[a] - start[a]))
            .collect();
        let run = valid[axes - 1] as usize * size;
        let mut index = vec![0_u64; axes];
        loop {
            let (mut from, mut to) = (0, 0);
            for a in 0..axes {
                // The band begins with its block on the slowest axis.
                let offset = if a == 0 { 0 } else { start[a] };
                from = from * lengths[a] + index[a];
                to = to * shape[a] + offset + index[a];
            }
            let (from, to) = (from as usize * size, to as usize * size);
            band[to..to + run].copy_from_slice(&plain[from..from + run]);
            // The next row: count up all axes but the fastest.
            let Some(axis) = (0..axes - 1).rev().find(|&a| index[a] + 1 < valid[a]) else {
                return;
            };
            index[axis] += 1;
            index[axis + 1..].fill(0);
        }
    }

    /// The folder of blocks with these places on the fastest axes.
    fn enter(&self, place: &[u64]) -> Result<Option<Folder>> {
        let path: Vec<String> = place.iter().map(u64::to_string).collect();
        self.folder
            .descend(&path.join("/"))
            .map_err(|e| self.failed(e))
    }

    fn failed(&self, source: std::io::Error) -> Error {
        failed(self.root, &self.at, source)
    }

    fn limit(&self, reason: &str) -> Error {
        Error::Limit {
            path: self.root.to_owned(),
            reason: format!("`{}`: {reason}", self.at),
        }
    }
}

/// The name of a block's file and the folders on the way to it.
fn outermost_first(place: &[u64]) -> (u64, Vec<u64>) {
    (place[0], place[1..].iter().rev().copied().collect())
}

/// The number that a name stands for, if it is written as the format does and lies in the grid.
fn canonical(name: &str, grid: u64) -> Option<u64> {
    let number: u64 = name.parse().ok()?;
    (number < grid && number.to_string() == name).then_some(number)
}
