//! Reading workflow files: all forms, inheritance, validation, the canonical form.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use config::{ByteSize, ConfigError, Names, Place, Problem, Projection, Scope, WorkflowFile};

fn generic() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/workflows/generic.toml")
}

fn read(text: &str) -> Result<WorkflowFile, ConfigError> {
    WorkflowFile::from_str(text, Path::new("/base"))
}

fn errors(text: &str) -> Vec<Problem> {
    read(text).unwrap_err().problems().to_vec()
}

const HEAD: &str = "name = \"w\"\nversion = \"1\"\n";

fn with_jobs(jobs: &str) -> String {
    format!("{HEAD}{jobs}")
}

#[test]
fn every_form_is_read() {
    let workflow = WorkflowFile::load(&generic()).unwrap();
    assert_eq!(
        (workflow.name.as_str(), workflow.version.as_str()),
        ("generic", "1.2")
    );
    assert_eq!(workflow.channels["DAPI"].role(), Some("nuclei"));
    assert_eq!(workflow.channels["WF_Cy5"].role(), None);
    assert_eq!(workflow.channels["Alexa 647"].role(), None);
    assert_eq!(workflow.container.scale_factors, [1, 2, 4]);
    assert!(workflow.container.raw);
    assert_eq!(workflow.z.projection, Projection::Max);
    let [nuclei, cells, scores] = workflow.jobs.as_slice() else {
        panic!("{:?}", workflow.jobs)
    };
    assert_eq!(nuclei.input, Some(Names::One("nuclei".to_owned())));
    assert_eq!(
        (
            nuclei.time_limit_secs,
            nuclei.memory_limit,
            nuclei.max_attempts
        ),
        (Some(600), Some(ByteSize::mib(4096)), Some(1))
    );
    assert_eq!(
        nuclei.parameters.keys().collect::<Vec<_>>(),
        ["model", "options", "thresholds", "trained"]
    );
    assert_eq!(nuclei.parameters["options"]["tile"].as_integer(), Some(512));
    let Some(Names::Ports(ports)) = &cells.input else {
        panic!("{:?}", cells.input)
    };
    assert_eq!(ports["images"], ["marker", "serum_IgG"]);
    assert_eq!(ports["seeds"], ["nucleus_segmentation"]);
    assert_eq!(
        cells.input.as_ref().unwrap().iter().collect::<Vec<_>>(),
        ["boundaries", "marker", "serum_IgG", "nucleus_segmentation"]
    );
    assert!(!cells.keep && cells.enabled && cells.parameters.is_empty());
    assert_eq!((scores.scope, scores.enabled), (Some(Scope::Plate), false));
    assert_eq!(nuclei.location("model").unwrap().line, 22);
    assert_eq!(workflow.base_dir(), generic().parent().unwrap());
}

#[test]
fn a_derived_workflow_overrides_adds_and_removes() {
    let base = WorkflowFile::load(&generic()).unwrap();
    let derived = WorkflowFile::load(&generic().with_file_name("derived.toml")).unwrap();
    assert_eq!(
        (derived.name.as_str(), derived.version.as_str()),
        ("derived", "1.2")
    );
    assert_eq!(
        derived
            .jobs
            .iter()
            .map(|job| job.id.as_str())
            .collect::<Vec<_>>(),
        ["nuclei", "cells", "count"]
    );
    assert_eq!(
        derived.jobs[0].parameters["thresholds"],
        toml::Value::Array(vec![0.7.into()])
    );
    assert_eq!(
        derived.jobs[0].parameters["model"], base.jobs[0].parameters["model"],
        "what is not named is inherited"
    );
    assert_eq!(derived.jobs[1], base.jobs[1]);
    assert_eq!(derived.channels["WF_Cy5"].role(), Some("serum_IgA"));
    assert_eq!(derived.channels["DAPI"].role(), Some("nuclei"));
    assert_eq!(derived.container, base.container);
    let files: Vec<_> = derived
        .sources()
        .iter()
        .map(|file| file.file_name().unwrap())
        .collect();
    assert_eq!(files, ["derived.toml", "generic.toml"]);
    assert!(
        derived.jobs[0]
            .location("thresholds")
            .unwrap()
            .file
            .as_ref()
            .unwrap()
            .ends_with("derived.toml")
    );
    assert!(
        derived.jobs[0]
            .location("model")
            .unwrap()
            .file
            .as_ref()
            .unwrap()
            .ends_with("generic.toml")
    );
}

