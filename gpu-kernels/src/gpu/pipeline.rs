//! Kernels: WGSL that is compiled when it is first needed, once a process, and where the driver allows kept on disk.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use super::{Gpu, lock};
use crate::error::Result;

/// A kernel's source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kernel {
    /// Name in errors and measurements; one name, one source.
    pub name: &'static str,
    /// Parts of the WGSL text, which are put together.
    pub source: &'static [&'static str],
    /// The function.
    pub entry: &'static str,
}

/// Compiled kernels.
pub(super) struct Pipelines {
    known: Mutex<HashMap<Key, Arc<wgpu::ComputePipeline>>>,
    cache: Option<wgpu::PipelineCache>,
    file: Option<PathBuf>,
    /// Whether something was compiled that the file may lack.
    more: AtomicBool,
}

/// A kernel with the values of its constants (bits: floats are not hashed).
type Key = (Kernel, Vec<(&'static str, u64)>);

impl Pipelines {
    pub fn new(device: &wgpu::Device, adapter: &wgpu::Adapter, folder: Option<&Path>) -> Self {
        let offered = device.features().contains(wgpu::Features::PIPELINE_CACHE);
        let file = folder.filter(|_| offered).and_then(|folder| {
            Some(folder.join(wgpu::util::pipeline_cache_key(&adapter.get_info())?))
        });
        let data = file.as_ref().and_then(|file| std::fs::read(file).ok());
        let cache = file.is_some().then(|| load(device, data.as_deref()));
        Self {
            known: Mutex::default(),
            cache,
            file,
            more: AtomicBool::new(false),
        }
    }

    /// Keeps what was compiled for the next process. A cache that cannot be written only costs time.
    pub fn save(&self) {
        let (Some(cache), Some(file)) = (&self.cache, &self.file) else {
            return;
        };
        if !self.more.swap(false, Ordering::Relaxed) {
            return;
        }
        let Some(data) = cache.get_data() else { return };
        // One process has the folder.
        let aside = file.with_extension("new");
        let written = file
            .parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            .and_then(|()| std::fs::write(&aside, data))
            .and_then(|()| std::fs::File::open(&aside)?.sync_all())
            .and_then(|()| std::fs::rename(&aside, file));
        if written.is_err() {
            let _ = std::fs::remove_file(&aside);
        }
    }
}

/// A cache with what an earlier process compiled.
#[allow(unsafe_code)]
fn load(device: &wgpu::Device, data: Option<&[u8]>) -> wgpu::PipelineCache {
    // SAFETY: the data must come from `get_data`. The file lies in the daemon's own state folder under a name of this adapter, only
    // whole files are put there, and wgpu checks a header with adapter and driver; the fallback drops what does not fit.
    unsafe {
        device.create_pipeline_cache(&wgpu::PipelineCacheDescriptor {
            label: None,
            data,
            fallback: true,
        })
    }
}

impl Gpu {
    /// The compiled kernel with these values for its `override` constants.
    pub(super) fn compiled(
        &self,
        kernel: Kernel,
        constants: &[(&'static str, f64)],
    ) -> Result<Arc<wgpu::ComputePipeline>> {
        let pipelines = &self.inner.pipelines;
        let bits = constants
            .iter()
            .map(|(name, value)| (*name, value.to_bits()));
        let key = (kernel, bits.collect());
        // Held while it compiles, so that nothing is compiled twice.
        let mut known = lock(&pipelines.known);
        if let Some(pipeline) = known.get(&key) {
            return Ok(Arc::clone(pipeline));
        }
        let device = &self.inner.device;
        let pipeline = self.watched(0, || {
            let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
                label: Some(kernel.name),
                source: wgpu::ShaderSource::Wgsl(kernel.source.concat().into()),
            });
            device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(kernel.name),
                layout: None,
                module: &module,
                entry_point: Some(kernel.entry),
                compilation_options: wgpu::PipelineCompilationOptions {
                    constants,
                    // Kernels write what they read.
                    zero_initialize_workgroup_memory: false,
                },
                cache: pipelines.cache.as_ref(),
            })
        })?;
        pipelines.more.store(true, Ordering::Relaxed);
        let pipeline = Arc::new(pipeline);
        known.insert(key, Arc::clone(&pipeline));
        Ok(pipeline)
    }
}
