//! One worker's requests, and the planes that are kept on the device for it.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use analysis::accelerator::{GreyFilter, Plane, PlaneBuf};
use analysis::components::Connectivity;
use analysis::correct::FlatField;
use gpu_kernels::kernels::chain::{self, DevicePlane};
use gpu_kernels::kernels::classify::Loaded;
use gpu_kernels::kernels::{components, convert, distance, morphology};
use gpu_kernels::{Error, Gpu, Result};
use ndarray::{Array2, ArrayView4};

use crate::frame::{Array, Values};
use crate::protocol::{FORGOTTEN, Reply, Request, Source};
use crate::server::{Shared, lock};
use crate::tally::Operation;
use crate::wire;

/// Share of the device's memory that the planes of all workers together may take.
const KEPT_SHARE: u64 = 4;
/// Classifiers that are remembered: a laboratory has a few.
const MOST_CLASSIFIERS: usize = 16;

/// Classifiers on the device, by the hash of their bytes: all workers of a workflow send the same.
#[derive(Default)]
pub(crate) struct Classifiers(Mutex<HashMap<String, (Arc<Loaded>, Instant)>>);

impl Classifiers {
    /// A classifier that was asked for now.
    fn get(&self, name: &str) -> Option<Arc<Loaded>> {
        let mut known = lock(&self.0);
        let (loaded, last) = known.get_mut(name)?;
        *last = Instant::now();
        Some(Arc::clone(loaded))
    }

    /// One more; the one that was not asked for the longest goes.
    fn put(&self, name: String, loaded: Loaded) {
        let mut known = lock(&self.0);
        if known.len() >= MOST_CLASSIFIERS {
            let oldest = known.iter().min_by_key(|(_, (_, last))| *last);
            if let Some(oldest) = oldest.map(|(name, _)| name.clone()) {
                known.remove(&oldest);
            }
        }
        known.insert(name, (Arc::new(loaded), Instant::now()));
    }
}

/// What is said of one worker.
pub(crate) struct Session {
    shared: Arc<Shared>,
    kept: HashMap<u64, DevicePlane>,
}

/// A plane of a request.
enum Input {
    Host(PlaneBuf),
    Device(DevicePlane),
}

