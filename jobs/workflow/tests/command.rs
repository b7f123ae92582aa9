//! The job kind `command` with real programs: shell scripts that the tests write, through whole passes.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, missing_docs)]

mod command_support;

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;

use command_support::{Lab, image};
use image_io::Pixels;
use image_io::table::Values;
use ndarray::Array2;
use workflow::FailureClass;
use workflow::pass::JobOutcome;

const COPY: &str = "program = \"cp\"\nargs = [\"{input.nuclei}\", \"{dir}/out.tif\"]\n[job.results]\nout = { file = \"out.tif\" }\n";

/// A job that reads `nuclei` and makes the image `out`.
fn job(rest: &str) -> String {
    format!(
        "[[job]]\nid = \"it\"\nkind = \"command\"\ninput = \"nuclei\"\noutput = \"out\"\n{rest}"
    )
}

/// The same with a shell script as the program.
fn script(text: &str, results: &str) -> String {
    let quoted = toml::Value::String(text.replace('{', "{{").replace('}', "}}"));
    job(&format!(
        "program = \"sh\"\nargs = [\"-c\", {quoted}, \"sh\", \"{{input.nuclei}}\", \"{{dir}}\"]\n[job.results]\nout = {results}\n"
    ))
}

#[test]
fn what_a_program_makes_is_in_the_container() {
    for write in ["tiff", "hdf5", "npy"] {
        let lab = Lab::new();
        let (file, more) = match write {
            "tiff" => ("out.tif", ""),
            "hdf5" => ("out.h5", ", dataset = \"data\""),
            _ => ("out.npy", ""),
        };
        let report = lab.run(&job(&format!(
            "program = \"cp\"\nwrite = \"{write}\"\nargs = [\"{{input.nuclei}}\", \"{{dir}}/{file}\"]\n[job.results]\nout = {{ file = \"{file}\"{more}, type = \"uint16\" }}\n"
        )));
        assert_eq!(report.outcomes["it"], JobOutcome::Succeeded, "{write}");
        assert_eq!(lab.image("out"), Pixels::U16(image(0)));
        assert!(lab.scratch().is_empty(), "{:?}", lab.scratch());
    }
}

#[test]
fn stacks_masks_labels_and_tables_go_both_ways() {
    let lab = Lab::new();
    let text = r#"
[[job]]
id = "mask"
kind = "segment.threshold"
input = "nuclei"
output = "mask"
method = "fixed"
value = 300.0
[[job]]
id = "objects"
kind = "segment.declump"
input = "mask"
output = "objects"
method = "none"
[[job]]
id = "it"
kind = "command"
input = { images = ["nuclei", "marker"], masks = ["mask"], labels = ["objects"] }
output = { images = ["first", "second"], masks = "again", labels = "same", tables = "same/sizes" }
write = "npy"
stack_axes = "yxc"
program = "sh"
args = ["-c", "cp \"$1\" both.npy; cp in/mask.npy in/objects.npy .; cat \"$2\" > sizes.csv", "sh", "{stack}", "{dir}/template.csv", "{inputs}"]
texts = { "template.csv" = "Number,Area,Plate\n1,2.5,{plate}\n2,,{well} {site}\n" }
[job.results]
first = { file = "both.npy", axes = "yxc", channel = 0 }
second = { file = "./both.npy", axes = "yxc", channel = 1 }
again = { file = "mask.npy" }
same = { file = "objects.npy", type = "uint16" }
"same/sizes" = { file = "sizes.csv", id = "Number" }
"#;
    let report = lab.run(text);
    assert_eq!(report.outcomes["it"], JobOutcome::Succeeded, "{report:?}");
    assert_eq!(lab.image("first"), Pixels::U16(image(0)));
    assert_eq!(lab.image("second"), Pixels::U16(image(1)));
    assert_eq!(lab.image("again"), lab.image("mask"));
    assert_eq!(lab.image("same"), lab.image("objects"));
    let table = lab.container().read_table("same/sizes").unwrap();
    let names: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["label_id", "Area", "Plate"]);
    assert_eq!(
        table.columns[2].values,
        Values::Text(vec![lab.plate.clone(), "B07 3".to_owned()])
    );
}

