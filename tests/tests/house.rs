//! The house stands as the design draws it: dependencies point one way.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// What each of our crates may stand on.
const ALLOWED: &[(&str, &[&str])] = &[
    ("config", &[]),
    ("faults", &[]),
    ("plate", &[]),
    ("analysis", &[]),
    ("networks", &[]),
    ("image-io", &["faults", "plate"]),
    ("ilastik", &["analysis", "image-io"]),
    ("report", &["plate", "image-io"]),
    ("gpu-kernels", &["analysis"]),
    (
        "workflow",
        &[
            "config", "faults", "plate", "image-io", "analysis", "ilastik", "networks", "report",
        ],
    ),
    ("queue", &["faults"]),
    ("watch", &[]),
    ("gpu-worker", &["analysis", "gpu-kernels", "faults"]),
    (
        "worker",
        &[
            "workflow",
            "plate",
            "config",
            "faults",
            "analysis",
            "gpu-worker",
        ],
    ),
    (
        "engine",
        &[
            "config",
            "faults",
            "plate",
            "image-io",
            "queue",
            "watch",
            "worker",
            "workflow",
            "gpu-worker",
        ],
    ),
    ("notices", &["config", "faults", "queue"]),
    ("viewer", &[]),
    ("render", &["viewer", "plate", "image-io", "report"]),
    ("server", &["queue", "plate", "viewer"]),
    ("cli", &[]),
    ("black-box", &["faults"]),
    (
        "fuzz",
        &[
            "config", "ilastik", "plate", "image-io", "queue", "server", "viewer", "worker",
            "workflow",
        ],
    ),
];

/// Crates that must not be reachable, however far down.
const FORBIDDEN: &[(&str, &[&str])] = &[
    ("analysis", &["tokio", "rusqlite", "hdf5-metno"]),
    ("networks", &["tokio", "rusqlite", "hdf5-metno"]),
    ("queue", &["ndarray", "hdf5-metno", "tokio"]),
    ("watch", &["rusqlite", "tokio"]),
    ("image-io", &["tokio", "rusqlite"]),
    ("ilastik", &["tokio", "rusqlite"]),
    ("gpu-kernels", &["rusqlite", "hdf5-metno"]),
    ("gpu-worker", &["rusqlite", "hdf5-metno"]),
    ("report", &["tokio", "rusqlite"]),
    ("notices", &["hdf5-metno", "ndarray"]),
    ("viewer", &["hdf5-metno", "ndarray", "rusqlite"]),
    ("render", &["rusqlite"]),
    ("server", &["hdf5-metno", "ndarray"]),
    ("cli", &["tokio", "rusqlite", "hdf5-metno"]),
];

type Graph = BTreeMap<String, BTreeSet<String>>;

/// What Cargo says of the workspace, with the default features of all its crates.
fn metadata() -> serde_json::Value {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let manifest = black_box::binary::repository().join("Cargo.toml");
    let output = Command::new(cargo)
        .args([
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--manifest-path",
        ])
        .arg(manifest)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Normal and build dependencies of every package, ours by name.
fn graph() -> (Graph, BTreeSet<String>) {
    let metadata = metadata();
    let name_of: BTreeMap<&str, &str> = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| (p["id"].as_str().unwrap(), p["name"].as_str().unwrap()))
        .collect();
    let ours = metadata["workspace_members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|id| name_of[id.as_str().unwrap()].to_owned())
        .collect();
    let mut graph = Graph::new();
    for node in metadata["resolve"]["nodes"].as_array().unwrap() {
        let normal = |d: &&serde_json::Value| {
            d["dep_kinds"]
                .as_array()
                .unwrap()
                .iter()
                .any(|k| k["kind"] != "dev")
        };
        let needs = node["deps"]
            .as_array()
            .unwrap()
            .iter()
            .filter(normal)
            .map(|d| name_of[d["pkg"].as_str().unwrap()].to_owned());
        graph
            .entry(name_of[node["id"].as_str().unwrap()].to_owned())
            .or_default()
            .extend(needs);
    }
    (graph, ours)
}

#[test]
fn dependencies_point_one_way() {
    let (graph, ours) = graph();
    for name in ours.iter().filter(|n| *n != "wellspring") {
        let (_, allowed) = ALLOWED.iter().find(|(n, _)| n == name).unwrap_or_else(|| panic!("crate `{name}` has no place in the house: add it to ALLOWED and to docs/architecture.md"));
        for needed in graph[name].intersection(&ours) {
            assert!(
                allowed.contains(&needed.as_str()),
                "`{name}` must not depend on `{needed}`"
            );
        }
    }
}

#[test]
fn nothing_forbidden_is_reachable() {
    let (graph, _) = graph();
    for (name, forbidden) in FORBIDDEN {
        let (mut seen, mut open) = (BTreeSet::new(), vec![(*name).to_owned()]);
        while let Some(next) = open.pop() {
            if seen.insert(next.clone()) {
                open.extend(graph.get(&next).into_iter().flatten().cloned());
            }
        }
        for bad in *forbidden {
            assert!(!seen.contains(*bad), "`{name}` reaches `{bad}`");
        }
    }
}

/// A program that kills itself on request must never be shipped: only `--features faults` makes one.
#[test]
fn no_default_feature_compiles_faults_in() {
    let metadata = metadata();
    let nodes = metadata["resolve"]["nodes"].as_array().unwrap();
    let faults: Vec<_> = nodes
        .iter()
        .filter(|n| n["id"].as_str().unwrap().contains("/faults#"))
        .collect();
    assert_eq!(faults.len(), 1, "the crate `faults` has another id now");
    assert_eq!(faults[0]["features"], serde_json::json!([]));
    let makefile = std::fs::read_to_string(black_box::binary::repository().join("Makefile"));
    assert!(!makefile.unwrap().contains("--features"));
}
