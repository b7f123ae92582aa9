//! Results of plates in a PostgreSQL database: a real server, started for the test, with the real program as its client.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use black_box::binary::run;
use black_box::tiny::{WITH_PLATE_TABLE, image, name};

/// A server on a socket in a folder of its own.
struct Server {
    folder: tempfile::TempDir,
    programs: PathBuf,
    child: Child,
}

/// The newest installed server's programs; `None`, with a line that says so, where there is none.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let found = versions
        .map(|entry| entry.path().join("bin"))
        .filter(|bin| bin.join("initdb").is_file() && bin.join("postgres").is_file())
        .max();
    if found.is_none() {
        println!(
            "skipped: there is no PostgreSQL server in /usr/lib/postgresql (Debian's package `postgresql`)"
        );
    }
    found
}

/// The server refuses to run as root.
fn as_nobody(program: &Path) -> Command {
    let is_root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    if !is_root {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"])
        .arg(program);
    command
}

impl Server {
    fn start() -> Option<Self> {
        let programs = programs()?;
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let made = as_nobody(&programs.join("initdb"))
            .args([
                "--auth=trust",
                "--username=tester",
                "--no-sync",
                "--encoding=UTF8",
                "--locale=C",
                "-D",
            ])
            .arg(&data)
            .current_dir("/")
            .output()
            .unwrap();
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let child = as_nobody(&programs.join("postgres"))
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(folder.path())
            .args(["-c", "listen_addresses=", "-c", "fsync=off"])
            .current_dir("/")
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let server = Self {
            folder,
            programs,
            child,
        };
        let begin = Instant::now();
        while !server.psql("SELECT 1").status.success() {
            let log = fs::read_to_string(server.folder.path().join("log"));
            assert!(begin.elapsed() < Duration::from_secs(600), "{log:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(server)
    }

    fn psql(&self, sql: &str) -> Output {
        Command::new(self.programs.join("psql"))
            .args([
                "-At", "-F", " ", "-U", "tester", "-d", "postgres", "-c", sql, "-h",
            ])
            .arg(self.folder.path())
            .output()
            .unwrap()
    }

    /// What a query finds: a line a row, columns apart by blanks.
    fn ask(&self, sql: &str) -> String {
        let output = self.psql(sql);
        assert!(
            output.status.success(),
            "{sql}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout)
            .unwrap()
            .trim_end()
            .to_owned()
    }

    /// The address, in a file that only its owner reads.
    fn url_file(&self) -> PathBuf {
        let file = self.folder.path().join("url");
        let socket = self.folder.path().display().to_string().replace('/', "%2F");
        fs::write(
            &file,
            format!("postgres://tester:very-secret@{socket}/postgres\n"),
        )
        .unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        file
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGINT: the fast way to stop it.
        let _ = Command::new("kill")
            .args(["-INT", &self.child.id().to_string()])
            .status();
        let _ = self.child.wait();
    }
}

/// A plate of `images` images, processed.
fn plate(folder: &Path, name_of: &str, images: usize, version: &str) -> PathBuf {
    let (raw, results) = (
        folder.join("raw").join(name_of),
        folder.join("results").join(name_of),
    );
    fs::create_dir_all(&raw).unwrap();
    for i in 0..images {
        let file = name(i).replacen("P_", &format!("{name_of}_"), 1);
        fs::write(raw.join(file), image(64, 7 + i as u64).unwrap()).unwrap();
    }
    let file = folder.join("workflow.toml");
    let mut text = WITH_PLATE_TABLE.replace("version = \"1\"", &format!("version = \"{version}\""));
    if version == "2" {
        text = text.replace("[container]\n", "[container]\nformat = \"n5\"\n");
    }
    fs::write(&file, text).unwrap();
    let output = run([
        "run",
        file.to_str().unwrap(),
        raw.to_str().unwrap(),
        "-o",
        results.to_str().unwrap(),
        "--naming",
        "well-site-channel",
    ]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    find(&results).expect("a plate table")
}

/// The folder with the plate's table.
fn find(folder: &Path) -> Option<PathBuf> {
    for entry in fs::read_dir(folder).ok()?.flatten() {
        let path = entry.path();
        if path.is_dir() {
            if let Some(found) = find(&path) {
                return Some(found);
            }
        } else if path.to_string_lossy().ends_with("_table.hdf5") {
            return Some(folder.to_owned());
        }
    }
    None
}

fn export(plates: &[&Path], url_file: &Path, more: &[&str]) -> (i32, String) {
    let mut arguments = vec!["export".into(), "postgres".into()];
    arguments.extend(plates.iter().map(|p| p.as_os_str().to_owned()));
    arguments.extend(["--url-file".into(), url_file.as_os_str().to_owned()]);
    arguments.extend(more.iter().map(Into::into));
    let output = run(arguments);
    let said = [output.stdout, output.stderr]
        .map(|t| String::from_utf8(t).unwrap())
        .concat();
    assert!(!said.contains("very-secret"), "{said}");
    (output.status.code().unwrap(), said)
}

#[test]
fn results_are_written_once_however_often_they_are_exported() {
    let Some(server) = Server::start() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let plate_1 = plate(folder.path(), "plate-1", 3, "1");
    let url = server.url_file();
    let (code, said) = export(&[&plate_1], &url, &[]);
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("counted 1: wrote 3 image, 3 well, 1 plate and 0 object rows"),
        "{said}"
    );
    let plates =
        "SELECT id, workflow, version, plate, wellspring FROM wellspring.plates ORDER BY id";
    let one = format!(
        "1 counted 1 {} {}",
        plate_1.file_name().unwrap().to_str().unwrap(),
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(server.ask(plates), one);
    let images = "SELECT site_name, table_name, jsonb_typeof(values->'n_objects'), values ? 'is_outlier' \
                  FROM wellspring.image_results ORDER BY site_name";
    let rows = server.ask(images);
    assert_eq!(rows.lines().count(), 3);
    assert!(
        rows.starts_with("A01-0001 images/default number t\n"),
        "{rows}"
    );
    let wells =
        "SELECT well_name, values->>'n_images' FROM wellspring.well_results ORDER BY well_name";
    assert_eq!(server.ask(wells), "A01 1\nA02 1\nA03 1");
    let before = server.ask("SELECT site_name, values FROM wellspring.image_results ORDER BY 1");

    // Once more, now with objects: the same rows, not twice as many.
    let (code, said) = export(&[&plate_1], &url, &["--objects"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(server.ask(plates), one);
    assert_eq!(
        server.ask("SELECT site_name, values FROM wellspring.image_results ORDER BY 1"),
        before
    );
    let objects = server.ask("SELECT count(*), count(label_id), count(DISTINCT container) FROM wellspring.object_results");
    let numbers: Vec<u64> = objects.split(' ').map(|n| n.parse().unwrap()).collect();
    assert!(
        numbers[0] >= 3 && numbers[1] == numbers[0] && numbers[2] == 3,
        "{objects}"
    );

    // Another version of the workflow stands beside it; its containers are folders.
    let other = plate(&folder.path().join("two"), "plate-1", 2, "2");
    let (code, said) = export(&[&other], &url, &["--objects"]);
    assert_eq!(code, 0, "{said}");
    let folders = server.ask("SELECT count(DISTINCT container) FROM wellspring.object_results WHERE container LIKE '%.n5'");
    assert_eq!(folders, "2");
    assert_eq!(server.ask("SELECT version, count(*) FROM wellspring.plates JOIN wellspring.image_results ON plate_id = id GROUP BY 1 ORDER BY 1"), "1 3\n2 2");

    // Two plates of one name are told apart by nothing: whoever comes later is told.
    let namesake = plate(&folder.path().join("three"), "plate-1", 1, "2");
    let (code, said) = export(&[&namesake], &url, &[]);
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains(&format!("the rows of `{}` were replaced", other.display())),
        "{said}"
    );
}

#[test]
fn a_plate_that_cannot_be_exported_leaves_the_others_and_its_own_old_rows() {
    let Some(server) = Server::start() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let good = plate(folder.path(), "plate-1", 2, "1");
    let bad = plate(folder.path(), "plate-2", 2, "1");
    let url = server.url_file();
    // A name that must be quoted.
    let schema = "we\"ird; DROP TABLE x";
    let more = ["--schema", schema, "--objects"];
    let (code, said) = export(&[&bad], &url, &more);
    assert_eq!(code, 0, "{said}");
    let rows = "SELECT plate, (SELECT count(*) FROM \"we\"\"ird; DROP TABLE x\".image_results WHERE plate_id = id), \
                (SELECT count(*) > 0 FROM \"we\"\"ird; DROP TABLE x\".object_results WHERE plate_id = id) \
                FROM \"we\"\"ird; DROP TABLE x\".plates ORDER BY plate";
    let old = server.ask(rows);

    // The plate's own tables are whole, and are written before its damaged container is found.
    let container = fs::read_dir(&bad)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|e| e == "h5"))
        .unwrap();
    fs::write(&container, "no HDF5 file").unwrap();
    let nothing = folder.path().join("nothing");
    fs::create_dir(&nothing).unwrap();
    let (code, said) = export(&[&bad, &nothing, &good], &url, &more);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("those from before are still there"), "{said}");
    assert!(
        said.contains("there is no `") && said.contains("nothing_table.hdf5"),
        "{said}"
    );
    let now = server.ask(rows);
    assert!(now.contains(&old), "{now}\n{old}");
    assert_eq!(now.lines().count(), 2, "{now}");
}

#[test]
fn a_value_that_is_missing_is_null_and_a_file_without_provenance_needs_names() {
    let Some(server) = Server::start() else {
        return;
    };
    let Some(golden) = black_box::binary::shared("golden/batchlib/runs/plain/goldA") else {
        return;
    };
    let url = server.url_file();
    let (code, said) = export(&[&golden], &url, &[]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("--workflow and --workflow-version"), "{said}");
    let names = ["--workflow", "batchlib", "--workflow-version", "0.4"];
    let (code, said) = export(&[&golden], &url, &names);
    assert_eq!(code, 0, "{said}");
    assert_eq!(
        server.ask("SELECT workflow, version, plate, wellspring IS NULL FROM wellspring.plates"),
        "batchlib 0.4 goldA t"
    );
    let nulls = "SELECT count(*) > 0 FROM wellspring.image_results, jsonb_each(values) AS cell WHERE jsonb_typeof(cell.value) = 'null'";
    assert_eq!(
        server.ask(nulls),
        "t",
        "BatchLib's scores of empty images are no numbers"
    );
}

#[test]
fn mistakes_are_named_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let plate = plate(folder.path(), "plate-1", 1, "1");
    let url = folder.path().join("url");
    let put = |text: &str, mode| {
        fs::write(&url, text).unwrap();
        fs::set_permissions(&url, fs::Permissions::from_mode(mode)).unwrap();
    };
    let fails = |part: &str| {
        let (code, said) = export(&[&plate], &url, &[]);
        assert!(code != 0 && said.contains(part), "{part}: {said}");
    };
    put("postgres://u:very-secret@127.0.0.1:1/x\n", 0o644);
    fails("chmod 640");
    put("\n", 0o600);
    fails("postgres://user:password@host/database");
    put("mysql://u:very-secret@h/x\n", 0o600);
    fails("is not the address of a PostgreSQL database");
    put("postgres://u:very-secret@127.0.0.1:1/x\n", 0o600);
    fails("pg_hba.conf");
    // Without a database at all.
    let output = run([
        "export",
        "postgres",
        plate.to_str().unwrap(),
        "--dry-run",
        "--objects",
    ]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    assert!(
        said.contains("counted 1: would write 1 image, 1 well, 1 plate"),
        "{said}"
    );
}
