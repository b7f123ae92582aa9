//! The worker's side: an accelerator that asks the GPU's process.

use std::collections::{HashMap, HashSet};
use std::io;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use analysis::accelerator::{Accelerator, GreyFilter, Operand, Plane, PlaneBuf};
use analysis::components::Connectivity;
use analysis::correct::FlatField;
use analysis::pixel_classification::Classifier;
use ndarray::{Array2, Array4, ArrayView2, ArrayView4};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::frame::{self, Array, Sending};
use crate::protocol::{FORGOTTEN, Reply, Request, Source};
use crate::tally::{Operation, Tally};
use crate::wire;

/// How long the process may take to open its device: drivers compile a lot at their first start.
const OPENING: Duration = Duration::from_secs(60);
/// How long one answer may take, once the device is open: a volume is computed in many parts, each of which has its own limit there.
const ANSWER: Duration = Duration::from_secs(600);
/// Pauses before the next try after a failure: the first, and the longest of those that double.
const AGAIN: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(600));
/// And where there is no device.
const AGAIN_WITHOUT: Duration = Duration::from_secs(900);

/// Asks the process behind a socket. One request at a time; other workers ask beside it.
#[derive(Debug)]
pub struct Remote {
    socket: PathBuf,
    /// Whether to wait until the device is open.
    wait: bool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    link: Option<Link>,
    /// A connection on which nobody has answered yet, and since when.
    opening: Option<(UnixStream, Instant)>,
    /// Nobody is asked before.
    not_before: Option<Instant>,
    /// Failures since the last answer, and the code of the last one.
    failures: u32,
    missing: Option<String>,
    tally: Tally,
}

#[derive(Debug)]
struct Link {
    stream: UnixStream,
    adapter: String,
    thresholds: Option<std::collections::BTreeMap<Operation, crate::protocol::Threshold>>,
    /// Classifiers that it has, by their number here: the hash of their bytes.
    classifiers: HashMap<u64, String>,
    /// Planes that it keeps.
    kept: HashSet<u64>,
}

/// Why there is no answer.
enum Miss {
    /// It is of no use to ask: too small, not offered.
    Declined,
    /// It should have been answered.
    Failed { code: String, reason: String },
    /// Nobody took the request: the process has ended, perhaps because it had nothing to do.
    NotTaken(io::Error),
    /// The process does not know a classifier any more that it had.
    Forgotten,
}

impl From<io::Error> for Miss {
    fn from(error: io::Error) -> Self {
        let code = match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => "timed_out",
            _ => "gone",
        };
        Self::Failed {
            code: code.to_owned(),
            reason: format!("the GPU's process: {error}"),
        }
    }
}

/// A request with its arrays.
struct Asking<'a> {
    request: Request,
    arrays: Vec<Sending<'a>>,
}

impl Remote {
    /// Asks at this socket when there is something to ask. Until the device is open, which may take a while, the worker computes by
    /// itself, unless it shall `wait`.
    #[must_use]
    pub fn new(socket: PathBuf, wait: bool) -> Self {
        Self {
            socket,
            wait,
            state: Mutex::default(),
        }
    }

