//! What a job may have an accelerator run instead of this processor.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use analysis::accelerator::{Accelerator, Operand, Plane};
use analysis::components::Connectivity;
use image_io::Pixels;
use ndarray::{Array2, ArrayView2};

use crate::context::JobIo;
use crate::error::Failure;

impl JobIo<'_> {
    /// What may run whole operations instead of this processor.
    #[must_use]
    pub fn accelerator(&self) -> Option<Arc<dyn Accelerator>> {
        self.context.accelerator.clone()
    }

    /// Has the accelerator run an operation on a plane, which it may have from an earlier job. `run` is given the number under which
    /// it shall keep the result; hand the result to [`Self::keep_known`] with the number that comes back. `None`: compute it here.
    pub fn accelerated<R>(
        &mut self,
        pixels: &Arc<Pixels>,
        run: impl FnOnce(&dyn Accelerator, Operand<'_>, u64) -> Option<R>,
    ) -> Option<(R, u64)> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let accelerator = self.accelerator()?;
        let plane = match &**pixels {
            Pixels::U8(a) => Plane::U8(a.view()),
            Pixels::U16(a) => Plane::U16(a.view()),
            Pixels::U32(a) => Plane::U32(a.view()),
            Pixels::F32(a) => Plane::F32(a.view()),
            _ => return None,
        };
        let known = &mut self.context.known;
        let found = known.iter().find(|(p, _)| Arc::ptr_eq(p, pixels));
        let id = match found {
            Some((_, id)) => *id,
            None => {
                let id = NEXT.fetch_add(1, Ordering::Relaxed);
                known.push((Arc::clone(pixels), id));
                id
            }
        };
        let result = NEXT.fetch_add(1, Ordering::Relaxed);
        let operand = Operand {
            plane,
            id: Some(id),
        };
        let done = run(&*accelerator, operand, result)?;
        self.note("device", accelerator.name());
        Some((done, result))
    }

    /// Says that the accelerator knows a plane by this number.
    pub fn keep_known(&mut self, pixels: &Arc<Pixels>, id: u64) {
        self.context.known.push((Arc::clone(pixels), id));
    }

    /// [`analysis::distance::edt`], wherever it is faster.
    ///
    /// # Errors
    /// As there.
    // A view is passed by value, as everywhere.
    #[allow(clippy::needless_pass_by_value)]
    pub fn distances(&mut self, mask: ArrayView2<'_, bool>) -> Result<Array2<f64>, Failure> {
        if let Some(accelerator) = self.accelerator()
            && let Some(found) = accelerator.distances(mask)
        {
            self.note("device", accelerator.name());
            return Ok(found);
        }
        Ok(analysis::distance::edt(mask)?)
    }

    /// [`analysis::components::label`], wherever it is faster.
    #[allow(clippy::needless_pass_by_value)]
    pub fn label(&mut self, mask: ArrayView2<'_, bool>, connectivity: Connectivity) -> Array2<u32> {
        if let Some(accelerator) = self.accelerator()
            && let Some((labels, _)) = accelerator.label(mask, connectivity)
        {
            self.note("device", accelerator.name());
            return labels;
        }
        analysis::components::label(mask, connectivity).0
    }
}
