//! The token is where it must be and nowhere else; workers go before the daemon when memory runs out.
#![allow(clippy::unwrap_used, missing_docs)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use black_box::binary::run;
use black_box::daemon::{Daemon, example_workflow};
use black_box::synthetic::{PlateSpec, write_plate};

const TOKEN: &str = "correct-horse-battery-staple-0123456789";

fn process(pid: u64, file: &str) -> String {
    String::from_utf8_lossy(&fs::read(format!("/proc/{pid}/{file}")).unwrap()).into_owned()
}

#[test]
fn the_token_is_told_to_nobody() {
    let mut daemon = Daemon::start(
        &example_workflow("nuclei-and-cells.toml"),
        "plate_complete = [\"sentinel:FINISHED\"]",
    );
    let spec = PlateSpec {
        rows: 1,
        columns: 2,
        sites: 1,
        side: 128,
        nuclei: 4,
        dead_well: None,
        seed: 5,
    };
    write_plate(&spec, &daemon.folder("drop").join("plate")).unwrap();
    daemon.wait("a worker works", || {
        daemon
            .try_get("/api/v1/tasks?state=succeeded")
            .is_some_and(|text| text.contains("succeeded"))
    });
    assert!(daemon.terminate());

    let token = daemon.folder("token");
    fs::write(&token, format!("{TOKEN}\n")).unwrap();
    fs::set_permissions(&token, fs::Permissions::from_mode(0o644)).unwrap();
    let config = fs::read_to_string(daemon.config()).unwrap();
    let config = config.replace(
        "[workers]",
        &format!("token_file = {token:?}\n[log]\nlevel = \"trace\"\n[workers]"),
    );
    fs::write(daemon.config(), config).unwrap();

    // Everybody could read it: refused, with what to do, and without the token.
    let refused = run(["serve", "--config", daemon.config().to_str().unwrap()]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        !refused.status.success() && said.contains("everybody") && said.contains("chmod"),
        "{said}"
    );
    assert!(!said.contains(TOKEN), "{said}");

    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
    daemon.launch();
    let pid = u64::from(daemon.pid().unwrap());
    let ask = |path: &str, token: Option<&str>| daemon.ask(path, token);
    assert_eq!(ask("/api/v1/status", None).0, 401);
    assert_eq!(ask("/api/v1/status", Some("wrong")).0, 401);
    write_plate(
        &PlateSpec { seed: 6, ..spec },
        &daemon.folder("drop").join("plate-2"),
    )
    .unwrap();
    let worker = || {
        let status = ask("/api/v1/status", Some(TOKEN)).1;
        let status: serde_json::Value = serde_json::from_str(&status).ok()?;
        let workers = status["workers"].as_array()?;
        workers.iter().find_map(|worker| worker["pid"].as_u64())
    };
    daemon.wait("a worker is there", || worker().is_some());
    let worker = worker().unwrap();
    for path in [
        "/",
        "/login",
        "/livez",
        "/readyz",
        "/metrics",
        "/tasks",
        "/api/v1/status",
        "/api/v1/roots",
        "/api/v1/plates",
        "/api/openapi.json",
        "/nothing",
        "/api/v1/files/explain?path=/x",
    ] {
        for token in [None, Some("wrong"), Some(TOKEN)] {
            assert!(!ask(path, token).1.contains(TOKEN), "{path}");
        }
    }
    for pid in [pid, worker] {
        for file in ["cmdline", "environ"] {
            assert!(!process(pid, file).contains(TOKEN), "{pid} {file}");
        }
        let limits = process(pid, "limits");
        let core = limits
            .lines()
            .find(|line| line.starts_with("Max core file size"))
            .unwrap();
        assert_eq!(
            core.split_whitespace().nth(4),
            Some("0"),
            "no core dumps: {core}"
        );
    }
    let score = |pid| process(pid, "oom_score_adj").trim().parse::<i32>().unwrap();
    assert_eq!(score(worker), 500);
    assert!(score(pid) < score(worker));

    for arguments in [&["config", "show"][..], &["config", "check"], &["doctor"]] {
        let output = Command::new(black_box::binary::wellspring())
            .args(arguments)
            .arg("--config")
            .arg(daemon.config())
            .output()
            .unwrap();
        for text in [output.stdout, output.stderr] {
            assert!(
                !String::from_utf8_lossy(&text).contains(TOKEN),
                "{arguments:?}"
            );
        }
    }
    assert!(daemon.terminate());
    let log = daemon.log();
    assert!(
        log.len() > 1000 && !log.contains(TOKEN),
        "the log has {} bytes",
        log.len()
    );
    // Nothing in the state folder either.
    for entry in fs::read_dir(daemon.folder("state")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = fs::read(&path).unwrap();
            assert!(
                !bytes
                    .windows(TOKEN.len())
                    .any(|part| part == TOKEN.as_bytes()),
                "{}",
                path.display()
            );
        }
    }
}
