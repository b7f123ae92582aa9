//! `wellspring doctor`: is this machine fit, and if not, what to do.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

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
    checks.extend(gpu());
    let mut folders: Vec<(&str, PathBuf)> = options
        .folders
        .iter()
        .map(|f| ("folder", f.clone()))
        .collect();
    if let Some(file) = options.config.clone().or_else(configuration::default_file) {
        match configuration::load(&file, Vec::new()) {
            Ok(loaded) => {
                checks.push(check(
                    "configuration",
                    Verdict::Ok,
                    format!("`{}` is valid", file.display()),
                    None,
                ));
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

fn gpu() -> Vec<Check> {
    let adapters = gpu_kernels::adapters();
    if adapters.is_empty() {
        return vec![check(
            "GPU",
            Verdict::Note,
            "no adapter; everything runs on the CPU",
            None,
        )];
    }
    let chosen = gpu_kernels::choose(&adapters, "auto").map(|a| a.name.clone());
    adapters
        .iter()
        .map(|a| {
            let used = if chosen.as_deref() == Some(&a.name) {
                ", chosen by gpu = \"auto\""
            } else {
                ""
            };
            check(
                "GPU",
                Verdict::Ok,
                format!(
                    "{} ({:?}, {}, {}){used}",
                    a.name, a.kind, a.backend, a.driver
                ),
                None,
            )
        })
        .collect()
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