#[test]
fn an_inherited_path_belongs_to_the_folder_of_its_own_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("shipped")).unwrap();
    std::fs::write(folder.path().join("shipped/base.toml"), with_jobs("[[job]]\nid = \"a\"\nkind = \"k\"\nmodel = \"m.onnx\"\n[[job]]\nid = \"b\"\nkind = \"k\"\nmodel = \"m.onnx\"\n")).unwrap();
    let mine = folder.path().join("mine.toml");
    std::fs::write(&mine, "name = \"mine\"\nextends = \"shipped/base.toml\"\n[[job]]\nid = \"b\"\nmodel = \"better.onnx\"\n").unwrap();
    let workflow = WorkflowFile::load(&mine).unwrap();
    // The workers get the workflow as JSON; the folders must survive the way.
    let sent: WorkflowFile =
        serde_json::from_str(&serde_json::to_string(&workflow).unwrap()).unwrap();
    for workflow in [&workflow, &sent] {
        assert_eq!(workflow.dir_of("a", "model"), folder.path().join("shipped"));
        assert_eq!(workflow.dir_of("b", "model"), folder.path());
        assert_eq!(workflow.base_dir(), folder.path());
    }
    assert_eq!(sent.jobs, workflow.jobs);
    assert_eq!(sent.to_canonical_json(), workflow.to_canonical_json());
}

#[test]
fn a_new_kind_drops_the_inherited_parameters() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("base.toml"),
        with_jobs("[[job]]\nid = \"a\"\nkind = \"k\"\ninput = \"x\"\nsigma = 1\n"),
    )
    .unwrap();
    let text = "name = \"v\"\nextends = \"base.toml\"\n[[job]]\nid = \"a\"\nkind = \"other\"\nradius = 2\n";
    let workflow = WorkflowFile::from_str(text, folder.path()).unwrap();
    let job = &workflow.jobs[0];
    assert_eq!(
        (job.kind.as_str(), job.input.as_ref().unwrap().iter().next()),
        ("other", Some("x"))
    );
    assert_eq!(job.parameters.keys().collect::<Vec<_>>(), ["radius"]);
}

#[test]
fn broken_inheritance_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    write(
        "base.toml",
        &with_jobs("[[job]]\nid = \"nuclei\"\nkind = \"k\"\n"),
    );
    let a = write("a.toml", "name = \"a\"\nextends = \"b.toml\"\n");
    write("b.toml", "name = \"b\"\nextends = \"a.toml\"\n");
    let own = write("own.toml", "name = \"own\"\nextends = \"./own.toml\"\n");
    let lost = write("lost.toml", "name = \"l\"\n\nextends = \"nowhere.toml\"\n");
    let nameless = write("nameless.toml", "extends = \"base.toml\"\n");
    let typo = write(
        "typo.toml",
        "name = \"t\"\nextends = \"base.toml\"\n[[job]]\nid = \"nuclie\"\nremove = true\n",
    );
    let alone = write(
        "alone.toml",
        &with_jobs("[[job]]\nid = \"a\"\nremove = true\n"),
    );
    let broken = write("broken.toml", "name = \"br\"\nextends = \"wrong.toml\"\n");
    write("wrong.toml", "name = 5\n");
    for (file, said) in [
        (&a, "the workflow extends itself"),
        (&own, "the workflow extends itself"),
        (&lost, "nowhere.toml`: No such file"),
        (&nameless, "needs a `name` of its own"),
        (&typo, "did you mean `nuclei`?"),
        (&alone, "this file extends no other"),
        (&broken, "wrong.toml:1:"),
    ] {
        let text = WorkflowFile::load(file).unwrap_err().to_string();
        assert!(
            text.contains(said) && text.contains("--> "),
            "{}: {text}",
            file.display()
        );
    }
    let text = WorkflowFile::load(&lost).unwrap_err().to_string();
    assert!(text.contains("lost.toml:3:1"), "{text}");
}

