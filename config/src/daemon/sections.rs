//! The sections that appear once: state, server, workers, log.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::schema::field_order;
use crate::value::{ByteSize, Count, Gpu};

/// Where the daemon keeps its queue and its caches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(transform = field_order::<Self>)]
pub struct State {
    /// Folder of the queue (an SQLite database) and the caches. It must be on a local disk.
    #[schemars(with = "String", extend("format" = "path"))]
    pub dir: PathBuf,
    /// Accept a state folder on a network file system. SQLite's locks are unreliable there, and a queue can be lost:
    /// leave this off.
    pub allow_network: bool,
    /// Free space to keep on each volume that is written to. Below it the daemon pauses, and resumes by itself once
    /// there is room again; nothing fails for it.
    pub min_free: ByteSize,
    /// How long events and the logs of attempts are kept, in days.
    #[schemars(range(min = 1))]
    pub keep_days: u32,
    /// After how many days a plate that has ended, and whose images are no longer in the watched folder, is taken out of the
    /// queue and the page. Its results stay. By default never.
    #[schemars(example = 365)]
    pub keep_plates_days: Option<u32>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            dir: "/var/lib/wellspring".into(),
            allow_network: false,
            min_free: ByteSize::mib(1024),
            keep_days: 90,
            keep_plates_days: None,
        }
    }
}

/// The HTTP API and the web page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(transform = field_order::<Self>)]
pub struct Server {
    /// Address and port to listen on. Anything but a loopback address (`127.0.0.1`, `[::1]`) needs `token_file`.
    #[serde(deserialize_with = "address")]
    #[schemars(with = "String")]
    pub listen: SocketAddr,
    /// File with the access token that every request must carry, on its first line. Only the user that runs the daemon
    /// should be able to read it.
    #[schemars(with = "Option<String>", example = &"/etc/wellspring/token", extend("format" = "path"))]
    pub token_file: Option<PathBuf>,
    /// Names under which browsers may reach the daemon besides the address that it listens on, exact, without a port.
    /// Requests with another `Host` are refused, so that no web page elsewhere can talk to the daemon.
    #[schemars(example = vec!["microscopy.example.org"])]
    pub allowed_hosts: Vec<String>,
    /// Address under which people reach the page, for the links in messages (`[[notify]]`).
    #[schemars(example = &"https://microscopy.example.org")]
    pub public_url: Option<String>,
    /// Largest request body that is accepted.
    pub max_body: ByteSize,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8787)),
            token_file: None,
            allowed_hosts: Vec::new(),
            public_url: None,
            max_body: ByteSize::mib(1),
        }
    }
}

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    let text = String::deserialize(deserializer)?;
    // `localhost` is what people write; a resolver must not decide what the daemon listens on.
    let numeric = text
        .strip_prefix("localhost:")
        .map_or_else(|| text.clone(), |port| format!("127.0.0.1:{port}"));
    numeric.parse().map_err(|_| serde::de::Error::custom(format!("`{text}` is not an address and a port; write for example `127.0.0.1:8787`, `0.0.0.0:8787` or `[::1]:8787`")))
}

/// The processes that do the work, and the limits of one attempt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(transform = field_order::<Self>)]
pub struct Workers {
    /// How many worker processes run at the same time. `"auto"` chooses by cores and memory.
    pub count: Count,
    /// Threads of one worker. `"auto"` shares the cores among the workers.
    pub threads: Count,
    /// `"auto"`: the best real GPU, where it was measured to be faster than a processor, never a software renderer; `"off"`: none; or
    /// a part of the name of the adapter to use always.
    pub gpu: Gpu,
    /// An onnxruntime library (`libonnxruntime.so`, 1.17 or newer) that runs the neural networks, about twice as fast as the
    /// built-in engine. If it cannot be loaded, the built-in engine runs them, and the log and `wellspring doctor` say so.
    #[schemars(with = "Option<String>", example = &"/usr/lib/x86_64-linux-gnu/libonnxruntime.so.1", extend("format" = "path"))]
    pub onnxruntime: Option<PathBuf>,
    /// Memory that all workers together may use. A pass is started only if what it is expected to need is free; one that
    /// needs more than this runs alone. By default 80 % of what the machine, or the service's control group, has.
    #[schemars(example = ByteSize::mib(49152))]
    pub memory: Option<ByteSize>,
    /// Memory that one worker may use; above it the attempt is ended. By default as much as `memory`.
    #[schemars(example = ByteSize::mib(8192))]
    pub memory_limit: Option<ByteSize>,
    /// Longest time that one attempt of a job may take, in seconds. A job can set its own.
    #[schemars(range(min = 1))]
    pub time_limit_secs: u64,
    /// How often a task is tried before a failure that might pass (not a corrupt file) is final. A job can set its own.
    #[schemars(range(min = 1))]
    pub max_attempts: u32,
    /// How long a worker may be silent before its work is given to another, in seconds.
    #[schemars(range(min = 5))]
    pub lease_secs: u64,
    /// How long running work may go on when the daemon is asked to stop, in seconds. What is not done by then is
    /// started again after the next start, and no attempt is counted.
    pub grace_secs: u64,
    /// Folder in which jobs of the kind `command` get their working folders; by default that of the state. They need room for
    /// the inputs and outputs of every running program. Relative to this file.
    #[schemars(with = "Option<String>", example = &"/var/tmp/wellspring", extend("format" = "path"))]
    pub scratch: Option<PathBuf>,
    /// Named limits: how many passes may run at a time that have a job with this `limit`. Others go on meanwhile.
    pub limits: BTreeMap<String, u32>,
}

impl Default for Workers {
    fn default() -> Self {
        Self {
            count: Count::Auto,
            threads: Count::Auto,
            gpu: Gpu::Auto,
            onnxruntime: None,
            memory: None,
            memory_limit: None,
            time_limit_secs: 3600,
            max_attempts: 3,
            lease_secs: 60,
            grace_secs: 30,
            scratch: None,
            limits: BTreeMap::new(),
        }
    }
}

/// What the daemon tells about its work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(transform = field_order::<Self>)]
pub struct Log {
    /// `off`, `error`, `warn`, `info`, `debug` or `trace`, and after commas other levels for single modules, for example
    /// `info,watch=debug`.
    pub level: String,
    /// How a line is written.
    pub format: LogFormat,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            level: "info".to_owned(),
            format: LogFormat::Auto,
        }
    }
}

/// How a log line is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum LogFormat {
    /// `journald` under systemd, `text` on a terminal, else `json`.
    #[default]
    Auto,
    /// For people: one line each, coloured on a terminal.
    Text,
    /// One JSON object a line.
    Json,
    /// Text with the priority prefix that the systemd journal reads.
    Journald,
}
