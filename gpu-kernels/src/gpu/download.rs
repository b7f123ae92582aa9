//! Copies from the device that run while something else is done.

use std::marker::PhantomData;

use bytemuck::Pod;

use super::{Buffer, Gpu};
use crate::error::{Error, Result};

/// A copy from the device that was begun: work that is submitted later does not delay it.
pub struct Download<T> {
    gpu: Gpu,
    /// None for no values.
    copy: Option<(wgpu::Buffer, wgpu::SubmissionIndex)>,
    count: usize,
    values: PhantomData<T>,
}

impl Gpu {
    /// Begins to copy the first `count` values of a buffer, after all work that was submitted before.
    ///
    /// # Errors
    /// [`Error::Lost`], [`Error::OutOfMemory`].
    pub fn begin_download<T: Pod>(&self, buffer: &Buffer, count: usize) -> Result<Download<T>> {
        let size = ((count * size_of::<T>()) as u64).next_multiple_of(4);
        let device = &self.inner.device;
        let copy = if count == 0 {
            None
        } else {
            Some(self.watched(size, || {
                let staging = device.create_buffer(&wgpu::BufferDescriptor {
                    label: None,
                    size,
                    usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
                    mapped_at_creation: false,
                });
                let mut encoder =
                    device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
                encoder.copy_buffer_to_buffer(buffer.raw(), 0, &staging, 0, size);
                let submission = self.inner.queue.submit([encoder.finish()]);
                staging.slice(..).map_async(wgpu::MapMode::Read, |_| {});
                (staging, submission)
            })?)
        };
        Ok(Download {
            gpu: self.clone(),
            copy,
            count,
            values: PhantomData,
        })
    }
}

impl<T: Pod> Download<T> {
    /// Waits for the copy; gives the values.
    ///
    /// # Errors
    /// [`Error::Lost`], [`Error::TimedOut`].
    pub fn values(self) -> Result<Vec<T>> {
        let Some((staging, submission)) = self.copy else {
            return Ok(Vec::new());
        };
        self.gpu.wait(submission)?;
        let view = staging
            .slice(..)
            .get_mapped_range()
            .map_err(|error| Error::Lost(error.to_string()))?;
        let mut values = vec![T::zeroed(); self.count];
        let bytes = self.count * size_of::<T>();
        bytemuck::cast_slice_mut(&mut values).copy_from_slice(&view[..bytes]);
        drop(view);
        staging.unmap();
        Ok(values)
    }
}