impl Session {
    pub fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            kept: HashMap::new(),
        }
    }

    pub fn answer(&mut self, request: Request, arrays: Vec<Array>) -> (Reply, Option<Array>) {
        let operation = match &request {
            Request::Hello { version } => return (self.welcome(version), None),
            Request::Forget => {
                self.forget_all();
                return (done(Vec::new(), 0, 0.0), None);
            }
            Request::Classifier => return (self.load(arrays), None),
            Request::FlatField { .. } => Operation::FlatField,
            Request::Grey { radius, .. } => Operation::grey(*radius),
            Request::Probabilities { .. } => Operation::Probabilities,
            Request::Distances => Operation::Distances,
            Request::Label { .. } => Operation::Label,
        };
        let shared = Arc::clone(&self.shared);
        let Some(_turn) = shared.turn(operation) else {
            return (failed("busy", "others wait for it already"), None);
        };
        let (begin, before) = (Instant::now(), shared.gpu.dispatches());
        let mut kept = Vec::new();
        let result = planted(&shared.gpu).and_then(|()| self.run(request, arrays, &mut kept));
        match result {
            Ok(array) => {
                // Others dispatch too: of two at a time each counts the other's.
                let dispatches = shared.gpu.dispatches() - before;
                let seconds = begin.elapsed().as_secs_f64();
                (done(kept, dispatches, seconds), Some(array))
            }
            Err(error) => {
                // The worker does not learn of them.
                for id in kept {
                    self.forget(id);
                }
                let code = if error == UNKNOWN {
                    FORGOTTEN
                } else {
                    error.code()
                };
                (failed(code, &error.to_string()), None)
            }
        }
    }

    fn welcome(&self, version: &str) -> Reply {
        let own = env!("CARGO_PKG_VERSION");
        if version != own {
            return Reply::Unavailable {
                code: "version".to_owned(),
                reason: format!("the worker is of version {version}, the GPU's process of {own}"),
            };
        }
        match self.shared.balance.get() {
            None => Reply::NotYet {
                reason: "it is being measured from which sizes on the GPU is faster".to_owned(),
            },
            Some(balance) => Reply::Welcome {
                adapter: self.shared.gpu.adapter().name.clone(),
                thresholds: balance.thresholds().cloned(),
            },
        }
    }

    fn load(&self, arrays: Vec<Array>) -> Reply {
        let Some(bytes) = arrays.into_iter().next().and_then(Array::into_bytes) else {
            return failed("protocol", "a classifier without its bytes");
        };
        let name = blake3::hash(&bytes).to_hex().to_string();
        if self.shared.classifiers.get(&name).is_some() {
            return done(Vec::new(), 0, 0.0);
        }
        let loaded = wire::decode(&bytes)
            .map_err(|reason| failed("protocol", &reason))
            .and_then(|classifier| {
                Loaded::new(&self.shared.gpu, &classifier)
                    .map_err(|error| failed(error.code(), &error.to_string()))
            });
        match loaded {
            Ok(loaded) => {
                self.shared.classifiers.put(name, loaded);
                done(Vec::new(), 0, 0.0)
            }
            Err(reply) => reply,
        }
    }

    /// Computes an answer; `kept` takes the numbers of what stays on the device.
    fn run(&mut self, request: Request, arrays: Vec<Array>, kept: &mut Vec<u64>) -> Result<Array> {
        let mut arrays = arrays.into_iter();
        match request {
            Request::FlatField {
                image,
                offset,
                keep,
            } => {
                let image = self.input(image, &mut arrays, kept)?;
                let Some(PlaneBuf::F32(divisor)) = arrays.next().and_then(Array::into_plane) else {
                    return Err(MISSING);
                };
                self.flat_field(image, &FlatField { divisor, offset }, keep, kept)
            }
            Request::Grey {
                filter,
                radius,
                image,
                keep,
            } => {
                let image = self.input(image, &mut arrays, kept)?;
                self.grey(filter, radius, image, keep, kept)
            }
            Request::Probabilities { classifier } => {
                let known = self.shared.classifiers.get(&classifier);
                let loaded = known.ok_or(UNKNOWN)?;
                let image = arrays.next().ok_or(MISSING)?;
                let [c, z, y, x] = image.shape[..] else {
                    return Err(MISSING);
                };
                let Values::F32(values) = image.values else {
                    return Err(MISSING);
                };
                let view = ArrayView4::from_shape((c, z, y, x), &values).map_err(|_| MISSING)?;
                let found = loaded.probabilities(&self.shared.gpu, view)?;
                let shape = found.shape().to_vec();
                let (values, _) = found.into_raw_vec_and_offset();
                let values = Values::F32(values);
                Ok(Array { shape, values })
            }
            Request::Distances => {
                let squares = distance::edt_squared(&self.shared.gpu, mask(&mut arrays)?.view())?;
                Ok(PlaneBuf::U32(squares).into())
            }
            Request::Label { corners } => {
                let connectivity = if corners {
                    Connectivity::Corners
                } else {
                    Connectivity::Edges
                };
                let mask = mask(&mut arrays)?;
                let (labels, _) = components::label(&self.shared.gpu, mask.view(), connectivity)?;
                Ok(PlaneBuf::U32(labels).into())
            }
            Request::Hello { .. } | Request::Classifier | Request::Forget => Err(MISSING),
        }
    }

    fn flat_field(
        &mut self,
        image: Input,
        field: &FlatField,
        keep: Option<u64>,
        kept: &mut Vec<u64>,
    ) -> Result<Array> {
        let gpu = self.shared.gpu.clone();
        if let Input::Device(image) = &image {
            let out = DevicePlane::upload(&gpu, Plane::F32(field.divisor.view()))
                .and_then(|divisor| chain::flat_field(&gpu, image, &divisor, field.offset));
            match out {
                // Cut into parts it may fit.
                Err(Error::OutOfMemory { .. }) => {}
                out => return self.give(out?, keep, kept),
            }
        }
        let image = image.on_host(&gpu)?;
        let out = convert::flat_field(&gpu, image.view(), field)?;
        self.keep_host(keep, Plane::F32(out.view()), kept);
        Ok(PlaneBuf::F32(out).into())
    }

    fn grey(
        &mut self,
        filter: GreyFilter,
        radius: usize,
        image: Input,
        keep: Option<u64>,
        kept: &mut Vec<u64>,
    ) -> Result<Array> {
        let gpu = self.shared.gpu.clone();
        if let Input::Device(image) = &image {
            match chain::grey(&gpu, filter, radius, image) {
                // Cut into parts it may fit.
                Err(Error::OutOfMemory { .. }) => {}
                out => return self.give(out?, keep, kept),
            }
        }
        let image = image.on_host(&gpu)?;
        let out = morphology::grey(&gpu, filter, radius, image.view())?;
        self.keep_host(keep, out.view(), kept);
        Ok(out.into())
    }

    /// The plane that a source means.
    fn input(
        &mut self,
        source: Source,
        arrays: &mut impl Iterator<Item = Array>,
        kept: &mut Vec<u64>,
    ) -> Result<Input> {
        match source {
            Source::Kept(id) => self
                .kept
                .get(&id)
                .map(|plane| Input::Device(plane.clone()))
                .ok_or(Error::Unsupported("a plane that is not here any more")),
            Source::Sent(id) => {
                let plane = arrays.next().and_then(Array::into_plane).ok_or(MISSING)?;
                self.keep_host(id, plane.view(), kept);
                Ok(match id.and_then(|id| self.kept.get(&id)) {
                    Some(plane) => Input::Device(plane.clone()),
                    None => Input::Host(plane),
                })
            }
        }
    }

    /// Keeps a plane that lies here, if there is room. What is not kept is sent again.
    fn keep_host(&mut self, id: Option<u64>, plane: Plane<'_>, kept: &mut Vec<u64>) {
        if let Some(id) = id
            && let Ok(plane) = DevicePlane::upload(&self.shared.gpu, plane)
        {
            self.keep(id, plane, kept);
        }
    }

    fn keep(&mut self, id: u64, plane: DevicePlane, kept: &mut Vec<u64>) {
        self.forget(id);
        let (bytes, room) = (plane.bytes(), self.shared.gpu.memory() / KEPT_SHARE);
        let taken = &self.shared.kept;
        let took = taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |taken| {
            taken.checked_add(bytes).filter(|sum| *sum <= room)
        });
        if took.is_ok() {
            self.kept.insert(id, plane);
            kept.push(id);
        }
    }

    fn forget(&mut self, id: u64) {
        if let Some(plane) = self.kept.remove(&id) {
            self.shared.kept.fetch_sub(plane.bytes(), Ordering::Relaxed);
        }
    }

    fn forget_all(&mut self) {
        for id in self.kept.keys().copied().collect::<Vec<_>>() {
            self.forget(id);
        }
    }

    /// Downloads a result, and keeps it where it is.
    fn give(
        &mut self,
        plane: DevicePlane,
        keep: Option<u64>,
        kept: &mut Vec<u64>,
    ) -> Result<Array> {
        let out = plane.download(&self.shared.gpu)?;
        if let Some(id) = keep {
            self.keep(id, plane, kept);
        }
        Ok(out.into())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.forget_all();
    }
}