/// Names with everything that a shell would take for something else, and bytes that are no text.
#[test]
fn strange_names_are_arguments_like_any_other() {
    let names: [&[u8]; 4] = [
        b"with space.tif",
        b"$(touch hit)`touch hit`;touch hit|'\"&.tif",
        b"line\nbreak -rf *.tif",
        b"no text \xff\xfe.tif",
    ];
    for name in names {
        let lab = Lab::with(
            std::ffi::OsStr::from_bytes(name),
            "plate '\"; $(touch hit) {dir}",
        );
        let text = job(
            "program = \"sh\"\nargs = [\"-c\", 'printf %s \"$2\" > plate; cp \"$1\" out.tif; test ! -e hit && test ! -e \"$3/hit\"', \"sh\", \"{original.nuclei}\", \"{plate}\", \"{dir}\"]\n[job.results]\nout = { file = \"out.tif\" }\n",
        );
        let report = lab.run(&text);
        assert_eq!(report.outcomes["it"], JobOutcome::Succeeded, "{report:?}");
        assert_eq!(lab.image("out"), Pixels::U16(image(0)));
        assert!(lab.scratch().is_empty());
    }
}

#[test]
fn the_environment_is_what_is_documented() {
    let lab = Lab::new();
    // SAFETY net of the test itself: cargo has set many variables for this process.
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    let script = r#"
        cat >/dev/null || exit 9
        env | cut -d= -f1 | sort | tr '\n' ' ' > names
        case "$(cat names)" in "HOME LANG MINE PATH PWD TMPDIR ") ;; *) echo "error: $(cat names)" >&2; exit 3;; esac
        test "$HOME" = "$PWD" && test "$TMPDIR" = "$PWD" && test "$LANG" = C.UTF-8 || exit 4
        test "$MINE" = "2 threads, nuclei {}" || { echo "error: $MINE" >&2; exit 5; }
        test "$PATH" = /usr/local/bin:/usr/bin:/bin || exit 6
        test "$(ls)" = "in
names" || exit 7
        cp in/nuclei.tif out.tif
    "#
    .replace('{', "{{")
    .replace('}', "}}");
    let text = job(&format!(
        "program = \"sh\"\nargs = [\"-c\", {}, \"{{input.nuclei}}\"]\nenv = {{ MINE = \"{{threads}} threads, nuclei {{{{}}}}\" }}\n[job.results]\nout = {{ file = \"out.tif\" }}\n",
        toml::Value::String(script)
    ));
    let report = lab.run(&text);
    assert_eq!(report.outcomes["it"], JobOutcome::Succeeded, "{report:?}");
}

#[test]
fn failures_say_what_happened() {
    let cases = [
        (
            "echo 'Traceback (most recent call last):'; echo 'ValueError: no such channel' >&2; echo bye; exit 3",
            "program-failed",
            FailureClass::Permanent,
            "`sh` ended with exit code 3: ValueError: no such channel",
        ),
        (
            "exit 75",
            "program-failed",
            FailureClass::Transient,
            "exit code 75",
        ),
        (
            "kill -SEGV $$",
            "program-failed",
            FailureClass::Transient,
            "ended by SIGSEGV",
        ),
        (
            "kill -KILL $$",
            "program-failed",
            FailureClass::Transient,
            "out-of-memory",
        ),
        (
            "echo 'cp: error writing x: No space left on device'; exit 1",
            "scratch-full",
            FailureClass::Environment,
            "No space left",
        ),
        (
            "touch a b",
            "no-output",
            FailureClass::Permanent,
            "wrote no `out.tif`; in its working folder are `a`, `b`, `in/`",
        ),
        (
            "head -c 100 \"$1\" > out.tif",
            "bad-output",
            FailureClass::Permanent,
            "damaged",
        ),
        (
            ": > out.tif",
            "bad-output",
            FailureClass::Permanent,
            "empty",
        ),
        (
            "mkdir out.tif",
            "bad-output",
            FailureClass::Permanent,
            "no file",
        ),
        (
            "ln -s \"$1\" out.tif",
            "bad-output",
            FailureClass::Permanent,
            "symbolic links",
        ),
        (
            "mkfifo out.tif",
            "bad-output",
            FailureClass::Permanent,
            "no file",
        ),
        (
            "printf 'hello' > out.tif",
            "bad-output",
            FailureClass::Permanent,
            "neither TIFF nor PNG",
        ),
        (
            "printf '\\223NUMPY\\1\\0\\72\\0%-57s\\n\\0' \"{'descr': '|u1', 'fortran_order': False, 'shape': (1, 1)}\" > out.tif",
            "bad-output",
            FailureClass::Permanent,
            "1 x 1 pixels, not 40 x 60",
        ),
    ];
    let lab = Lab::new();
    for (program, code, class, message) in cases {
        let text = script(program, "{ file = \"out.tif\" }")
            .replace("program =", "retry = [75]\nprogram =");
        let failure = lab.failure(&text);
        assert_eq!(
            (failure.code.as_str(), failure.class),
            (code, class),
            "{program}: {failure:?}"
        );
        assert!(failure.message.contains(message), "{program}: {failure:?}");
        assert!(!failure.remedy.is_empty());
        assert!(!lab.target.exists() || !lab.container().has_image("out"));
        assert!(lab.scratch().is_empty(), "{program}: {:?}", lab.scratch());
    }
    // Other codes can mean success.
    let text = script("cp \"$1\" out.tif; exit 4", "{ file = \"out.tif\" }")
        .replace("program =", "success = [0, 4]\nprogram =");
    assert_eq!(lab.run(&text).outcomes["it"], JobOutcome::Succeeded);
    let text = script(
        "cp \"$1\" out.tif",
        "{ file = \"out.tif\", type = \"float32\" }",
    );
    let failure = lab.failure(&text);
    assert!(
        failure.message.contains("uint16, not float32"),
        "{failure:?}"
    );
}

