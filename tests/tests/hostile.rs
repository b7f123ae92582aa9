//! Files that were made to do harm, beside good ones, in front of the real daemon.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use black_box::daemon::{Daemon, example_workflow};
use black_box::hostile::{bomb, described, refused};
use black_box::synthetic::{PlateSpec, sites, write_plate};
use serde_json::Value;

/// Resident size that neither the daemon nor a worker may pass. The images have some kilobytes each; a debug build with its
/// libraries and buffers takes less than 150 MB.
const MOST_MEMORY_KB: u64 = 700 << 10;

fn small() -> PlateSpec {
    PlateSpec {
        rows: 1,
        columns: 3,
        sites: 1,
        side: 128,
        nuclei: 6,
        dead_well: None,
        seed: 5,
    }
}

/// A name like those of the good images, in wells that they do not use.
fn name(number: usize) -> String {
    let (row, column) = (b'D' + (number / 10) as u8, number % 10 + 1);
    let well = format!("{}{column:02}", char::from(row));
    format!("Well{well}_Point{well}_0000_ChannelDAPI,WF_GFP_Seq{number:04}.tiff")
}

fn finish(folder: &Path) {
    fs::write(folder.join("FINISHED"), "x").unwrap();
}

fn fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// Largest resident size of a process so far, in kB.
fn peak_kb(pid: u64) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

fn workers(daemon: &Daemon) -> BTreeSet<u64> {
    let status = daemon.get("/api/v1/status");
    let workers = status["workers"].as_array().unwrap();
    workers
        .iter()
        .filter_map(|worker| worker["pid"].as_u64())
        .collect()
}

