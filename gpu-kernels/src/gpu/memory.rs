//! Device memory: buffers that are given back and used again, within a budget.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bytemuck::Pod;

use super::{Gpu, lock};
use crate::error::{Error, Result};

/// Bytes on the device, not shared with the CPU. Dropping it gives them back for other work.
#[derive(Clone)]
pub struct Buffer {
    inner: Arc<Held>,
}

struct Held {
    buffer: Option<wgpu::Buffer>,
    /// What was asked for; the buffer itself may be longer.
    bytes: u64,
    pool: Arc<Pool>,
}

/// Buffers that nobody uses now, by size, and what all buffers together take.
pub(crate) struct Pool {
    budget: u64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    free: BTreeMap<u64, Vec<wgpu::Buffer>>,
    /// Bytes of all buffers, used or free.
    taken: u64,
}

impl Pool {
    pub fn new(budget: u64) -> Self {
        Self {
            budget,
            state: Mutex::default(),
        }
    }

    /// A free buffer of that size, if there is one; otherwise room for a new one is accounted for.
    fn reserve(&self, size: u64) -> Result<Option<wgpu::Buffer>> {
        let mut state = lock(&self.state);
        if let Some(buffer) = state.free.get_mut(&size).and_then(Vec::pop) {
            return Ok(Some(buffer));
        }
        // What lies about in other sizes makes room, the largest first.
        let mut unused = Vec::new();
        while state.taken + size > self.budget {
            let Some(mut last) = state.free.last_entry() else {
                break;
            };
            match last.get_mut().pop() {
                Some(buffer) => {
                    state.taken -= buffer.size();
                    unused.push(buffer);
                }
                None => drop(last.remove()),
            }
        }
        let result = if state.taken + size > self.budget {
            Err(Error::OutOfMemory {
                wanted: size,
                reason: format!("{} of {} bytes are in use", state.taken, self.budget),
            })
        } else {
            state.taken += size;
            Ok(None)
        };
        drop(state);
        // This may wait for the device, for which others must not wait too.
        unused.iter().for_each(wgpu::Buffer::destroy);
        result
    }

    fn forget(&self, size: u64) {
        lock(&self.state).taken -= size;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(buffer) = self.buffer.take() {
            let mut state = lock(&self.pool.state);
            state.free.entry(buffer.size()).or_default().push(buffer);
        }
    }
}

impl Buffer {
    /// Bytes that were asked for.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.inner.bytes
    }

    pub(super) fn raw(&self) -> &wgpu::Buffer {
        match &self.inner.buffer {
            Some(buffer) => buffer,
            None => unreachable!("a buffer is taken out only when the last handle goes"),
        }
    }
}

/// Sizes are rounded up so that buffers can be used again: to an eighth of the next lower power of two.
fn rounded(bytes: u64) -> u64 {
    let bytes = bytes.max(256);
    let step = (bytes.next_power_of_two() / 16).max(256);
    bytes.next_multiple_of(step)
}

impl Gpu {
    /// A buffer with anything in it: whoever reads a value must have written it.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] beyond the largest binding, the budget or the device's memory.
    pub fn scratch(&self, bytes: u64) -> Result<Buffer> {
        self.alive()?;
        let largest = self.largest_binding();
        if bytes > largest {
            return Err(Error::OutOfMemory {
                wanted: bytes,
                reason: format!("a buffer may have {largest} bytes"),
            });
        }
        let size = rounded(bytes).min(self.inner.device.limits().max_buffer_size / 256 * 256);
        let pool = &self.inner.pool;
        let buffer = match pool.reserve(size)? {
            Some(buffer) => buffer,
            None => self
                .watched(size, || {
                    self.inner.device.create_buffer(&wgpu::BufferDescriptor {
                        label: None,
                        size,
                        usage: wgpu::BufferUsages::STORAGE
                            | wgpu::BufferUsages::COPY_SRC
                            | wgpu::BufferUsages::COPY_DST,
                        mapped_at_creation: false,
                    })
                })
                .inspect_err(|_| pool.forget(size))?,
        };
        Ok(Buffer {
            inner: Arc::new(Held {
                buffer: Some(buffer),
                bytes,
                pool: Arc::clone(pool),
            }),
        })
    }

    /// A buffer for so many values of 4 bytes.
    ///
    /// # Errors
    /// As [`Self::scratch`].
    pub fn words(&self, count: usize) -> Result<Buffer> {
        self.scratch(4 * count as u64)
    }

    /// Copies values to the device. A last word that they do not fill is filled up with zeros.
    ///
    /// # Errors
    /// As [`Self::scratch`].
    pub fn upload<T: Pod>(&self, values: &[T]) -> Result<Buffer> {
        let bytes: &[u8] = bytemuck::cast_slice(values);
        let buffer = self.scratch((bytes.len() as u64).next_multiple_of(4))?;
        let (whole, rest) = bytes.split_at(bytes.len() / 4 * 4);
        self.watched(bytes.len() as u64, || {
            if !whole.is_empty() {
                self.inner.queue.write_buffer(buffer.raw(), 0, whole);
            }
            if !rest.is_empty() {
                let mut last = [0; 4];
                last[..rest.len()].copy_from_slice(rest);
                let at = whole.len() as u64;
                self.inner.queue.write_buffer(buffer.raw(), at, &last);
            }
        })?;
        Ok(buffer)
    }

    /// Copies the first `count` values of a buffer from the device, after all work that was submitted before.
    ///
    /// # Errors
    /// [`Error::Lost`], [`Error::TimedOut`], [`Error::OutOfMemory`].
    pub fn download<T: Pod>(&self, buffer: &Buffer, count: usize) -> Result<Vec<T>> {
        self.begin_download(buffer, count)?.values()
    }

    /// Waits for a submission, no longer than the time limit.
    pub(super) fn wait(&self, submission: wgpu::SubmissionIndex) -> Result<()> {
        let limit = self.inner.options.time_limit;
        let waited = self.inner.device.poll(wgpu::PollType::Wait {
            submission_index: Some(submission),
            timeout: Some(limit),
        });
        match waited {
            Ok(_) => self.alive(),
            Err(wgpu::PollError::Timeout) => {
                let error = Error::TimedOut(limit.as_secs());
                lock(&self.inner.lost).get_or_insert(error.clone());
                Err(error)
            }
            Err(error) => Err(Error::Lost(error.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::rounded;

    #[test]
    fn sizes_waste_an_eighth_at_most() {
        for bytes in [
            0,
            1,
            255,
            256,
            257,
            4096,
            5000,
            1 << 20,
            (1 << 20) + 1,
            77_777_777,
        ] {
            let size = rounded(bytes);
            assert!(size >= bytes && size.is_multiple_of(256), "{bytes} {size}");
            assert!(
                size <= bytes.max(2048) + bytes.max(2048) / 8,
                "{bytes} {size}"
            );
            assert_eq!(rounded(size), size);
        }
    }
}
