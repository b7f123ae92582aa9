//! `wellspring gpu`: the process that holds the GPU.

use std::process::ExitCode;

use crate::args::GpuOptions;

/// Serves at the socket that is its stdin until nobody asks any more. Kills itself when a device is of no use any more: the daemon
/// starts another process then.
#[cfg(feature = "gpu")]
pub fn run(options: &GpuOptions) -> anyhow::Result<ExitCode> {
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixListener;
    use std::time::Duration;

    /// How long the device is held without a request.
    const IDLE: Duration = Duration::from_secs(300);

    crate::logging::worker();
    if options.list {
        crate::output::json(&gpu_kernels::adapters())?;
        return Ok(ExitCode::SUCCESS);
    }
    if options.measure {
        return measure(options);
    }
    worker::prefer_as_victim();
    let listener = UnixListener::from(std::io::stdin().as_fd().try_clone_to_owned()?);
    listener.set_nonblocking(true)?;
    let settings = gpu_worker::Settings {
        wanted: options.adapter.clone(),
        cache: options.cache.clone(),
        idle: IDLE,
        device: gpu_kernels::Options::default(),
    };
    let ended = gpu_worker::serve(&listener, &settings);
    tracing::debug!(?ended, "the GPU's process ends");
    if let gpu_worker::Ended::Lost(_) = ended {
        gpu_worker::end_now();
    }
    Ok(ExitCode::SUCCESS)
}

/// What `doctor` shows of a device, measured in a process of its own: a driver may crash.
#[cfg(feature = "gpu")]
fn measure(options: &GpuOptions) -> anyhow::Result<ExitCode> {
    let gpu = gpu_kernels::Gpu::open(&options.adapter, gpu_kernels::Options::default())?;
    let bandwidth = gpu_kernels::measure::bandwidth(&gpu)?;
    let balance = gpu_worker::Balance::measure(&gpu)?;
    crate::output::json(&serde_json::json!({
        "bandwidth": bandwidth,
        "balance": balance.to_string(),
        "thresholds": balance.thresholds(),
    }))?;
    Ok(ExitCode::SUCCESS)
}

/// Built without GPU kernels.
#[cfg(not(feature = "gpu"))]
pub fn run(options: &GpuOptions) -> anyhow::Result<ExitCode> {
    anyhow::bail!(
        "this program was built without GPU kernels; `{}` cannot be used",
        options.adapter
    )
}
