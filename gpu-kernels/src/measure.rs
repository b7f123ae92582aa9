//! How fast a device moves bytes: what everything else is limited by.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::gpu::Gpu;

/// Bytes that are moved at a time, where a buffer may have so many.
const BYTES: u64 = 64 << 20;
/// How often; the fastest counts.
const ROUNDS: usize = 5;

/// Gigabytes (10^9) a second.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bandwidth {
    /// To the device.
    pub upload: f64,
    /// From it.
    pub download: f64,
    /// Within its memory: bytes read and bytes written.
    pub copy: f64,
    /// The shortest time from handing over nothing to knowing that it is done, in microseconds.
    pub latency_us: f64,
}

/// Measures.
///
/// # Errors
/// The device's.
pub fn bandwidth(gpu: &Gpu) -> Result<Bandwidth> {
    let bytes = BYTES.min(gpu.largest_binding()).min(gpu.memory() / 4) / 4 * 4;
    let values = vec![1u32; (bytes / 4) as usize];
    let to = gpu.words(values.len())?;
    let mut best = [Duration::MAX; 4];
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        let from = gpu.upload(&values)?;
        gpu.batch().finish()?;
        best[0] = best[0].min(begin.elapsed());
        let begin = Instant::now();
        let back: Vec<u32> = gpu.download(&from, values.len())?;
        best[1] = best[1].min(begin.elapsed());
        drop(back);
        let begin = Instant::now();
        let mut batch = gpu.batch();
        for _ in 0..COPIES {
            batch.copy((&from, 0), (&to, 0), bytes);
        }
        batch.finish()?;
        best[2] = best[2].min(begin.elapsed() / COPIES);
        let begin = Instant::now();
        gpu.batch().finish()?;
        best[3] = best[3].min(begin.elapsed());
    }
    let rate = |time: Duration| bytes as f64 / time.as_secs_f64().max(1e-9) / 1e9;
    Ok(Bandwidth {
        upload: rate(best[0]),
        download: rate(best[1]),
        copy: 2.0 * rate(best[2]),
        latency_us: best[3].as_secs_f64() * 1e6,
    })
}

/// Copies in one go, so that the way there does not count.
const COPIES: u32 = 8;