    /// What was done since the last call.
    pub fn take_tally(&self) -> Tally {
        std::mem::take(&mut self.state().tally)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks, and counts what comes of it. `ask` gets the link and may be called a second time with a new one: a process that had
    /// nothing to do may have ended since the last request.
    fn ask<'a>(
        &self,
        operation: Operation,
        pixels: u64,
        mut ask: impl FnMut(&mut Link) -> Result<Asking<'a>, Miss>,
    ) -> Option<Array> {
        let mut state = self.state();
        let begin = Instant::now();
        let mut tries = 0;
        loop {
            let fresh = state.link.is_none();
            let answer = state.linked(&self.socket, self.wait).and_then(|link| {
                if !link.is_worth(operation, pixels) {
                    return Err(Miss::Declined);
                }
                let asking = ask(link)?;
                link.exchange(&asking.request, &asking.arrays)
            });
            match answer {
                Ok((array, dispatches, seconds)) => {
                    state.failures = 0;
                    state.missing = None;
                    let used = state.tally.used.entry(operation).or_default();
                    used.calls += 1;
                    used.dispatches += dispatches;
                    used.pixels += pixels;
                    used.device_seconds += seconds;
                    used.wall_seconds += begin.elapsed().as_secs_f64();
                    state.tally.adapter = state.link.as_ref().map(|l| l.adapter.clone());
                    return Some(array);
                }
                Err(Miss::Declined) => {
                    // Each one counts, not only that which met the failure.
                    if let Some(code) = state.missing.clone() {
                        *state.tally.fallbacks.entry(code).or_default() += 1;
                    }
                    return None;
                }
                Err(Miss::Forgotten) if tries == 0 => {
                    tries += 1;
                    if let Some(link) = &mut state.link {
                        link.classifiers.clear();
                    }
                }
                Err(Miss::NotTaken(_)) if !fresh && tries == 0 => {
                    tries += 1;
                    state.link = None;
                }
                Err(miss) => {
                    let (code, reason) = miss.told();
                    if matches!(code.as_str(), "gone" | "timed_out" | "lost") {
                        state.link = None;
                    }
                    if state.link.is_none() {
                        state.pause(self.wait);
                        state.missing = Some(code.clone());
                    }
                    *state.tally.fallbacks.entry(code.clone()).or_default() += 1;
                    tracing::warn!(
                        operation = operation.name(),
                        code,
                        reason,
                        "not done on the GPU; this processor does it"
                    );
                    return None;
                }
            }
        }
    }
}

impl Miss {
    /// As it is counted and logged.
    fn told(self) -> (String, String) {
        match self {
            Self::Failed { code, reason } => (code, reason),
            Self::NotTaken(error) => Self::from(error).told(),
            Self::Forgotten => ("forgotten".to_owned(), "too many classifiers".to_owned()),
            Self::Declined => ("declined".to_owned(), String::new()),
        }
    }
}

impl State {
    /// Nobody is asked for a while, longer each time that it fails. Who waits for the device asks again at once first.
    fn pause(&mut self, wait: bool) {
        self.failures += 1;
        if wait && self.failures == 1 {
            return;
        }
        let pause = AGAIN.0 * 2u32.saturating_pow(self.failures.min(16) - 1);
        self.not_before
            .get_or_insert(Instant::now() + pause.min(AGAIN.1));
    }