#[test]
fn a_program_that_cannot_start_is_named() {
    let lab = Lab::new();
    let at = |name: &str| lab.folder.path().join(name);
    for (name, content, mode) in [
        ("data", &b"#!/bin/sh\n"[..], 0o644),
        ("interpreter", b"#!/no/such/interpreter\n", 0o755),
        ("format", b"\x01\x02\x03\x04", 0o755),
    ] {
        std::fs::write(at(name), content).unwrap();
        std::fs::set_permissions(at(name), std::fs::Permissions::from_mode(mode)).unwrap();
    }
    for (program, class, message) in [
        (
            "no-such-program".to_owned(),
            FailureClass::Permanent,
            "`no-such-program` is in no folder of PATH (/usr/local/bin:/usr/bin:/bin)",
        ),
        (
            at("absent").display().to_string(),
            FailureClass::Permanent,
            "there is no program",
        ),
        (
            at("unmounted/ilastik").display().to_string(),
            FailureClass::Environment,
            "there is no program",
        ),
        (
            at("data").display().to_string(),
            FailureClass::Permanent,
            "is not executable",
        ),
        (
            at("interpreter").display().to_string(),
            FailureClass::Permanent,
            "interpreter",
        ),
        (
            at("format").display().to_string(),
            FailureClass::Permanent,
            "neither a program nor a script that begins with `#!`",
        ),
    ] {
        let text = job(&COPY.replace("\"cp\"", &format!("{program:?}")));
        let failure = lab.failure(&text);
        assert_eq!(
            (failure.code.as_str(), failure.class),
            ("no-program", class),
            "{failure:?}"
        );
        assert!(failure.message.contains(message), "{failure:?}");
        if !["interpreter", "format"]
            .iter()
            .any(|w| program.contains(w))
        {
            assert!(lab.warnings(&text)[0].contains(message));
        }
    }
    assert_eq!(lab.warnings(&job(COPY)), Vec::<String>::new());
    let text = job(&format!("files = {{ p = \"absent.ilp\" }}\n{COPY}"));
    assert!(lab.warnings(&text)[0].contains("absent.ilp"));
}

#[test]
fn the_files_of_a_failure_are_kept_if_asked() {
    let lab = Lab::new();
    let text = script("echo trace > trace; exit 1", "{ file = \"out.tif\" }")
        .replace("program =", "keep_scratch = true\nprogram =");
    let failure = lab.failure(&text);
    let kept = lab.scratch();
    assert_eq!(kept.len(), 1);
    assert!(kept[0].starts_with("kept-it-"), "{kept:?}");
    assert!(failure.message.contains(&kept[0]), "{failure:?}");
    let folder = lab.scratch_folder().join(&kept[0]);
    assert!(folder.join("trace").exists() && folder.join("in/nuclei.tif").exists());
    // Success leaves nothing.
    let text = job(&format!("keep_scratch = true\n{COPY}"));
    assert_eq!(lab.run(&text).outcomes["it"], JobOutcome::Succeeded);
    assert_eq!(lab.scratch().len(), 1);
}