fn plate_state(daemon: &Daemon, name: &str) -> String {
    let plates = daemon.get("/api/v1/plates?limit=100");
    let plate = plates["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|plate| plate["name"] == name)
        .cloned();
    plate.map_or_else(String::new, |plate| {
        plate["state"].as_str().unwrap_or_default().to_owned()
    })
}

/// The record of a file, if there is one.
fn file(daemon: &Daemon, path: &str) -> Option<Value> {
    let files = daemon.get("/api/v1/files?limit=1000");
    files["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|file| file["path"] == path)
        .cloned()
}

#[test]
fn hostile_files_are_listed_and_harm_nobody() {
    let begin = Instant::now();
    let daemon = Daemon::start(
        &example_workflow("nuclei-and-cells.toml"),
        "plate_complete = [\"sentinel:FINISHED\"]",
    );
    let drop = daemon.folder("drop");
    let secret = daemon.folder("state").join("secret.tiff");

    // A good plate first, so that both workers are there.
    let aside = daemon.folder("aside");
    write_plate(
        &PlateSpec {
            columns: 6,
            ..small()
        },
        &aside,
    )
    .unwrap();
    finish(&aside);
    fs::rename(&aside, drop.join("good-1")).unwrap();
    daemon.wait("the first plate is done", || {
        plate_state(&daemon, "good-1") == "done"
    });
    let before = workers(&daemon);
    assert!(!before.is_empty());

    // Good and bad ones in one plate.
    write_plate(&small(), &aside).unwrap();
    let bad = refused().unwrap();
    for (number, hostile) in bad.iter().enumerate() {
        hostile.write(&aside.join(name(number))).unwrap();
    }
    let odd = described();
    for (number, hostile) in odd.iter().enumerate() {
        hostile.write(&aside.join(name(50 + number))).unwrap();
    }
    // Things that are no files at all, or are elsewhere.
    fifo(&aside.join(name(70)));
    fs::create_dir(aside.join(name(71))).unwrap();
    let _socket = UnixListener::bind(aside.join("s")).unwrap();
    fs::rename(aside.join("s"), aside.join(name(72))).unwrap();
    fs::copy(aside.join(&sites(&small())[0].file), &secret).unwrap();
    for (number, target) in [
        (73, secret.as_path()),
        (74, Path::new("/etc/passwd")),
        (75, Path::new("/dev/zero")),
        (76, Path::new(".")),
    ] {
        symlink(target, aside.join(name(number))).unwrap();
    }
    finish(&aside);
    fs::rename(&aside, drop.join("mixed")).unwrap();

    // Good images beside manifests and mappings that are pipes, links, bombs.
    let attributes: String = (0..300_000).map(|i| format!(" a{i}='1'")).collect();
    let wide = format!(
        "\"XWells\", 24\n\"YWells\", 16\n{}\"NWavelengths\", 1000\n\"ZSteps\", 99999\n",
        (1..=16)
            .map(|row| format!("\"WellsSelection{row}\"{}\n", ", TRUE".repeat(24)))
            .collect::<String>()
    );
    let companions: [(&str, &str, Option<String>); 6] = [
        ("pipe", "p.HTD", None),
        ("wide", "p.HTD", Some(wide)),
        (
            "attributes",
            "Index.idx.xml",
            Some(format!("<a{attributes}/>")),
        ),
        ("deep", "MeasurementData.mlf", Some("<a>".repeat(1 << 20))),
        (
            "laughs",
            "experiment_descriptor.xml",
            Some("<!DOCTYPE a [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><a>&b;</a>".to_owned()),
        ),
        (
            "pages",
            "p.xdce",
            Some(format!(
                "<a>{}</a>",
                "<Image filename='x.tif'/>".repeat(200_000)
            )),
        ),
    ];
    for (plate, companion, text) in &companions {
        write_plate(&small(), &aside).unwrap();
        match text {
            Some(text) => fs::write(aside.join(companion), text).unwrap(),
            None => fifo(&aside.join(companion)),
        }
        finish(&aside);
        fs::rename(&aside, drop.join(format!("manifest-{plate}"))).unwrap();
    }
    for (plate, role) in [("pipe", None), ("out", Some("nuclei/../../../../escaped"))] {
        write_plate(&small(), &aside).unwrap();
        let mapping = aside.join("channel_mapping.json");
        match role {
            Some(role) => fs::write(
                mapping,
                serde_json::json!({ "DAPI": role, "WF_GFP": "cells" }).to_string(),
            )
            .unwrap(),
            None => fifo(&mapping),
        }
        fs::rename(&aside, drop.join(format!("mapping-{plate}"))).unwrap();
    }

    daemon.wait("the plate with bad images has ended", || {
        plate_state(&daemon, "mixed") == "done_with_failures"
    });
    for (plate, ..) in &companions {
        let plate = format!("manifest-{plate}");
        daemon.wait(&format!("{plate} is done"), || {
            plate_state(&daemon, &plate) == "done"
        });
    }

    // Every bad image is listed with its reason and what to do.
    for (number, hostile) in bad.iter().enumerate() {
        let path = format!("mixed/{}", name(number));
        daemon.wait(&format!("{} is listed", hostile.what), || {
            file(&daemon, &path).is_some()
        });
        let record = file(&daemon, &path).unwrap();
        for field in ["reason", "remedy"] {
            assert!(
                record[field].as_str().is_some_and(|text| text.len() > 10),
                "{}: {record}",
                hostile.what
            );
        }
    }
    // The odd ones are images like others.
    for (number, hostile) in odd.iter().enumerate() {
        let record = file(&daemon, &format!("mixed/{}", name(50 + number))).unwrap();
        assert_eq!(
            (&record["state"], &record["reason"]),
            (&Value::from("registered"), &Value::Null),
            "{}",
            hostile.what
        );
    }
    // Pipes, sockets, folders and links are not even taken for images.
    for number in 70..=76 {
        assert_eq!(
            file(&daemon, &format!("mixed/{}", name(number))),
            None,
            "{number}"
        );
        let path = drop.join("mixed").join(name(number));
        let told = daemon.get(&format!("/api/v1/files/explain?path={}", path.display()));
        assert!(
            ["ignored", "not_a_file"].contains(&told["state"].as_str().unwrap()),
            "{told}"
        );
    }
    // A path that only begins like a watched one leads nowhere.
    for path in [
        "/etc/passwd".to_owned(),
        format!("{}/../state/queue.db", drop.display()),
        format!("{}/mixed/../../state/secret.tiff", drop.display()),
    ] {
        let told = daemon.try_get(&format!("/api/v1/files/explain?path={path}"));
        assert!(told.is_none_or(|told| told.contains("outside")), "{path}");
    }
    // The mappings that cannot be used are told at the images that wait for them.
    for (plate, part) in [("pipe", "named pipe"), ("out", "nuclei/..")] {
        let path = format!("mapping-{plate}/{}", sites(&small())[0].file);
        daemon.wait(&format!("{path} is listed"), || {
            file(&daemon, &path).is_some()
        });
        let record = file(&daemon, &path).unwrap();
        assert!(
            record["reason"]
                .as_str()
                .is_some_and(|reason| reason.contains(part)),
            "{record}"
        );
    }
    assert!(
        !daemon.folder("escaped").exists() && !daemon.folder("state").join("../escaped").exists()
    );

    // The good images of the mixed plate are done, and so is a plate that comes after all this.
    let done = daemon.folder("results").join("mixed");
    for site in sites(&small()) {
        let container = format!("{}.h5", site.file.trim_end_matches(".tiff"));
        assert!(done.join(&container).is_file(), "{container}");
    }
    write_plate(&small(), &aside).unwrap();
    finish(&aside);
    fs::rename(&aside, drop.join("good-2")).unwrap();
    daemon.wait("the last plate is done", || {
        plate_state(&daemon, "good-2") == "done"
    });

    // Nobody died, and nobody grew.
    let after = workers(&daemon);
    assert!(
        after.is_superset(&before),
        "workers {before:?} became {after:?}\n{}",
        daemon.log()
    );
    let log = daemon.log();
    assert!(!log.contains("panicked"), "{log}");
    for pid in after.into_iter().chain(daemon.pid().map(u64::from)) {
        let peak = peak_kb(pid);
        println!("process {pid}: {} MiB at most", peak >> 10);
        assert!(
            peak > 0 && peak < MOST_MEMORY_KB,
            "process {pid} took {peak} kB"
        );
    }
    // Most of it is waiting for files that might still be on their way.
    println!("{:?}", begin.elapsed());
}

/// An image that is sound, and far larger than it looks: its worker is ended at the memory limit, and the others go on.
#[test]
fn an_image_that_unpacks_to_gigabytes_costs_only_itself() {
    let folder = tempfile::tempdir().unwrap();
    let workflow = folder.path().join("workflow.toml");
    fs::write(&workflow, "name = \"w\"\nversion = \"1\"\n[channels]\nDAPI = \"nuclei\"\n[[job]]\nid = \"smooth\"\nkind = \"filter.gaussian\"\ninput = \"nuclei\"\noutput = \"smooth\"\nmemory_limit = \"300 MiB\"\n").unwrap();
    let daemon = Daemon::start(&workflow, "plate_complete = [\"sentinel:FINISHED\"]");
    let aside = daemon.folder("aside");
    write_plate(&small(), &aside).unwrap();
    fs::write(aside.join(name(0)), bomb()).unwrap();
    finish(&aside);
    fs::rename(&aside, daemon.folder("drop").join("plate")).unwrap();
    daemon.wait("the plate has ended", || {
        plate_state(&daemon, "plate") == "done_with_failures"
    });
    let failed = daemon.get("/api/v1/tasks?state=failed,quarantined");
    let items = failed["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "{failed}");
    assert_eq!(items[0]["error"]["code"], "memory-limit", "{failed}");
    assert!(
        items[0]["error"]["remedy"]
            .as_str()
            .is_some_and(|text| !text.is_empty()),
        "{failed}"
    );
    assert_eq!(daemon.get("/api/v1/status")["tasks"]["succeeded"], 3);
    let peak = peak_kb(daemon.pid().unwrap().into());
    assert!(peak < MOST_MEMORY_KB, "the daemon took {peak} kB");
}

/// A link below the output folder would send results anywhere.
#[test]
fn results_do_not_follow_links() {
    let daemon = Daemon::start(
        &example_workflow("nuclei-and-cells.toml"),
        "plate_complete = [\"sentinel:FINISHED\"]",
    );
    let elsewhere = daemon.folder("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    symlink(&elsewhere, daemon.folder("results").join("plate")).unwrap();
    let aside = daemon.folder("aside");
    write_plate(&small(), &aside).unwrap();
    finish(&aside);
    fs::rename(&aside, daemon.folder("drop").join("plate")).unwrap();
    daemon.wait("the plate has ended", || {
        plate_state(&daemon, "plate") == "done_with_failures"
    });
    let failed = daemon.get("/api/v1/tasks?state=failed");
    let error = &failed["items"][0]["error"];
    assert_eq!(error["code"], "output-is-link", "{failed}");
    assert!(
        error["remedy"]
            .as_str()
            .is_some_and(|text| text.contains("requeue")),
        "{failed}"
    );
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
}
