//! Work that is handed to the device in one go.

use std::sync::atomic::Ordering;

use bytemuck::Pod;
use wgpu::util::DeviceExt;

use super::{Buffer, Gpu, Kernel};
use crate::error::{Error, Result};

/// Most groups along one dimension.
const MOST_GROUPS: u32 = 65_535;

/// Dispatches and copies, run by the device in this order. Buffers that it uses stay until it was submitted.
pub struct Batch<'g> {
    gpu: &'g Gpu,
    encoder: wgpu::CommandEncoder,
    used: Vec<Buffer>,
    dispatches: u64,
}

impl Gpu {
    /// An empty batch.
    #[must_use]
    pub fn batch(&self) -> Batch<'_> {
        let encoder = self
            .inner
            .device
            .create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        Batch {
            gpu: self,
            encoder,
            used: Vec::new(),
            dispatches: 0,
        }
    }
}

impl Batch<'_> {
    /// Adds a run of a kernel. Binding 0 of its group 0 is the uniform `parameters`, bindings 1 and up are `buffers`.
    ///
    /// # Errors
    /// [`Error::Refused`] if the driver does not take the kernel.
    pub fn dispatch<P: Pod>(
        &mut self,
        kernel: Kernel,
        constants: &[(&'static str, f64)],
        parameters: &P,
        buffers: &[&Buffer],
        groups: [u32; 3],
    ) -> Result<()> {
        if groups.contains(&0) {
            return Ok(());
        }
        if groups.iter().any(|&n| n > MOST_GROUPS) {
            return Err(Error::Unsupported("more than 65,535 groups along one axis"));
        }
        let pipeline = self.gpu.compiled(kernel, constants)?;
        let device = &self.gpu.inner.device;
        let encoder = &mut self.encoder;
        self.gpu.watched(0, || {
            let uniform = device.create_buffer_init(&wgpu::util::BufferInitDescriptor {
                label: None,
                contents: bytemuck::bytes_of(parameters),
                usage: wgpu::BufferUsages::UNIFORM,
            });
            let mut entries = vec![wgpu::BindGroupEntry {
                binding: 0,
                resource: uniform.as_entire_binding(),
            }];
            for (binding, buffer) in (1..).zip(buffers) {
                entries.push(wgpu::BindGroupEntry {
                    binding,
                    resource: buffer.raw().as_entire_binding(),
                });
            }
            let group = device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some(kernel.name),
                layout: &pipeline.get_bind_group_layout(0),
                entries: &entries,
            });
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            pass.set_pipeline(&pipeline);
            pass.set_bind_group(0, &group, &[]);
            pass.dispatch_workgroups(groups[0], groups[1], groups[2]);
        })?;
        self.used
            .extend(buffers.iter().map(|&buffer| buffer.clone()));
        self.dispatches += 1;
        Ok(())
    }

    /// Copies bytes between buffers; all three numbers are multiples of 4.
    pub fn copy(&mut self, from: (&Buffer, u64), to: (&Buffer, u64), bytes: u64) {
        if bytes > 0 {
            self.encoder
                .copy_buffer_to_buffer(from.0.raw(), from.1, to.0.raw(), to.1, bytes);
            self.used.extend([from.0.clone(), to.0.clone()]);
        }
    }

    /// Sets all of a buffer to 0.
    pub fn clear(&mut self, buffer: &Buffer) {
        self.encoder.clear_buffer(buffer.raw(), 0, None);
        self.used.push(buffer.clone());
    }

    /// Hands the work to the device and does not wait for it.
    ///
    /// # Errors
    /// [`Error::Lost`], [`Error::OutOfMemory`], [`Error::Refused`].
    pub fn submit(self) -> Result<()> {
        self.hand_over().map(drop)
    }

    /// Hands the work to the device and waits until it is done.
    ///
    /// # Errors
    /// As [`Self::submit`], and [`Error::TimedOut`].
    pub fn finish(self) -> Result<()> {
        let gpu = self.gpu;
        let submission = self.hand_over()?;
        gpu.wait(submission)
    }

    fn hand_over(self) -> Result<wgpu::SubmissionIndex> {
        let Self {
            gpu,
            encoder,
            used,
            dispatches,
        } = self;
        let submission = gpu.watched(0, || gpu.inner.queue.submit([encoder.finish()]))?;
        // Others may have these buffers from now on: what they submit comes after.
        drop(used);
        gpu.inner
            .dispatches
            .fetch_add(dispatches, Ordering::Relaxed);
        Ok(submission)
    }
}