/// What a program leaves running is gone when its job is done, also what tried to hide, and nobody waits for it.
#[test]
fn nothing_outlives_the_program() {
    let lab = Lab::new();
    let text = script(
        "sleep 1000 & echo $! > ../one; setsid sh -c 'echo $$ > ../two; sleep 1000 & echo $! > ../three; wait' & while ! test -s ../three; do :; done; cp \"$1\" out.tif",
        "{ file = \"out.tif\" }",
    );
    let begin = std::time::Instant::now();
    let report = lab.run(&text);
    assert_eq!(report.outcomes["it"], JobOutcome::Succeeded, "{report:?}");
    assert!(begin.elapsed().as_secs() < 100);
    for name in ["one", "two", "three"] {
        let pid = std::fs::read_to_string(lab.scratch_folder().join(name)).unwrap();
        let process = std::path::Path::new("/proc").join(pid.trim());
        assert!(!process.exists(), "{name}");
    }
}

#[test]
fn an_own_program_is_one_of_the_files() {
    let lab = Lab::new();
    let path = lab.folder.path().join("copy.sh");
    std::fs::write(&path, "#!/bin/sh\ncp \"$1\" out.tif\n").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let text = job(
        "program = \"{files.copy}\"\nargs = [\"{input.nuclei}\"]\nfiles = { copy = \"copy.sh\" }\n[job.results]\nout = { file = \"out.tif\" }\n",
    );
    assert_eq!(lab.run(&text).outcomes["it"], JobOutcome::Succeeded);
    assert_eq!(lab.files(&text), [path]);
    // What does not shape the result is no part of the key.
    let plain = lab.parameters(&text);
    let of = |more: &str| lab.parameters(&text.replace("program =", &format!("{more}\nprogram =")));
    assert_eq!(of("keep_scratch = true\nparallel = 3"), plain);
    assert_ne!(of("version = \"2\""), plain);
    assert_ne!(of("env = { A = \"b\" }"), plain);
}

#[test]
fn regions_put_together_are_the_whole() {
    // Adds nothing, but sees only its region; the numbers of the region are in a second output.
    let program = "cp \"$1\" out.tif; printf 'size %s\\n' \"$*\"";
    for (region, overlap, parallel) in [
        ("[16, 25]", 0, 1),
        ("[16, 25]", 8, 4),
        ("[100, 100]", 20, 2),
        ("[40, 7]", 3, 3),
    ] {
        let lab = Lab::new();
        let text = script(program, "{ file = \"out.tif\" }").replace(
            "program =",
            &format!("region = {region}\noverlap = {overlap}\nparallel = {parallel}\nprogram ="),
        );
        let report = lab.run(&text);
        assert_eq!(report.outcomes["it"], JobOutcome::Succeeded, "{report:?}");
        assert_eq!(lab.image("out"), Pixels::U16(image(0)), "{region}");
        assert!(lab.scratch().is_empty());
    }
}