/// What a test has planted: a full device, or one that is lost.
fn planted(gpu: &Gpu) -> Result<()> {
    let Err(error) = faults::write_point(faults::Point::GpuRequest) else {
        return Ok(());
    };
    if error.kind() != std::io::ErrorKind::StorageFull {
        gpu.destroy();
        return gpu.alive();
    }
    Err(Error::OutOfMemory {
        wanted: 0,
        reason: error.to_string(),
    })
}

/// The mask of a request.
fn mask(arrays: &mut impl Iterator<Item = Array>) -> Result<Array2<bool>> {
    match arrays.next().and_then(Array::into_plane) {
        Some(PlaneBuf::U8(mask)) => Ok(mask.mapv(|pixel| pixel != 0)),
        _ => Err(MISSING),
    }
}

impl Input {
    fn on_host(self, gpu: &Gpu) -> Result<PlaneBuf> {
        match self {
            Self::Host(plane) => Ok(plane),
            Self::Device(plane) => plane.download(gpu),
        }
    }
}

/// The worker sends it again.
const UNKNOWN: Error = Error::Unsupported("a classifier that is not here");
const MISSING: Error = Error::Unsupported("a request without its arrays");

impl From<PlaneBuf> for Array {
    fn from(plane: PlaneBuf) -> Self {
        let (height, width) = plane.view().dim();
        let values = match plane {
            PlaneBuf::U8(a) => Values::U8(a.into_raw_vec_and_offset().0),
            PlaneBuf::U16(a) => Values::U16(a.into_raw_vec_and_offset().0),
            PlaneBuf::U32(a) => Values::U32(a.into_raw_vec_and_offset().0),
            PlaneBuf::F32(a) => Values::F32(a.into_raw_vec_and_offset().0),
        };
        Self {
            shape: vec![height, width],
            values,
        }
    }
}

const fn done(kept: Vec<u64>, dispatches: u64, seconds: f64) -> Reply {
    Reply::Done {
        kept,
        dispatches,
        seconds,
    }
}

fn failed(code: &str, reason: &str) -> Reply {
    Reply::Failed {
        code: code.to_owned(),
        reason: reason.to_owned(),
    }
}