#[test]
fn wrong_workflows_are_explained_where_they_are_wrong() {
    for (text, line, said) in [
        (
            "version = \"1\"\n".to_owned(),
            0,
            "the workflow has no name",
        ),
        (
            "name = \"a/b\"\nversion = \"1\"\n".to_owned(),
            1,
            "cannot be a name",
        ),
        (
            "name = \"a\"\nversion = \" \"\n".to_owned(),
            2,
            "has no version",
        ),
        (
            "name = \"a\"\nversion = 1\n".to_owned(),
            2,
            "expected text in quotes",
        ),
        (
            with_jobs("[channels]\nA = \"n\"\nB = \"n\"\n"),
            5,
            "have the same role",
        ),
        (
            with_jobs("[channels]\nA = true\n"),
            4,
            "`false` to drop the channel",
        ),
        (
            with_jobs("[channels]\nA = \"../n\"\n"),
            4,
            "cannot be a role",
        ),
        (
            with_jobs("[container]\nscale_factors = [2, 4]\n"),
            4,
            "is not a pyramid",
        ),
        (
            with_jobs("[container]\nscale_factors = [1, 2, 3]\n"),
            4,
            "is not a pyramid",
        ),
        (
            with_jobs("[container]\nscale_factors = []\n"),
            4,
            "is not a pyramid",
        ),
        (
            with_jobs("[container]\nformat = \"zarr\"\n"),
            4,
            "unknown value `zarr`",
        ),
        (
            with_jobs("[z]\nprojection = \"maximum\"\n"),
            4,
            "unknown value `maximum`",
        ),
        (with_jobs("[jobs]\n"), 3, "unknown key `jobs`"),
        (with_jobs("base_dir = \"/\"\n"), 3, "unknown key `base_dir`"),
        (with_jobs("[[job]]\nkind = \"k\"\n"), 3, "`id` is missing"),
        (
            with_jobs("[[job]]\nid = \"1st\"\nkind = \"k\"\n"),
            4,
            "cannot be a job id",
        ),
        (with_jobs("[[job]]\nid = \"a\"\n"), 3, "has no `kind`"),
        (
            with_jobs("[[job]]\nid = \"a\"\nkind = \"k\"\n[[job]]\nid = \"a\"\nkind = \"k\"\n"),
            7,
            "used twice; first in line 4",
        ),
        (
            with_jobs("[[job]]\nid = \"a\"\nkind = \"k\"\nafter = [\"a\"]\n"),
            6,
            "cannot run after itself",
        ),
        (
            with_jobs(
                "[[job]]\nid = \"abc\"\nkind = \"k\"\n[[job]]\nid = \"d\"\nkind = \"k\"\nafter = [\"abd\"]\n",
            ),
            9,
            "there is no job `abd`",
        ),
        (
            with_jobs("[[job]]\nid = \"a\"\nkind = \"k\"\nscope = \"plat\"\n"),
            6,
            "unknown value `plat`",
        ),
        (
            with_jobs("[[job]]\nid = \"a\"\nkind = \"k\"\noutput = \"../../x\"\n"),
            6,
            "cannot be the name of an output",
        ),
        (
            with_jobs("[[job]]\nid = \"a\"\nkind = \"k\"\ninput = 3\n"),
            6,
            "a list of names",
        ),
        (
            with_jobs("[[job]]\nid = \"a\"\nkind = \"k\"\nmemory_limit = \"4\"\n"),
            6,
            "has no unit",
        ),
        (
            with_jobs("[[job]]\nid = \"a\"\nkind = \"k\"\ntime_limit_secs = 0\n"),
            6,
            "0 seconds",
        ),
        (
            with_jobs("[[job]]\nid = \"a\"\nkind = \"k\"\nmax_attempts = 0\n"),
            6,
            "at least 1",
        ),
        (
            with_jobs("[[job]]\nid = \"a\"\nkind = \"k\"\nx = [1.0, inf]\n"),
            6,
            "not a finite number",
        ),
        (
            with_jobs("[[job]]\nid = \"a\"\nkind = \"k\"\nx = { y = 2026-03-01 }\n"),
            6,
            "is a date",
        ),
    ] {
        let found = errors(&text);
        assert_eq!(found.len(), 1, "{text}{found:#?}");
        let at = match &found[0].place {
            Place::File(location) => location.line,
            _ => 0,
        };
        assert_eq!(at, line, "{text}{}", found[0]);
        assert!(found[0].message.contains(said), "{text}{}", found[0]);
    }
}

