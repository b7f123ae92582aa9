//! An open device: its memory, its compiled kernels, its queue.

mod batch;
mod download;
mod memory;
mod pipeline;

pub use batch::Batch;
pub use download::Download;
pub use memory::Buffer;
pub use pipeline::Kernel;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::adapter::{AdapterInfo, DeviceKind, choose_all};
use crate::error::{Error, Result};
use crate::vulkan;
use memory::Pool;
use pipeline::Pipelines;

/// How a device is used.
#[derive(Clone, Debug)]
pub struct Options {
    /// Bytes of device memory that may be in use at a time.
    pub memory: u64,
    /// The largest buffer that a kernel may bind, if it is to be less than what the device offers: work is cut to fit.
    pub largest_binding: u64,
    /// How long one submission may take.
    pub time_limit: Duration,
    /// Where compiled kernels are kept between processes; nowhere if absent.
    pub cache: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            memory: 2 << 30,
            largest_binding: u64::MAX,
            time_limit: Duration::from_secs(30),
            cache: None,
        }
    }
}

/// An open device. Clones are the same device; it may be used from several threads at a time, whose work then overlaps.
#[derive(Clone)]
pub struct Gpu {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    device: wgpu::Device,
    queue: wgpu::Queue,
    info: AdapterInfo,
    options: Options,
    largest_binding: u64,
    pipelines: Pipelines,
    pool: Arc<Pool>,
    /// Why the device is gone, once it is.
    lost: Arc<Mutex<Option<Error>>>,
    dispatches: AtomicU64,
}

impl std::fmt::Debug for Gpu {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gpu")
            .field("info", &self.inner.info)
            .finish_non_exhaustive()
    }
}

impl Gpu {
    /// Opens the first adapter that `wanted` means; see [`crate::choose`].
    ///
    /// # Errors
    /// [`Error::NoAdapter`] without one, [`Error::Refused`] if the driver gives no device.
    pub fn open(wanted: &str, options: Options) -> Result<Self> {
        let (adapters, infos) = meant(wanted)?;
        Self::of(&adapters[0], infos[0].clone(), options)
    }

