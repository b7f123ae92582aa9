//! Every kernel on a GPU beside the CPU path of `analysis`, and the whole prediction of a real ilastik project: `make bench-gpu`.
//!
//! What the columns mean is told in docs/guide/benchmarks.md. Ends with an error if there is no adapter, or results differ.
#![allow(missing_docs)]
// A view is a pointer and a few numbers: ndarray passes it by value.
#![allow(clippy::needless_pass_by_value)]

mod answer;
mod classify;
mod data;
mod options;
mod planes;
mod project;
mod shapes;
mod table;
mod timing;

use std::process::ExitCode;
use std::time::Duration;

use gpu_kernels::measure::{Bandwidth, bandwidth};
use gpu_kernels::{Error, Gpu, adapters, example};
use options::Options;
use project::{Given, RECORDED};
use rayon::ThreadPoolBuilder;
use timing::{Bench, Entry, Row};

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let done = match Options::parse(std::env::args().skip(1)) {
        Ok(Some(options)) => run(&options),
        Ok(None) => {
            println!("{}", options::USAGE);
            return ExitCode::SUCCESS;
        }
        Err(error) => Err(format!("{error}\n{}", options::USAGE).into()),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("error: some results differ from those of the CPU, or could not be measured");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn open(options: &Options) -> Result<Gpu, Failure> {
    let how = gpu_kernels::Options {
        memory: options.memory,
        // Several runs in a row are one wait, which is long on software.
        time_limit: Duration::from_secs(600),
        ..gpu_kernels::Options::default()
    };
    Gpu::open(&options.adapter, how).map_err(|error| {
        let mut text = error.to_string();
        let there = adapters();
        if there.is_empty() {
            text += "\nadapters: none";
        }
        for adapter in there {
            text += &format!("\nadapter: {} ({:?})", adapter.name, adapter.kind);
        }
        text.into()
    })
}

fn run(options: &Options) -> Result<bool, Failure> {
    let gpu = open(options)?;
    let adapter = gpu.adapter();
    println!("{} ({:?}), {}", adapter.name, adapter.kind, adapter.driver);
    if gpu.is_software() {
        println!("WARNING: software on the CPU. Results are checked; the figures mean nothing.");
    }
    if cfg!(debug_assertions) {
        println!("WARNING: built without optimisation. The figures mean nothing.");
    }
    let bandwidth = bandwidth(&gpu)?;
    println!(
        "copy {:.2} GB/s (read and write), upload {:.2} GB/s, download {:.2} GB/s, {:.0} us to and fro",
        bandwidth.copy, bandwidth.upload, bandwidth.download, bandwidth.latency_us
    );
    let bench = Bench {
        rounds: options.rounds,
        one: ThreadPoolBuilder::new().num_threads(1).build()?,
        all: ThreadPoolBuilder::new().build()?,
        gpu,
    };
    let threads = bench.all.current_num_threads();
    let mut report = Report {
        rows: Vec::new(),
        failed: Vec::new(),
        bandwidth,
    };
    table::header(threads);
    kernels(options, &bench, &mut report)?;
    prediction(options, &bench, &mut report)?;
    if let Some(path) = &options.json {
        let text = serde_json::to_string_pretty(&report.json(&bench))?;
        std::fs::write(path, text + "\n")?;
    }
    let agree = report.rows.iter().all(|row| row.agrees != Some(false));
    Ok(agree && report.failed.is_empty())
}

/// What was measured so far.
struct Report {
    rows: Vec<Row>,
    /// Names, and why they have no figures.
    failed: Vec<(String, String)>,
    bandwidth: Bandwidth,
}

impl Report {
    /// # Errors
    /// Only if nothing more can be measured.
    fn take(&mut self, name: &str, row: Result<Row, Failure>) -> Result<(), Failure> {
        match row {
            Ok(row) => {
                table::row(&row, &self.bandwidth);
                self.rows.push(row);
            }
            Err(error) => {
                let gone = matches!(
                    error.downcast_ref(),
                    Some(Error::Lost(_) | Error::TimedOut(_))
                );
                if gone {
                    return Err(format!("{name}: {error}").into());
                }
                table::without_figures(name, &error.to_string());
                self.failed.push((name.to_owned(), error.to_string()));
            }
        }
        Ok(())
    }

    fn json(&self, bench: &Bench) -> serde_json::Value {
        serde_json::json!({
            "adapter": bench.gpu.adapter(),
            "software": bench.gpu.is_software(),
            "optimised": !cfg!(debug_assertions),
            "cpu_threads": bench.all.current_num_threads(),
            "bandwidth_gb_per_s": self.bandwidth,
            "ilastik_recorded_cpu_s_per_megapixel": RECORDED,
            "rows": self.rows,
            "not_measured": self.failed,
        })
    }
}

fn kernels(options: &Options, bench: &Bench, report: &mut Report) -> Result<(), Failure> {
    let wanted = |name: &str| name.contains(&options.only);
    let classifier = example::classifier();
    let mut measure = |entry: Entry<'_>| -> Result<(), Failure> {
        if !wanted(&entry.name) {
            return Ok(());
        }
        let row = (entry.make)().and_then(|case| bench.measure(&entry.name, &case));
        report.take(&entry.name, row)
    };
    for &side in &options.sides {
        let planes = data::Planes::new(side);
        let mut entries = planes::entries(&bench.gpu, &planes);
        entries.extend(shapes::entries(&bench.gpu, &planes));
        entries.extend(classify::entries(&bench.gpu, &planes, &classifier));
        for entry in entries {
            measure(entry)?;
        }
    }
    let volume = data::volume(options.volume);
    measure(classify::volume_entry(&bench.gpu, &volume, &classifier))?;
    if options.only.is_empty() {
        println!("eigenvalues (2 x 2 and 3 x 3) are a part of the features and not timed alone");
    }
    Ok(())
}

/// The real project, on its own image and on a tile made of it.
fn prediction(options: &Options, bench: &Bench, report: &mut Report) -> Result<(), Failure> {
    if !"ilastik project, tiled".contains(&options.only) {
        return Ok(());
    }
    let Some(given) = Given::read(&options.project)? else {
        return Ok(());
    };
    let tile = (options.tile > 0).then_some(Some(options.tile));
    let images = [
        ("ilastik project", Some(None)),
        ("ilastik project, tiled", tile),
    ];
    for (name, side) in images {
        let Some(side) = side else { continue };
        let row = given.measure(bench, name, &given.image(side));
        report.take(name, row)?;
    }
    let recorded = 1.0 / RECORDED;
    println!(
        "ilastik 1.4.2 with this project: {recorded:.2} MP/s a core (recorded, not measured here)"
    );
    let rows = report
        .rows
        .iter()
        .filter(|row| row.name.starts_with("ilastik"));
    for row in rows {
        let times = |times: &Option<timing::Times>| {
            times.map_or_else(String::new, |times| {
                let ratio = row.megapixels / times.median / recorded;
                format!("{ratio:.1} times")
            })
        };
        println!(
            "{} {}: {} with transfers, {} on the device, {} the CPU path on one thread",
            row.name,
            row.size,
            times(&row.gpu_with_transfers),
            times(&row.gpu_on_device),
            times(&row.cpu_one_thread)
        );
    }
    Ok(())
}
