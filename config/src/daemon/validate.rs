//! What the types alone cannot say; no look at the disk.

mod layout;
mod overlaps;
mod recipients;

use std::path::{Component, Path};

use layout::check_layout;
use recipients::check_public_url;
pub(super) use recipients::secret_files;

use super::overlap::normal;
use super::{DaemonConfig, Root, Workers, complete_rule};
use crate::problem::Problem;
use crate::suggest::did_you_mean;

/// More processes than this on one machine is a slip of the finger.
const MAX_WORKERS: u32 = 1024;

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

impl DaemonConfig {
    /// Everything that is wrong or doubtful, errors and warnings, without a look at the disk.
    #[must_use]
    pub fn validate(&self) -> Vec<Problem> {
        let mut found = Vec::new();
        self.check_server(&mut found);
        check_workers(&self.workers, &mut found);
        check_level(&self.log.level, &mut found);
        check_path("state.dir", &self.state.dir, &mut found);
        for dir in &self.workflow_dirs {
            check_path("workflow_dirs", dir, &mut found);
        }
        for (i, root) in self.roots.iter().enumerate() {
            check_root(&format!("root[{i}]"), root, &mut found);
        }
        self.check_overlaps(&|path: &Path| normal(path), &mut found);
        self.check_recipients(&mut found);
        found
    }

    fn check_server(&self, found: &mut Vec<Problem>) {
        let server = &self.server;
        if let Some(file) = &server.token_file {
            check_path("server.token_file", file, found);
        }
        if !server.listen.ip().to_canonical().is_loopback() {
            if server.token_file.is_none() {
                found.push(
                    Problem::error("server.listen", format!("`{}` can be reached from other machines, but no token protects it", server.listen))
                        .remedy("set `token_file` in `[server]` to a file with a secret, or listen on 127.0.0.1"),
                );
            }
            if server.allowed_hosts.is_empty() {
                found.push(
                    Problem::warning("server.listen", "browsers on other machines will be refused, because `allowed_hosts` is empty")
                        .remedy("list the names under which this machine is reached in `allowed_hosts`"),
                );
            }
        }
        for (i, host) in server.allowed_hosts.iter().enumerate() {
            let plain = !host.is_empty()
                && host
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "-._".contains(c));
            let literal = host
                .trim_start_matches('[')
                .trim_end_matches(']')
                .parse::<std::net::IpAddr>()
                .is_ok();
            if !plain && !literal {
                found.push(
                    Problem::error(format!("server.allowed_hosts[{i}]"), format!("`{host}` is not the name of a host"))
                        .remedy("write the bare name, without `http://`, port, path or `*`: `microscopy.example.org`"),
                );
            }
        }
        if let Some(url) = &server.public_url {
            check_public_url(url, found);
        }
        if server.max_body.bytes() < 1024 {
            found.push(
                Problem::error(
                    "server.max_body",
                    format!("`{}` is too small for any request", server.max_body),
                )
                .remedy("leave it at `1 MiB`"),
            );
        }
    }
}

fn check_workers(workers: &Workers, found: &mut Vec<Problem>) {
    for (key, count) in [
        ("workers.count", workers.count),
        ("workers.threads", workers.threads),
    ] {
        if let Some(n) = count.fixed().filter(|n| *n > MAX_WORKERS) {
            found.push(
                Problem::error(key, format!("{n} is more than {MAX_WORKERS}"))
                    .remedy("write `\"auto\"`, or about as many as the machine has cores"),
            );
        }
    }
    if workers.gpu.to_string().trim().is_empty() {
        found.push(
            Problem::error("workers.gpu", "the name of the GPU is empty")
                .remedy("write `\"auto\"`, `\"off\"` or a part of the adapter's name"),
        );
    }
    if let Some(file) = &workers.onnxruntime {
        check_path("workers.onnxruntime", file, found);
    }
    if workers
        .memory_limit
        .is_some_and(|limit| limit.bytes() < 64 << 20)
    {
        found.push(
            Problem::error(
                "workers.memory_limit",
                "a worker cannot run in less than 64 MiB",
            )
            .remedy("leave it out for no limit, or write for example `8 GiB`"),
        );
    }
    at_least("workers.time_limit_secs", workers.time_limit_secs, 1, found);
    at_least(
        "workers.max_attempts",
        u64::from(workers.max_attempts),
        1,
        found,
    );
    at_least("workers.lease_secs", workers.lease_secs, 5, found);
}

