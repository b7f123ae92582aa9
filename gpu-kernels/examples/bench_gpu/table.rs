//! The table on stdout, row by row as it is measured.

use gpu_kernels::measure::Bandwidth;

use crate::timing::{Row, Times};

const NAME: usize = 25;
const SIZE: usize = 16;
const NUMBER: usize = 9;

pub fn header(threads: usize) {
    let columns = [
        "GPU", "GPU", "bytes", "GB/s", "% of", "CPU MP/s", "CPU MP/s", "GPU/CPU", "GPU/CPU",
    ];
    line("", "", &columns.map(str::to_owned), "");
    let all = format!("{threads} thr.");
    let columns = [
        "all MP/s", "dev MP/s", "/pixel", "moved", "copy", "1 thr.", &all, "all", "dev",
    ];
    line("kernel", "size", &columns.map(str::to_owned), "result");
}

/// A row: rates of medians, and the ratios to the fastest CPU path.
pub fn row(row: &Row, bandwidth: &Bandwidth) {
    let rate = |times: &Option<Times>| times.map(|times| row.megapixels / times.median);
    let [with, without] = [&row.gpu_with_transfers, &row.gpu_on_device].map(rate);
    let [one, all] = [&row.cpu_one_thread, &row.cpu_all_threads].map(rate);
    let best = one.into_iter().chain(all).reduce(f64::max);
    let ratio = |ours: Option<f64>| ours.zip(best).map(|(ours, best)| ours / best);
    let moved = without.map(|rate| rate * row.bytes_per_pixel / 1e3);
    let columns = [
        with,
        without,
        Some(row.bytes_per_pixel),
        moved,
        moved.map(|moved| 100.0 * moved / bandwidth.copy),
        one,
        all,
        ratio(with),
        ratio(without),
    ];
    let result = match row.agrees {
        Some(true) => "agrees",
        Some(false) => "DIFFERS",
        None => "",
    };
    let result = format!("{result} {}", row.note);
    line(&row.name, &row.size, &columns.map(number), result.trim());
}

/// A row that says why it has no figures.
pub fn without_figures(name: &str, why: &str) {
    println!("{name:NAME$} not measured: {why}");
}

fn line(name: &str, size: &str, columns: &[String], result: &str) {
    let columns: String = columns.iter().map(|c| format!("{c:>NUMBER$}")).collect();
    let line = format!("{name:NAME$} {size:SIZE$}{columns}  {result}");
    println!("{}", line.trim_end());
}

/// Three digits that count.
fn number(value: Option<f64>) -> String {
    let Some(value) = value else {
        return "-".to_owned();
    };
    let places = match value {
        _ if value >= 100.0 => 0,
        _ if value >= 10.0 => 1,
        _ if value >= 1.0 => 2,
        _ => 3,
    };
    format!("{value:.places$}")
}
