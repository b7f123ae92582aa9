//! Filters of what is on the device already: each adds its work to a batch and gives the buffer that will hold the result.

use analysis::accelerator::GreyFilter;
use bytemuck::{Pod, Zeroable};

use super::Disk;
use crate::error::Result;
use crate::gpu::{Batch, Buffer, Gpu, Kernel};
use crate::kernels::convert::Pixel;
use crate::kernels::cut::{self, switch};

const THREADS: usize = 256;
/// Threads of a group of the kernel that joins, along x and y.
const TILE: (usize, usize) = (32, 8);
/// A table comes from at most so many windows of another one at a time: with more, a table in between is cheaper.
const MOST_PARTS: usize = 16;

const PREPARE: Kernel = Kernel {
    name: "morphology.prepare",
    source: &[include_str!("prepare.wgsl")],
    entry: "main",
};

const WIDEN: Kernel = Kernel {
    name: "morphology.widen",
    source: &[include_str!("widen.wgsl")],
    entry: "main",
};

const JOIN: Kernel = Kernel {
    name: "morphology.join",
    source: &[include_str!("join.wgsl")],
    entry: "main",
};

const FINISH: Kernel = Kernel {
    name: "morphology.finish",
    source: &[include_str!("finish.wgsl")],
    entry: "main",
};

/// Parameters of a kernel; what a kernel does not need is 0.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Parameters([u32; 8]);

/// [`super::grey`] of a plane of the disk's size, with one 32-bit value a pixel ([`crate::kernels::convert::on_device::widen`]).
/// The result has the same form.
///
/// # Errors
/// As [`Gpu::scratch`] and [`Batch::dispatch`].
pub fn grey(
    gpu: &Gpu,
    batch: &mut Batch<'_>,
    filter: GreyFilter,
    disk: &Disk,
    source: &Buffer,
    pixel: Pixel,
) -> Result<Buffer> {
    let (height, width) = disk.size;
    let columns = width + disk.left;
    let mut work = Work {
        batch,
        disk,
        float: pixel == Pixel::F32,
        tables: [gpu.words(height * columns)?, gpu.words(height * columns)?],
        out: gpu.words(height * width)?,
    };
    // Which extremes are taken, one after the other: whether it is the smallest value.
    let passes: &[bool] = match filter {
        GreyFilter::Erosion => &[true],
        GreyFilter::Dilation => &[false],
        GreyFilter::Opening | GreyFilter::WhiteTophat => &[true, false],
        GreyFilter::Closing => &[false, true],
    };
    for (index, &smallest) in passes.iter().enumerate() {
        work.prepare((index == 0).then_some(source), smallest)?;
        work.extreme()?;
    }
    let smallest = passes.last().is_some_and(|&smallest| smallest);
    work.finish(source, smallest, filter == GreyFilter::WhiteTophat)?;
    Ok(work.out)
}

struct Work<'a, 'g> {
    batch: &'a mut Batch<'g>,
    disk: &'a Disk,
    float: bool,
    /// Largest keys of windows: the one that is read, and the one that is written.
    tables: [Buffer; 2],
    /// Keys of the result.
    out: Buffer,
}

impl Work<'_, '_> {
    /// The first table, from pixels or from the keys of the pass before.
    fn prepare(&mut self, pixels: Option<&Buffer>, smallest: bool) -> Result<()> {
        let (height, width) = self.disk.size;
        let count = height * (width + self.disk.left);
        let parameters = [width, self.disk.left, count, 0];
        self.batch.dispatch(
            PREPARE,
            &[
                switch("KEYS", pixels.is_none()),
                switch("FLOAT", self.float),
                switch("SMALLEST", smallest),
            ],
            &packed(&parameters)?,
            &[pixels.unwrap_or(&self.out), &self.tables[0]],
            cut::groups(count, THREADS),
        )
    }

    /// Joins all rows of the disk, from the narrow ones to the wide ones.
    fn extreme(&mut self) -> Result<()> {
        let (height, width) = self.disk.size;
        let columns = width + self.disk.left;
        let mut window = 1;
        for (index, level) in self.disk.levels.iter().enumerate() {
            while window < level.window {
                let parts = (level.window / window).min(MOST_PARTS);
                self.batch.dispatch(
                    WIDEN,
                    &[],
                    &packed(&[columns, height * columns, window, parts])?,
                    &[&self.tables[0], &self.tables[1]],
                    cut::groups(height * columns, THREADS),
                )?;
                self.tables.swap(0, 1);
                window *= parts;
            }
            let rows = &level.rows;
            let parameters = [width, height, self.disk.left, window, rows.start, rows.end];
            let groups = [width.div_ceil(TILE.0), height.div_ceil(TILE.1)];
            self.batch.dispatch(
                JOIN,
                &[switch("FIRST", index == 0)],
                &packed(&parameters)?,
                &[&self.tables[0], &self.disk.rows, &self.out],
                [cut::size(groups[0])?, cut::size(groups[1])?, 1],
            )?;
        }
        Ok(())
    }

    fn finish(&mut self, source: &Buffer, smallest: bool, top_hat: bool) -> Result<()> {
        let (height, width) = self.disk.size;
        self.batch.dispatch(
            FINISH,
            &[
                switch("FLOAT", self.float),
                switch("SMALLEST", smallest),
                switch("TOP_HAT", top_hat),
            ],
            &packed(&[height * width])?,
            &[source, &self.out],
            cut::groups(height * width, THREADS),
        )
    }
}

fn packed(values: &[usize]) -> Result<Parameters> {
    let mut parameters = Parameters([0; 8]);
    for (to, &from) in parameters.0.iter_mut().zip(values) {
        *to = cut::size(from)?;
    }
    Ok(parameters)
}