#[test]
fn a_circle_is_shown() {
    let job = |id: &str, after: &str| {
        format!("[[job]]\nid = \"{id}\"\nkind = \"k\"\nafter = [\"{after}\"]\n")
    };
    let found = errors(&with_jobs(
        &(job("start", "x") + &job("x", "y") + &job("y", "z") + &job("z", "x")),
    ));
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(
        found[0]
            .message
            .contains("`x` after `y` after `z` after `x`"),
        "{}",
        found[0]
    );
}

#[test]
fn all_mistakes_come_at_once() {
    let found = errors(
        "name = \"\"\nversion = \"\"\n[[job]]\nid = \"a b\"\nkind = \"\"\nafter = [\"c\"]\nmax_attempts = 0\n",
    );
    assert_eq!(found.len(), 6, "{found:#?}");
    assert!(
        found.iter().all(|problem| problem.remedy.is_some()),
        "{found:#?}"
    );
    let found = errors(&with_jobs(
        "[[job]]\nid = \"a\"\nkind = 5\nkeep = \"no\"\nscope = \"x\"\n[[job]]\nid = \"b\"\nenabled = 1\n",
    ));
    assert_eq!(found.len(), 4, "{found:#?}");
}

#[test]
fn equal_meaning_gives_equal_text() {
    let a = read(&with_jobs(
        "[[job]]\nid = \"a\"\nkind = \"k\"\nz = 1\nb = { y = 1.5, x = \"é\" }\n",
    ))
    .unwrap();
    let b = read(&format!("version = '1'\nname = '''w'''\n# comment\n[[job]]\nb.x = \"\\u00e9\"\nb.y = 15e-1\nkeep = true\nkind = \"k\"\nz = 0x1\nid = \"a\"\n{}", "")).unwrap();
    assert_eq!(a.to_canonical_json(), b.to_canonical_json());
    let expected = "\"job\":[{\"after\":[],\"b\":{\"x\":\"é\",\"y\":1.5},\"enabled\":true,\"id\":\"a\",\"keep\":true,\"kind\":\"k\",\"z\":1}]";
    assert!(
        a.to_canonical_json().contains(expected),
        "{}",
        a.to_canonical_json()
    );
    let c = read(&with_jobs(
        "[[job]]\nid = \"a\"\nkind = \"k\"\nz = 2\nb = { y = 1.5, x = \"é\" }\n",
    ))
    .unwrap();
    assert_ne!(a.to_canonical_json(), c.to_canonical_json());
    assert!(
        !a.to_canonical_json().contains("/base"),
        "{}",
        a.to_canonical_json()
    );
    // An inheritance that changes nothing but the name gives the same jobs.
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("base.toml"),
        with_jobs("[[job]]\nid = \"a\"\nkind = \"k\"\n"),
    )
    .unwrap();
    let child =
        WorkflowFile::from_str("name = \"w\"\nextends = \"base.toml\"\n", folder.path()).unwrap();
    assert_eq!(
        child.to_canonical_json(),
        read(&with_jobs("[[job]]\nid = \"a\"\nkind = \"k\"\n"))
            .unwrap()
            .to_canonical_json()
    );
}

#[test]
fn a_workflow_without_jobs_only_warns() {
    let workflow = read(HEAD).unwrap();
    let found = workflow.validate();
    assert!(found.len() == 1 && !found[0].is_error(), "{found:#?}");
}