    /// Opens all adapters that `wanted` means; see [`choose_all`]. One whose driver refuses is left out if there are others.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_all(wanted: &str, options: &Options) -> Result<Vec<Self>> {
        let (adapters, infos) = meant(wanted)?;
        let opened = adapters.iter().zip(infos);
        let (mut open, mut refused) = (Vec::new(), None);
        for gpu in opened.map(|(adapter, info)| Self::of(adapter, info, options.clone())) {
            match gpu {
                Ok(gpu) => open.push(gpu),
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        match refused {
            Some(error) if open.is_empty() => Err(error),
            _ => Ok(open),
        }
    }

    fn of(adapter: &wgpu::Adapter, info: AdapterInfo, options: Options) -> Result<Self> {
        let features =
            adapter.features() & (wgpu::Features::PIPELINE_CACHE | wgpu::Features::SUBGROUP);
        let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor {
            label: Some("wellspring"),
            required_features: features,
            // Defaults would cap buffers far below what the device can do.
            required_limits: adapter.limits(),
            ..wgpu::DeviceDescriptor::default()
        }))
        .map_err(|error| Error::Refused {
            adapter: info.name.clone(),
            reason: error.to_string(),
        })?;
        let lost: Arc<Mutex<Option<Error>>> = Arc::default();
        let note = Arc::clone(&lost);
        device.set_device_lost_callback(move |reason, message| {
            lock(&note).get_or_insert(Error::Lost(format!("{reason:?} {message}")));
        });
        let note = Arc::clone(&lost);
        // Whatever comes outside of a scope must not take the process down, as it would by default.
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            lock(&note).get_or_insert(Error::Lost(error.to_string()));
        }));
        let limits = device.limits();
        let largest_binding = limits
            .max_storage_buffer_binding_size
            .min(limits.max_buffer_size)
            .min(options.largest_binding);
        let pipelines = Pipelines::new(&device, adapter, options.cache.as_deref());
        Ok(Self {
            inner: Arc::new(Inner {
                pool: Arc::new(Pool::new(options.memory)),
                pipelines,
                largest_binding,
                device,
                queue,
                info,
                options,
                lost,
                dispatches: AtomicU64::new(0),
            }),
        })
    }

    /// The adapter.
    #[must_use]
    pub fn adapter(&self) -> &AdapterInfo {
        &self.inner.info
    }

    /// Whether it is software on the CPU.
    #[must_use]
    pub fn is_software(&self) -> bool {
        self.inner.info.kind == DeviceKind::Software
    }

    /// Bytes that one buffer may have; more than that must be cut.
    #[must_use]
    pub fn largest_binding(&self) -> u64 {
        self.inner.largest_binding
    }

    /// Bytes that the threads of one group may share.
    #[must_use]
    pub fn group_memory(&self) -> u32 {
        let limits = self.inner.device.limits();
        limits.max_compute_workgroup_storage_size
    }

    /// Bytes of device memory that may be in use at a time.
    #[must_use]
    pub fn memory(&self) -> u64 {
        self.inner.options.memory
    }

    /// How many dispatches were submitted so far.
    #[must_use]
    pub fn dispatches(&self) -> u64 {
        self.inner.dispatches.load(Ordering::Relaxed)
    }

    /// Destroys the device, as a reset would: whatever runs or comes after fails with [`Error::Lost`].
    pub fn destroy(&self) {
        self.inner.device.destroy();
        lock(&self.inner.lost).get_or_insert(Error::Lost("destroyed".to_owned()));
    }

    /// Writes the compiled kernels into the cache folder, if there is one and it lacks some.
    pub fn save_kernels(&self) {
        self.inner.pipelines.save();
    }

    /// Fails once the device is gone.
    ///
    /// # Errors
    /// [`Error::Lost`], [`Error::TimedOut`].
    pub fn alive(&self) -> Result<()> {
        lock(&self.inner.lost).clone().map_or(Ok(()), Err)
    }

    /// Runs calls whose errors the driver may tell.
    fn watched<T>(&self, wanted: u64, calls: impl FnOnce() -> T) -> Result<T> {
        self.alive()?;
        let device = &self.inner.device;
        let memory = device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let internal = device.push_error_scope(wgpu::ErrorFilter::Internal);
        let validation = device.push_error_scope(wgpu::ErrorFilter::Validation);
        let value = calls();
        let errors = [validation.pop(), internal.pop(), memory.pop()].map(ErrorFuture::now);
        // A device that is gone makes calls invalid too: that is the cause then.
        self.alive()?;
        match errors.into_iter().flatten().next() {
            None => Ok(value),
            Some(wgpu::Error::OutOfMemory { source }) => Err(Error::OutOfMemory {
                wanted,
                reason: source.to_string(),
            }),
            Some(error) => Err(Error::Refused {
                adapter: self.inner.info.name.clone(),
                reason: error.to_string(),
            }),
        }
    }
}

/// The adapters that are meant, at least one, and what is known of them.
fn meant(wanted: &str) -> Result<(Vec<wgpu::Adapter>, Vec<AdapterInfo>)> {
    let instance =
        vulkan::instance().ok_or_else(|| Error::NoAdapter("built without one".to_owned()))?;
    let adapters = vulkan::enumerate(&instance);
    let infos: Vec<AdapterInfo> = adapters.iter().map(vulkan::describe).collect();
    let chosen = choose_all(&infos, wanted);
    if chosen.is_empty() {
        let names: Vec<&str> = infos.iter().map(|i| i.name.as_str()).collect();
        let there = if names.is_empty() {
            "the system has no Vulkan driver with a device".to_owned()
        } else {
            format!("there are {}", names.join(", "))
        };
        return Err(Error::NoAdapter(format!("wanted `{wanted}`; {there}")));
    }
    let places = chosen
        .iter()
        .filter_map(|chosen| infos.iter().position(|info| std::ptr::eq(info, *chosen)));
    Ok(places
        .map(|place| (adapters[place].clone(), infos[place].clone()))
        .unzip())
}

/// The answer of an error scope, which outside of browsers is there at once.
trait ErrorFuture {
    fn now(self) -> Option<wgpu::Error>;
}

impl<F: Future<Output = Option<wgpu::Error>>> ErrorFuture for F {
    fn now(self) -> Option<wgpu::Error> {
        pollster::block_on(self)
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
