//! `wellspring doctor`: is this machine fit, and if not, what to do.

use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::args::DoctorOptions;
use crate::commands::config as configuration;
use crate::output;

/// How a check went.
#[derive(Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Ok,
    Note,
    Problem,
}

/// One check with its finding and, where something is wrong, the remedy.
#[derive(Serialize)]
struct Check {
    name: String,
    verdict: Verdict,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

fn check(
    name: impl Into<String>,
    verdict: Verdict,
    detail: impl Into<String>,
    remedy: Option<&str>,
) -> Check {
    Check {
        name: name.into(),
        verdict,
        detail: detail.into(),
        remedy: remedy.map(str::to_owned),
    }
}

/// Runs all checks. Exit code 1 where one found a problem.
pub fn run(options: &DoctorOptions, json: bool) -> anyhow::Result<ExitCode> {
    let mut checks = vec![build(), hdf5(), limits(), cores()];
    let mut folders: Vec<(&str, PathBuf)> = options
        .folders
        .iter()
        .map(|f| ("folder", f.clone()))
        .collect();
    let mut wanted = options.gpu.clone();
    if let Some(file) = options.config.clone().or_else(configuration::default_file) {
        match configuration::load(&file, Vec::new()) {
            Ok(loaded) => {
                checks.push(check(
                    "configuration",
                    Verdict::Ok,
                    format!("`{}` is valid", file.display()),
                    None,
                ));
                wanted.get_or_insert_with(|| loaded.config.workers.gpu.clone());
                checks.push(networks_engine(
                    loaded.config.workers.onnxruntime.as_deref(),
                ));
                checks.push(state(
                    &loaded.config.state.dir,
                    loaded.config.state.allow_network,
                ));
                checks.extend(loaded.config.recipients.iter().map(told));
                for root in &loaded.config.roots {
                    checks.push(watched(root));
                    folders.push(("output", root.output.clone()));
                    checks.extend(missing_programs(&loaded.config, root));
                    if let Err(error) = engine::check_root(&loaded.config, root) {
                        checks.push(check("workflow", Verdict::Problem, error.to_string(), Some("correct the workflow; `wellspring workflow check FILE` shows all mistakes")));
                    }
                }
            }
            Err(error) => checks.push(check(
                "configuration",
                Verdict::Problem,
                format!("{error:#}"),
                Some("correct the file; `wellspring config init` prints one with every option"),
            )),
        }
    }
    checks.extend(gpu(&wanted.unwrap_or_default()));
    for (what, path) in folders {
        checks.push(folder(what, &path));
    }
    let bad = checks.iter().any(|c| c.verdict == Verdict::Problem);
    if json {
        output::json(&serde_json::json!({ "ok": !bad, "checks": checks }))?;
    } else {
        for c in &checks {
            let mark = match c.verdict {
                Verdict::Ok => "ok     ",
                Verdict::Note => "note   ",
                Verdict::Problem => "PROBLEM",
            };
            output::line(format!("{mark}  {:14} {}", c.name, c.detail));
            if let Some(remedy) = &c.remedy {
                output::line(format!("         {:14} hint: {remedy}", ""));
            }
        }
    }
    Ok(if bad {
        ExitCode::from(1)
    } else {
        ExitCode::SUCCESS
    })
}

/// Whether somebody who wants to be told can be told; nothing is sent.
fn told(recipient: &config::Recipient) -> Check {
    let addressee = notices::Addressee::new(recipient.clone());
    let name = format!("`{}`, {addressee}", addressee.name());
    match addressee.check() {
        Ok(()) => check(
            "notify",
            Verdict::Ok,
            format!("{name}; try it with `wellspring notify test`"),
            None,
        ),
        Err(error) => check(
            "notify",
            Verdict::Problem,
            format!("{name}: {error}"),
            Some(&error.remedy()),
        ),
    }
}

/// What the workflow of a root needs besides itself.
fn missing_programs(config: &config::DaemonConfig, root: &config::Root) -> Vec<Check> {
    // A workflow that cannot be loaded at all is a check of its own.
    let missing = engine::missing_here(config, root).unwrap_or_default();
    let tell = |sentence| {
        let remedy = "install what is missing, or correct the workflow; such jobs fail until then";
        check("program", Verdict::Problem, sentence, Some(remedy))
    };
    missing.into_iter().map(tell).collect()
}

fn build() -> Check {
    if faults::ENABLED {
        check(
            "build",
            Verdict::Note,
            format!("{}, fault injection compiled in", env!("CARGO_PKG_VERSION")),
            Some("this program is for the project's own tests; install a release"),
        )
    } else {
        check("build", Verdict::Ok, env!("CARGO_PKG_VERSION"), None)
    }
}

fn hdf5() -> Check {
    let (major, minor, patch) = image_io::hdf5_version();
    check(
        "HDF5",
        Verdict::Ok,
        format!("{major}.{minor}.{patch}, built in"),
        None,
    )
}

fn limits() -> Check {
    match watch::inotify_limits() {
        Ok(limits) => {
            let detail = format!(
                "{} watches, {} instances, {} queued events",
                limits.max_user_watches, limits.max_user_instances, limits.max_queued_events
            );
            if limits.max_user_watches < 65_536 {
                check(
                    "inotify",
                    Verdict::Note,
                    detail,
                    Some(
                        "one watch is needed a folder; raise it with `sysctl fs.inotify.max_user_watches=524288`",
                    ),
                )
            } else {
                check("inotify", Verdict::Ok, detail, None)
            }
        }
        Err(error) => check(
            "inotify",
            Verdict::Note,
            error.to_string(),
            Some("folders are polled instead"),
        ),
    }
}

fn cores() -> Check {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = memory
        .lines()
        .find_map(|l| l.strip_prefix("MemTotal:"))
        .and_then(|l| l.split_whitespace().next()?.parse::<u64>().ok())
        .unwrap_or(0);
    check(
        "machine",
        Verdict::Ok,
        format!("{cores} cores, {} MiB of memory", total / 1024),
        None,
    )
}

/// The adapters with what they can do; the one that would be used is measured.
fn gpu(wanted: &config::Gpu) -> Vec<Check> {
    if !gpu_worker::BUILT_IN {
        let text = "this program was built without GPU kernels; everything runs on the CPU";
        return vec![check("GPU", Verdict::Note, text, None)];
    }
    let adapters: Vec<gpu_kernels::AdapterInfo> = match asked(&["gpu", "--list"]) {
        Ok(adapters) => adapters,
        Err(reason) => {
            return vec![check(
                "GPU",
                Verdict::Problem,
                format!("the drivers cannot be asked: {reason}"),
                Some("look at the Vulkan drivers of this machine, or set gpu = \"off\""),
            )];
        }
    };
    let wanted = wanted.to_string();
    let chosen = gpu_kernels::choose(&adapters, &wanted);
    let mut checks = Vec::new();
    for adapter in &adapters {
        let used = chosen.is_some_and(|c| std::ptr::eq(c, adapter));
        let why = match (used, adapter.kind) {
            (true, _) => format!(", chosen by gpu = \"{wanted}\""),
            (false, gpu_kernels::DeviceKind::Software) => {
                ", software on the CPU: used only if it is named".to_owned()
            }
            (false, _) => String::new(),
        };
        checks.push(check(
            "GPU",
            Verdict::Ok,
            format!(
                "{} ({:?}, {}, {}; buffers of {} MiB, bindings of {} MiB){why}",
                adapter.name,
                adapter.kind,
                adapter.backend,
                adapter.driver,
                adapter.max_buffer_bytes >> 20,
                adapter.max_binding_bytes >> 20,
            ),
            None,
        ));
        if used {
            output::note("measuring the GPU …");
            checks.push(measured(&wanted));
        }
    }
    if chosen.is_none() {
        let named = !matches!(wanted.as_str(), "auto" | "off");
        checks.push(check(
            "GPU",
            if named {
                Verdict::Problem
            } else {
                Verdict::Note
            },
            format!("gpu = \"{wanted}\" uses none; everything runs on the CPU"),
            named.then_some(
                "correct [workers] gpu, or install the driver of the device (for Vulkan)",
            ),
        ));
    }
    checks
}

/// What this program says as JSON in a process of its own: a driver may crash or hang.
fn asked<T: serde::de::DeserializeOwned>(arguments: &[&str]) -> Result<T, String> {
    /// Longer than any driver takes.
    const PATIENCE: Duration = Duration::from_secs(180);
    let spawned = std::env::current_exe().and_then(|program| {
        std::process::Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
    });
    let mut child = spawned.map_err(|error| error.to_string())?;
    let begin = Instant::now();
    // What it says fits into the pipes.
    while matches!(child.try_wait(), Ok(None)) {
        if begin.elapsed() > PATIENCE {
            let _ = child.kill();
            return Err(format!("no answer within {} s", PATIENCE.as_secs()));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let output = child
        .wait_with_output()
        .map_err(|error| error.to_string())?;
    serde_json::from_slice(&output.stdout).map_err(|_| {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().last().unwrap_or("it ended without a word");
        format!("{}: {last}", output.status)
    })
}

/// Measures a device.
fn measured(wanted: &str) -> Check {
    let failed = |reason: String| {
        check(
            "GPU speed",
            Verdict::Note,
            format!("it cannot be measured: {reason}"),
            Some("look at the driver; until it works everything runs on the CPU"),
        )
    };
    let adapter = format!("--adapter={wanted}");
    let answer: serde_json::Value = match asked(&["gpu", "--measure", &adapter]) {
        Ok(answer) => answer,
        Err(reason) => return failed(reason),
    };
    let number = |name: &str| answer["bandwidth"][name].as_f64();
    let (Some(up), Some(down), Some(copy), Some(latency)) = (
        number("upload"),
        number("download"),
        number("copy"),
        number("latency_us"),
    ) else {
        return failed("an answer without figures".to_owned());
    };
    let balance = answer["balance"].as_str().unwrap_or_default();
    let forced = if wanted == "auto" {
        ""
    } else {
        "; used all the same, because it is named"
    };
    check(
        "GPU speed",
        Verdict::Ok,
        format!(
            "{up:.1} GB/s to it, {down:.1} GB/s back, {copy:.0} GB/s within, {latency:.0} us a request; faster than one thread: {balance}{forced}"
        ),
        None,
    )
}

/// What runs neural networks.
fn networks_engine(library: Option<&Path>) -> Check {
    let built_in = networks::engine::builtin_name();
    let Some(path) = library else {
        return check(
            "networks",
            Verdict::Ok,
            format!("{built_in}, built in"),
            None,
        );
    };
    match networks::engine::check_library(path) {
        Ok(version) => check(
            "networks",
            Verdict::Ok,
            format!("onnxruntime {version}, `{}`", path.display()),
            None,
        ),
        Err(error) => check(
            "networks",
            Verdict::Problem,
            format!("{error}; {built_in} runs the networks instead, about half as fast"),
            Some(error.remedy()),
        ),
    }
}

fn state(path: &Path, allow_network: bool) -> Check {
    // The folder is made at the first start: what counts is the file system that it will lie on.
    let existing = path.ancestors().find(|p| p.exists()).unwrap_or(path);
    match watch::fs_kind(existing) {
        Ok(kind) if kind.network && !allow_network => check(
            "state",
            Verdict::Problem,
            format!(
                "`{}` is on {}, a network file system",
                path.display(),
                kind.name
            ),
            Some("put [state] dir on a local disk: SQLite's locks are unreliable elsewhere"),
        ),
        Ok(kind) => check(
            "state",
            Verdict::Ok,
            format!(
                "`{}` on {}, {}",
                path.display(),
                kind.name,
                free_space(existing)
            ),
            None,
        ),
        Err(error) => check(
            "state",
            Verdict::Problem,
            error.to_string(),
            Some("make the folder, or choose another one in [state] dir"),
        ),
    }
}

/// A watched folder: how, and why so.
fn watched(root: &config::Root) -> Check {
    match watch::fs_kind(&root.path) {
        Ok(kind) => {
            let (mode, why) = engine::planned_mode(root, &kind);
            let path = root.path.display();
            let (how, free) = (mode.as_str(), free_space(&root.path));
            let detail = format!("`{path}` on {}, watched: {how} ({why}), {free}", kind.name);
            check("root", Verdict::Ok, detail, None)
        }
        Err(_) => folder("root", &root.path),
    }
}

fn folder(what: &str, path: &Path) -> Check {
    match watch::fs_kind(path) {
        Ok(kind) => check(
            what,
            Verdict::Ok,
            format!(
                "`{}` on {}, {}",
                path.display(),
                kind.name,
                free_space(path)
            ),
            None,
        ),
        Err(_) if what == "output" && path.ancestors().any(Path::exists) => check(
            what,
            Verdict::Note,
            format!("`{}` does not exist yet", path.display()),
            Some("it is made with the first result"),
        ),
        Err(error) => check(
            what,
            Verdict::Problem,
            format!("`{}`: {error}", path.display()),
            Some("mount the share or make the folder, and give the service's user access to it"),
        ),
    }
}

fn free_space(path: &Path) -> String {
    engine::Volume::of(path).map_or_else(
        || "free space unknown".to_owned(),
        |volume| format!("{} GiB free", volume.free >> 30),
    )
}
