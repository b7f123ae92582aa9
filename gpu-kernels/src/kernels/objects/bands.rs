//! A plane on the device: as a whole, or band by band where it is too large.

use analysis::accelerator::Plane;
use ndarray::{Array2, s};

use super::device::Band;
use super::kind::{Kind, upload};
use crate::kernels::cut;
use crate::{Batch, Buffer, Gpu, Result};

/// Bytes a pixel that are reckoned with: half of the memory is left to what is kept of objects.
const BYTES: u64 = 16;

/// A label image and a plane, in bands of whole rows.
pub(super) struct Bands<'g, 'p> {
    gpu: &'g Gpu,
    numbers: Array2<u32>,
    plane: Plane<'p>,
    rows: usize,
    /// What is on the device for good, if it is one band.
    whole: Option<(Buffer, Buffer)>,
}

impl<'g, 'p> Bands<'g, 'p> {
    pub fn new(gpu: &'g Gpu, numbers: Array2<u32>, plane: Plane<'p>) -> Result<Self> {
        let (height, width) = numbers.dim();
        let rows = (cut::pixels(gpu, BYTES) / width.max(1)).clamp(1, height.max(1));
        let mut bands = Self {
            gpu,
            numbers,
            plane,
            rows,
            whole: None,
        };
        if rows == height {
            bands.whole = Some(bands.upload(0, height)?);
        }
        Ok(bands)
    }

    /// Lets `add` add work for each band. The bands of a plane that is cut are handed to the device one by one, so that there is room
    /// for the next one.
    pub fn each(
        &self,
        batch: &mut Batch<'g>,
        add: impl Fn(&Band<'_>, &mut Batch<'g>) -> Result<()>,
    ) -> Result<()> {
        let (height, width) = self.numbers.dim();
        let kind = Kind::of(self.plane);
        for start in (0..height).step_by(self.rows) {
            let end = height.min(start + self.rows);
            let (labels, plane) = match &self.whole {
                Some(whole) => whole.clone(),
                None => self.upload(start, end)?,
            };
            let band = Band {
                labels: &labels,
                plane: &plane,
                kind,
                size: (end - start, width),
                first_row: start,
            };
            add(&band, batch)?;
            if self.whole.is_none() {
                std::mem::replace(batch, self.gpu.batch()).submit()?;
            }
        }
        Ok(())
    }

    fn upload(&self, start: usize, end: usize) -> Result<(Buffer, Buffer)> {
        let numbers = self.numbers.slice(s![start..end, ..]);
        let numbers = numbers.as_standard_layout();
        let labels = self.gpu.upload(numbers.as_slice().unwrap_or_default())?;
        Ok((labels, upload(self.gpu, self.plane, start, end)?))
    }
}
