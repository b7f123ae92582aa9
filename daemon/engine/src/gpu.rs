//! The GPU's process, as it is configured.

use std::path::Path;
use std::sync::Arc;

use config::Gpu;
use gpu_worker::{Host, HostState, SpawnOptions, Tally};

/// What is known of the GPU and what it did since the start.
#[derive(Clone, Debug, Default)]
pub struct GpuState {
    /// The process that holds it; absent where none may be used.
    pub host: Option<HostState>,
    /// What it did, and what it should have done.
    pub tally: Tally,
}

/// The process for this setting, started when it is first asked. Without it the workers compute everything, so that what goes wrong here
/// is only told.
pub(crate) fn host(gpu: &Gpu, program: &Path, state_dir: &Path) -> Option<Arc<Host>> {
    if *gpu == Gpu::Off {
        return None;
    }
    if !gpu_worker::BUILT_IN {
        if *gpu != Gpu::Auto {
            tracing::warn!(%gpu, "this program was built without GPU kernels; everything runs on the CPU");
        }
        return None;
    }
    let Some(cache) = state_dir.join("gpu").to_str().map(str::to_owned) else {
        tracing::warn!(path = %state_dir.display(), "no GPU is used: the path of the state folder is no UTF-8");
        return None;
    };
    let options = SpawnOptions {
        program: program.to_owned(),
        arguments: vec![
            "gpu".to_owned(),
            format!("--adapter={gpu}"),
            format!("--cache={cache}"),
        ],
    };
    match Host::start(state_dir, options) {
        Ok(host) => Some(Arc::new(host)),
        Err(error) => {
            tracing::warn!(%error, "no GPU is used: its socket cannot be made");
            None
        }
    }
}

/// What a worker is told of it. One that was named is waited for.
pub(crate) fn arguments(gpu: &Gpu, host: Option<&Arc<Host>>) -> Vec<String> {
    let socket = host.map(|host| format!("--gpu-socket={}", host.socket().display()));
    let wait = matches!(gpu, Gpu::Named(_)).then(|| "--gpu-wait".to_owned());
    socket.into_iter().chain(wait).collect()
}