    /// The link, made if there is none and it is time.
    fn linked(&mut self, socket: &std::path::Path, wait: bool) -> Result<&mut Link, Miss> {
        if self.link.is_none() {
            if self.not_before.is_some_and(|at| Instant::now() < at) {
                return Err(Miss::Declined);
            }
            self.not_before = None;
            match self.open(socket, wait) {
                Ok(None) => return Err(Miss::Declined),
                Ok(Some(Ok(link))) => {
                    tracing::info!(adapter = link.adapter, "a GPU computes");
                    self.link = Some(link);
                }
                Ok(Some(Err(Closed {
                    pause,
                    code,
                    reason,
                }))) => {
                    self.not_before = Some(Instant::now() + pause);
                    if wait {
                        tracing::warn!(
                            reason,
                            "the GPU that is named cannot be used; this processor does its work"
                        );
                        self.missing = code;
                    }
                    return Err(Miss::Declined);
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.link.as_mut().ok_or(Miss::Declined)
    }

    /// Connects, and takes the answer if it is there. Nothing: not yet.
    fn open(&mut self, socket: &std::path::Path, wait: bool) -> io::Result<Option<Opened>> {
        let (stream, since) = match self.opening.take() {
            Some(opening) => opening,
            None => (Link::connect(socket)?, Instant::now()),
        };
        let left = OPENING.saturating_sub(since.elapsed());
        if !has_answer(&stream, if wait { left } else { Duration::ZERO })? {
            if left.is_zero() || wait {
                return Err(io::ErrorKind::TimedOut.into());
            }
            self.opening = Some((stream, since));
            return Ok(None);
        }
        Link::greeted(stream).map(Some)
    }
}

/// The link, or why there is none.
type Opened = Result<Link, Closed>;

/// Nobody computes here.
struct Closed {
    /// How long not to ask again.
    pause: Duration,
    /// As it is counted, where something is wrong.
    code: Option<String>,
    reason: String,
}

/// Whether something can be read within this time.
fn has_answer(stream: &UnixStream, within: Duration) -> io::Result<bool> {
    let timeout = Timespec::try_from(within).map_err(io::Error::other)?;
    let ready = poll(&mut [PollFd::new(stream, PollFlags::IN)], Some(&timeout))?;
    Ok(ready > 0)
}

impl Link {
    /// A connection on which the answer will come.
    fn connect(socket: &std::path::Path) -> io::Result<UnixStream> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(ANSWER))?;
        stream.set_write_timeout(Some(ANSWER))?;
        let hello = Request::Hello {
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        frame::write(&stream, &hello, &[])?;
        Ok(stream)
    }

    /// Takes the answer.
    fn greeted(stream: UnixStream) -> io::Result<Opened> {
        let (reply, _) = frame::read(&stream)?;
        Ok(match reply {
            Reply::Welcome {
                adapter,
                thresholds,
            } => Ok(Self {
                stream,
                adapter,
                thresholds,
                classifiers: HashMap::new(),
                kept: HashSet::new(),
            }),
            Reply::NotYet { reason } => Err(Closed {
                pause: AGAIN.0,
                code: None,
                reason,
            }),
            Reply::Unavailable { code, reason } => Err(Closed {
                pause: AGAIN_WITHOUT,
                code: Some(code),
                reason,
            }),
            other => Err(Closed {
                pause: AGAIN_WITHOUT,
                code: Some("protocol".to_owned()),
                reason: format!("unexpected answer {other:?}"),
            }),
        })
    }

    fn is_worth(&self, operation: Operation, pixels: u64) -> bool {
        let Some(thresholds) = &self.thresholds else {
            return true;
        };
        let from = thresholds.get(&operation).and_then(|t| t.from_pixels);
        from.is_some_and(|from| pixels >= from)
    }

    fn exchange(
        &mut self,
        request: &Request,
        arrays: &[Sending<'_>],
    ) -> Result<(Array, u64, f64), Miss> {
        frame::write(&self.stream, request, arrays).map_err(Miss::NotTaken)?;
        let (reply, arrays) = frame::read(&self.stream)?;
        match reply {
            Reply::Done {
                kept,
                dispatches,
                seconds,
            } => {
                self.kept.extend(kept);
                let empty = Array {
                    shape: vec![0],
                    values: frame::Values::U8(Vec::new()),
                };
                Ok((
                    arrays.into_iter().next().unwrap_or(empty),
                    dispatches,
                    seconds,
                ))
            }
            Reply::Failed { code, .. } if code == FORGOTTEN => Err(Miss::Forgotten),
            Reply::Failed { code, reason } => Err(Miss::Failed { code, reason }),
            other => Err(Miss::Failed {
                code: "gone".to_owned(),
                reason: format!("unexpected answer {other:?}"),
            }),
        }
    }

    /// A plane as it is asked for: by its number if it is kept there, else with its values.
    fn source<'a>(&self, operand: Operand<'a>, arrays: &mut Vec<Sending<'a>>) -> Source {
        match operand.id {
            Some(id) if self.kept.contains(&id) => Source::Kept(id),
            id => {
                arrays.push(Sending::plane(operand.plane));
                Source::Sent(id)
            }
        }
    }

    /// Sends a classifier once; gives the name that it has there.
    fn classifier(&mut self, classifier: &Classifier) -> Result<String, Miss> {
        if let Some(name) = self.classifiers.get(&classifier.id()) {
            return Ok(name.clone());
        }
        let bytes = wire::encode(classifier).map_err(|e| Miss::Failed {
            code: "unsupported".to_owned(),
            reason: e.to_string(),
        })?;
        let name = blake3::hash(&bytes).to_hex().to_string();
        self.exchange(&Request::Classifier, &[Sending::bytes(&bytes)])?;
        self.classifiers.insert(classifier.id(), name.clone());
        Ok(name)
    }
}

fn pixels((height, width): (usize, usize)) -> u64 {
    height as u64 * width as u64
}

impl Accelerator for Remote {
    fn name(&self) -> String {
        let state = self.state();
        let name = state.link.as_ref().map(|l| l.adapter.clone());
        name.unwrap_or_else(|| "GPU".to_owned())
    }

    fn flat_field(
        &self,
        field: &FlatField,
        image: Operand<'_>,
        id: Option<u64>,
    ) -> Option<Array2<f32>> {
        let dim = image.plane.dim();
        if dim != field.divisor.dim() {
            return None;
        }
        let divisor = Plane::F32(field.divisor.view());
        let answer = self.ask(Operation::FlatField, pixels(dim), |link| {
            let mut arrays = Vec::new();
            let image = Operand {
                plane: image.plane.reborrow(),
                id: image.id,
            };
            let request = Request::FlatField {
                image: link.source(image, &mut arrays),
                offset: field.offset,
                keep: id,
            };
            arrays.push(Sending::plane(divisor.reborrow()));
            Ok(Asking { request, arrays })
        })?;
        match answer.into_plane()? {
            PlaneBuf::F32(plane) if plane.dim() == dim => Some(plane),
            _ => None,
        }
    }

    fn grey(
        &self,
        filter: GreyFilter,
        radius: usize,
        image: Operand<'_>,
        id: Option<u64>,
    ) -> Option<PlaneBuf> {
        let dim = image.plane.dim();
        let answer = self.ask(Operation::grey(radius), pixels(dim), |link| {
            let mut arrays = Vec::new();
            let request = Request::Grey {
                filter,
                radius,
                image: link.source(image, &mut arrays),
                keep: id,
            };
            Ok(Asking { request, arrays })
        })?;
        // In the type of the image, as it was asked for.
        let answer = answer.into_plane()?;
        let same = matches!(
            (&answer, &image.plane),
            (PlaneBuf::U8(_), Plane::U8(_))
                | (PlaneBuf::U16(_), Plane::U16(_))
                | (PlaneBuf::U32(_), Plane::U32(_))
                | (PlaneBuf::F32(_), Plane::F32(_))
        );
        (same && answer.view().dim() == dim).then_some(answer)
    }

    fn probabilities(
        &self,
        classifier: &Classifier,
        image: ArrayView4<'_, f32>,
    ) -> Option<Array4<f32>> {
        let (channels, z, y, x) = image.dim();
        let image = image.as_standard_layout();
        let values = image.as_slice()?;
        let answer = self.ask(Operation::Probabilities, (z * y * x) as u64, |link| {
            Ok(Asking {
                request: Request::Probabilities {
                    classifier: link.classifier(classifier)?,
                },
                arrays: vec![Sending::floats(vec![channels, z, y, x], values)],
            })
        })?;
        Array4::from_shape_vec((classifier.channels(), z, y, x), answer.into_floats()?).ok()
    }

    fn distances(&self, mask: ArrayView2<'_, bool>) -> Option<Array2<f64>> {
        let dim = mask.dim();
        let answer = self.ask(Operation::Distances, pixels(dim), |_| {
            let request = Request::Distances;
            let arrays = vec![Sending::mask(mask)];
            Ok(Asking { request, arrays })
        })?;
        match answer.into_plane()? {
            // The square root of a whole number is rounded once, as in `analysis`.
            PlaneBuf::U32(squares) if squares.dim() == dim => {
                Some(squares.mapv(|square| f64::from(square).sqrt()))
            }
            _ => None,
        }
    }

    fn label(
        &self,
        mask: ArrayView2<'_, bool>,
        connectivity: Connectivity,
    ) -> Option<(Array2<u32>, u32)> {
        let dim = mask.dim();
        let answer = self.ask(Operation::Label, pixels(dim), |_| {
            let request = Request::Label {
                corners: connectivity == Connectivity::Corners,
            };
            let arrays = vec![Sending::mask(mask)];
            Ok(Asking { request, arrays })
        })?;
        match answer.into_plane()? {
            PlaneBuf::U32(labels) if labels.dim() == dim => {
                // Numbered from 1 without gaps.
                let count = labels.iter().copied().max().unwrap_or(0);
                Some((labels, count))
            }
            _ => None,
        }
    }

    fn forget(&self) {
        let mut state = self.state();
        let Some(link) = &mut state.link else { return };
        if link.kept.drain().next().is_some() {
            // An answer that comes too late must not be taken for the next one's.
            if link.exchange(&Request::Forget, &[]).is_err() {
                state.link = None;
            }
        }
    }
}