/// As in the system that ran ilastik on a cluster: every process reads the whole file and computes its part.
#[test]
fn a_program_can_cut_the_original_itself() {
    let lab = Lab::new();
    let text = job(r#"
program = "sh"
args = ["-c", """
test -s "$1" || exit 1
{{ printf '\\223NUMPY\\1\\0\\166\\0'; printf '%-117s\\n' "$(cat header)"; head -c $(($2 * $3)) /dev/zero | tr '\\0' "\\\\$4"; }} > out.npy
""", "sh", "{original.nuclei}", "{height}", "{width}", "{region}"]
texts = { header = "{{'descr': '|u1', 'fortran_order': False, 'shape': ({height}, {width})}}" }
region = [20, 40]
overlap = 2
[job.results]
out = { file = "out.npy" }
"#);
    let report = lab.run(&text);
    assert_eq!(report.outcomes["it"], JobOutcome::Succeeded, "{report:?}");
    let expected = Array2::from_shape_fn((40, 60), |(y, x)| (1 + y / 20 * 2 + x / 40) as u8);
    assert_eq!(lab.image("out"), Pixels::U8(expected));
}

#[test]
fn a_region_that_fails_names_itself_and_ends_the_others() {
    let lab = Lab::new();
    let text = job(
        "program = \"sh\"\nargs = [\"-c\", 'if test $2 = 3; then while ! test -e ../sleeping; do :; done; echo oh error: no >&2; exit 1; fi; touch ../sleeping; sleep 1000', \"sh\", \"{input.nuclei}\", \"{region}\"]\nregion = [20, 20]\noverlap = 2\nparallel = 3\n[job.results]\nout = { file = \"out.tif\" }\n",
    );
    let failure = lab.failure(&text);
    assert_eq!(failure.code, "program-failed");
    assert!(
        failure
            .message
            .starts_with("region 3 of 6 (rows 0 to 22, columns 38 to 60): `sh` ended with exit code 1: oh error: no"),
        "{failure:?}"
    );
    std::fs::remove_file(lab.scratch_folder().join("sleeping")).unwrap();
    assert!(lab.scratch().is_empty(), "{:?}", lab.scratch());
}

#[test]
fn mistakes_are_found_before_anything_runs() {
    let lab = Lab::new();
    for (text, word) in [
        (job("program = \"cp\"\n"), "missing field `results`"),
        (
            job("program = \"cp\"\n[job.results]\n"),
            "where is the output `out`?",
        ),
        (
            job(&COPY.replace("{input.nuclei}", "{input.nuclie}")),
            "`nuclie` is no input of the job; did you mean `nuclei`?",
        ),
        (
            job(&COPY.replace("{dir}", "{dirr}")),
            "there is no `{dirr}`; did you mean `dir`?",
        ),
        (
            job(&COPY.replace("{dir}", "{files.project}")),
            "there is no `project` in `files`",
        ),
        (
            job(&COPY.replace("\"cp\"", "\"{dir}/cp\"")),
            "only `{files.NAME}` can stand there",
        ),
        (
            job(&COPY.replace("file = \"out.tif\"", "file = \"/etc/passwd\"")),
            "below the working folder",
        ),
        (
            job(&COPY.replace("file = \"out.tif\"", "file = \"../out.tif\"")),
            "below the working folder",
        ),
        (
            job(&format!("{COPY}other = {{ file = \"a\" }}\n")),
            "the job has no output `other`",
        ),
        (
            job(&COPY.replace("\"out.tif\" }", "\"out.tif\", axes = \"xx\" }")),
            "are no axes",
        ),
        (
            job(&COPY.replace("\"out.tif\" }", "\"out.tif\", type = \"float23\" }")),
            "there is no type `float23`; did you mean `float32`?",
        ),
        (
            job(&format!("region = [10, 10]\noverlap = 6\n{COPY}")),
            "more than half of a region",
        ),
        (job(&format!("overlap = 6\n{COPY}")), "without `region`"),
        (
            job(&format!("region = [10, 10]\n{COPY}"))
                .replace("output = \"out\"", "output = { labels = \"out\" }"),
            "with an `overlap`",
        ),
        (
            job(&format!("region = [10, 10]\n{COPY}"))
                .replace("output = \"out\"", "output = { tables = \"out\" }"),
            "does not go with `tables`",
        ),
        (
            job(&format!("stack_axes = \"yxc\"\n{COPY}")),
            "does not go with TIFF",
        ),
        (job(&format!("parallel = 0\n{COPY}")), "`parallel` is 0"),
        (
            job(&format!("succes = [0]\n{COPY}")),
            "did you mean `success`?",
        ),
        (
            job(&format!("texts = {{ \"../a\" = \"\" }}\n{COPY}")),
            "cannot be the name of a file",
        ),
        (
            job(&format!("env = {{ \"A=B\" = \"\" }}\n{COPY}")),
            "cannot be the name of a variable",
        ),
        (
            job(COPY).replace("input = \"nuclei\"\n", ""),
            "`nuclei` is no input of the job",
        ),
    ] {
        let mistakes = lab.mistakes(&text);
        assert!(mistakes.contains(word), "{text}\n{mistakes}");
    }
}