fn at_least(key: &str, value: u64, least: u64, found: &mut Vec<Problem>) {
    if value < least {
        found.push(
            Problem::error(key, format!("{value} is less than {least}")).remedy(format!(
                "write {least} or more, or leave it out for the default"
            )),
        );
    }
}

fn check_level(level: &str, found: &mut Vec<Problem>) {
    for part in level.split(',') {
        let word = part.rsplit('=').next().unwrap_or(part).trim();
        if LEVELS.iter().any(|l| l.eq_ignore_ascii_case(word)) {
            continue;
        }
        let near = did_you_mean(word, LEVELS).map_or_else(
            || format!("use one of {}", LEVELS.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        found
            .push(Problem::error("log.level", format!("`{word}` is not a log level")).remedy(near));
    }
}

fn check_path(key: &str, path: &Path, found: &mut Vec<Problem>) {
    if path.as_os_str().is_empty() {
        found.push(Problem::error(key, "the path is empty").remedy("write the path of a folder, or leave the option out"));
    } else if path.components().any(|c| matches!(c, Component::Normal(name) if name == "~" || name.as_encoded_bytes().starts_with(b"$"))) {
        found.push(
            Problem::error(key, format!("`~` and `$NAME` are not expanded in `{}`", path.display())).remedy("write the path out, beginning with `/`"),
        );
    }
}

fn check_root(key: &str, root: &Root, found: &mut Vec<Problem>) {
    check_path(&format!("{key}.path"), &root.path, found);
    check_path(&format!("{key}.output"), &root.output, found);
    if root.workflow.to_string().trim().is_empty() {
        found.push(
            Problem::error(format!("{key}.workflow"), "the workflow is empty")
                .remedy("write the name of a workflow, or the path of its file"),
        );
    }
    if root.naming.trim().is_empty() {
        found.push(
            Problem::error(format!("{key}.naming"), "the naming scheme is empty").remedy(
                "write a preset such as `batchlib`, or a regular expression with named groups",
            ),
        );
    }
    at_least(&format!("{key}.poll_secs"), root.poll_secs, 1, found);
    at_least(&format!("{key}.rescan_secs"), root.rescan_secs, 1, found);
    for (i, glob) in root
        .ignore
        .iter()
        .enumerate()
        .filter(|(_, glob)| glob.trim().is_empty())
    {
        found.push(
            Problem::error(
                format!("{key}.ignore[{i}]"),
                format!("`{glob}` is an empty glob"),
            )
            .remedy("take it out"),
        );
    }
    if root.plate_complete.is_empty() {
        found.push(
            Problem::error(
                format!("{key}.plate_complete"),
                "without a rule no plate would ever be complete",
            )
            .remedy("write for example `[\"manifest\", \"quiet:900\"]`"),
        );
    }
    for (i, rule) in root.plate_complete.iter().enumerate() {
        match complete_rule::check(rule) {
            Err(message) => found.push(Problem::error(
                format!("{key}.plate_complete[{i}]"),
                message,
            )),
            Ok(()) if rule == "expected" && root.layout.is_none() => found.push(
                Problem::error(
                    format!("{key}.plate_complete[{i}]"),
                    "the rule `expected` needs to know what a plate looks like",
                )
                .remedy("add a `[root.layout]` with `wells`, or with `rows` and `columns`"),
            ),
            Ok(()) => {}
        }
    }
    if let Some(layout) = &root.layout {
        check_layout(&format!("{key}.layout"), layout, found);
    }
}
