//! How a kernel and its CPU path are timed: in turns, so that a change of the machine's mood meets both.

use std::time::Instant;

use gpu_kernels::Gpu;
use rayon::ThreadPool;
use serde::Serialize;

use crate::Failure;
use crate::answer::{Answer, Closeness, compared};

/// Seconds that the rounds of one kernel may take before there are fewer of them, and how many there are then at least.
const PATIENCE: f64 = 60.0;
const FEW: usize = 3;
/// Seconds that runs in a row should take together, so that waiting for the last one does not count, and how many they are at most.
const ROW: f64 = 0.1;
const MOST_IN_A_ROW: f64 = 50.0;

pub type Run<'a> = Box<dyn Fn() -> Result<Answer, Failure> + Send + Sync + 'a>;
pub type Enqueue<'a> = Box<dyn Fn() -> gpu_kernels::Result<()> + 'a>;

/// A kernel on some input. What is `None` cannot be measured.
pub struct Case<'a> {
    pub size: String,
    pub pixels: usize,
    /// What must be read and written at least.
    pub bytes: f64,
    /// From the CPU's memory to the CPU's memory.
    pub with_transfers: Option<Run<'a>>,
    /// From the device's memory to the device's memory, without waiting.
    pub on_device: Option<Enqueue<'a>>,
    pub cpu: Option<Run<'a>>,
    /// Whether the CPU path uses several threads.
    pub parallel: bool,
    pub closeness: Closeness,
}

/// A kernel that is prepared only if it is wanted.
pub struct Entry<'a> {
    pub name: String,
    pub make: Box<dyn FnOnce() -> Result<Case<'a>, Failure> + 'a>,
}

/// Seconds.
#[derive(Clone, Copy, Serialize)]
pub struct Times {
    pub median: f64,
    pub min: f64,
    pub max: f64,
}

impl Times {
    fn of(mut all: Vec<f64>) -> Option<Self> {
        all.sort_by(f64::total_cmp);
        let (min, max) = (*all.first()?, *all.last()?);
        let middle = all.len() / 2;
        let median = if all.len().is_multiple_of(2) {
            f64::midpoint(all[middle - 1], all[middle])
        } else {
            all[middle]
        };
        Some(Self { median, min, max })
    }
}

/// What was measured.
#[derive(Serialize)]
pub struct Row {
    pub name: String,
    pub size: String,
    pub megapixels: f64,
    pub bytes_per_pixel: f64,
    pub rounds: usize,
    #[serde(rename = "gpu_with_transfers_s")]
    pub gpu_with_transfers: Option<Times>,
    #[serde(rename = "gpu_on_device_s")]
    pub gpu_on_device: Option<Times>,
    #[serde(rename = "cpu_one_thread_s")]
    pub cpu_one_thread: Option<Times>,
    #[serde(rename = "cpu_all_threads_s")]
    pub cpu_all_threads: Option<Times>,
    /// Whether both sides agree; `None` without a CPU path.
    pub agrees: Option<bool>,
    /// What is to be said of it.
    pub note: String,
}

/// What measurements need.
pub struct Bench {
    pub gpu: Gpu,
    pub rounds: usize,
    pub one: ThreadPool,
    pub all: ThreadPool,
}

impl Bench {
    /// # Errors
    /// Whatever the kernel's or the CPU's functions say.
    pub fn measure(&self, name: &str, case: &Case<'_>) -> Result<Row, Failure> {
        let mut estimate = 0.0;
        let mut first = |run: Option<&Run<'_>>| match run {
            Some(run) => {
                let (seconds, answer) = self.all.install(|| timed(run))?;
                estimate += seconds;
                Ok::<_, Failure>(Some(answer))
            }
            None => Ok(None),
        };
        let ours = first(case.with_transfers.as_ref())?;
        let theirs = first(case.cpu.as_ref())?;
        let (agrees, note) = match (&ours, &theirs) {
            (Some(ours), Some(theirs)) => {
                let wrong = compared(ours, theirs, &case.closeness);
                (Some(wrong.is_none()), wrong.unwrap_or_default())
            }
            _ => (None, String::new()),
        };
        drop((ours, theirs));
        if case.parallel {
            // One thread takes as many times longer.
            estimate *= 1.0 + self.all.current_num_threads() as f64;
        }
        let in_a_row = match &case.on_device {
            Some(enqueue) => {
                // The first run compiles.
                self.in_a_row(enqueue, 1)?;
                let seconds = self.in_a_row(enqueue, 1)?;
                (ROW / seconds).clamp(1.0, MOST_IN_A_ROW) as u32
            }
            None => 0,
        };
        let rounds = (PATIENCE / estimate.max(1e-9)) as usize;
        let rounds = rounds.max(FEW).min(self.rounds);
        let mut times: [Vec<f64>; 4] = Default::default();
        for _ in 0..rounds {
            if let Some(run) = &case.with_transfers {
                times[0].push(timed(run)?.0);
            }
            if let Some(enqueue) = &case.on_device {
                times[1].push(self.in_a_row(enqueue, in_a_row)?);
            }
            if let Some(run) = &case.cpu {
                times[2].push(self.one.install(|| timed(run))?.0);
                if case.parallel {
                    times[3].push(self.all.install(|| timed(run))?.0);
                }
            }
        }
        let [with, without, one, all] = times.map(Times::of);
        Ok(Row {
            name: name.to_owned(),
            size: case.size.clone(),
            megapixels: case.pixels as f64 / 1e6,
            bytes_per_pixel: case.bytes / case.pixels as f64,
            rounds,
            gpu_with_transfers: with,
            gpu_on_device: without,
            cpu_one_thread: one,
            cpu_all_threads: all,
            agrees,
            note,
        })
    }

    /// Seconds of one run, of several without a pause.
    fn in_a_row(&self, enqueue: &Enqueue<'_>, times: u32) -> Result<f64, Failure> {
        let begin = Instant::now();
        for _ in 0..times {
            enqueue()?;
        }
        // The queue is done in order: when this is done, all is.
        self.gpu.batch().finish()?;
        Ok(begin.elapsed().as_secs_f64() / f64::from(times))
    }
}

/// Seconds without those of giving the result's memory back.
fn timed(run: impl Fn() -> Result<Answer, Failure>) -> Result<(f64, Answer), Failure> {
    let begin = Instant::now();
    let answer = run()?;
    Ok((begin.elapsed().as_secs_f64(), answer))
}
