//! Loading the daemon's configuration: merging, precedence, origins, validation.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use config::{
    ByteSize, ConfigError, Count, DaemonConfig, ErrorClass, LoadOptions, Loaded, Origin, Place,
    Problem, WorkflowRef,
};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

fn env(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn load_text(text: &str) -> Result<Loaded, ConfigError> {
    let folder = Folder::new();
    DaemonConfig::load(LoadOptions::new().file(folder.write("wellspring.toml", text)))
}

fn errors(text: &str) -> Vec<Problem> {
    load_text(text).unwrap_err().problems().to_vec()
}

/// The one error of a text, with its key and its line.
fn the_error(text: &str) -> (String, usize, Problem) {
    let found = errors(text);
    assert_eq!(found.len(), 1, "{found:#?}");
    let line = match &found[0].place {
        Place::File(location) => location.line,
        other => panic!("not placed in the file: {other:?}"),
    };
    (found[0].key.clone(), line, found[0].clone())
}

const ROOT: &str = "[[root]]\npath = \"/in\"\noutput = \"/out\"\nworkflow = \"w\"\n";

#[test]
fn nothing_at_all_is_the_default() {
    let loaded = DaemonConfig::load(LoadOptions::new()).unwrap();
    assert_eq!(loaded.config, DaemonConfig::default());
    assert!(
        loaded
            .origins
            .values()
            .all(|origin| *origin == Origin::Default)
    );
    assert_eq!(loaded.warnings, []);
    assert_eq!(loaded.config.server.listen.to_string(), "127.0.0.1:8787");
}

#[test]
fn flags_win_over_the_environment_and_that_over_files() {
    let folder = Folder::new();
    let file = folder.write("wellspring.toml", "[server]\nlisten = \"127.0.0.1:1\"\nmax_body = \"2 MiB\"\n[workers]\ncount = 2\nmax_attempts = 5\n[log]\nlevel = \"warn\"\n");
    let variables = env(&[
        ("WELLSPRING_LISTEN", "127.0.0.1:2"),
        ("WELLSPRING_SERVER__LISTEN", "127.0.0.1:3"),
        ("WELLSPRING_WORKERS__COUNT", "3"),
        ("WELLSPRING_STATE_DIR", "/srv/state"),
        ("LOGLEVEL", "DEBUG"),
        ("WELLSPRING_WORKERS__MAX_ATTEMPTS", ""),
        ("HOME", "/home/someone"),
    ]);
    let loaded = DaemonConfig::load(
        LoadOptions::new()
            .file(&file)
            .env(variables)
            .set("workers.count", 4),
    )
    .unwrap();
    let config = &loaded.config;
    assert_eq!(
        config.server.listen.port(),
        3,
        "the long name wins over the short one"
    );
    assert_eq!(config.server.max_body, ByteSize::mib(2));
    assert_eq!(config.workers.count, Count::Fixed(4));
    assert_eq!(
        config.workers.max_attempts, 5,
        "an empty variable is not set"
    );
    assert_eq!(config.state.dir, Path::new("/srv/state"));
    assert_eq!(config.log.level, "debug");
    assert_eq!(
        loaded.origins["server.listen"],
        Origin::Env("WELLSPRING_SERVER__LISTEN".to_owned())
    );
    assert_eq!(
        loaded.origins["server.max_body"],
        Origin::File {
            path: file.clone(),
            line: 3
        }
    );
    assert_eq!(loaded.origins["workers.count"], Origin::Flag);
    assert_eq!(loaded.origins["workers.threads"], Origin::Default);
    assert_eq!(
        loaded.origins["log.level"].to_string(),
        "environment LOGLEVEL"
    );
    assert_eq!(
        loaded.origins["workers.max_attempts"].to_string(),
        format!("{}:6", file.display())
    );
}

#[test]
fn values_of_the_environment_take_the_type_of_their_option() {
    let variables = env(&[
        ("WELLSPRING_STATE__ALLOW_NETWORK", "yes"),
        ("WELLSPRING_SERVER__ALLOWED_HOSTS", "a.example, b.example"),
        ("WELLSPRING_WORKFLOW_DIRS", "[\"/w,1\", \"/w2\"]"),
        ("WELLSPRING_WORKERS__THREADS", "auto"),
        ("WELLSPRING_WORKERS__MEMORY_LIMIT", "8 GiB"),
        ("WELLSPRING_WORKERS__GPU", "1080"),
    ]);
    let config = DaemonConfig::load(LoadOptions::new().env(variables))
        .unwrap()
        .config;
    assert!(config.state.allow_network);
    assert_eq!(config.server.allowed_hosts, ["a.example", "b.example"]);
    assert_eq!(config.workflow_dirs, [Path::new("/w,1"), Path::new("/w2")]);
    assert_eq!(config.workers.threads, Count::Auto);
    assert_eq!(config.workers.memory_limit, Some(ByteSize::mib(8192)));
    assert_eq!(
        config.workers.gpu,
        config::Gpu::Named("1080".to_owned()),
        "digits stay text where text is wanted"
    );
}

#[test]
fn a_wrong_variable_is_named_with_what_is_right() {
    let variables = env(&[
        ("WELLSPRING_SERVER__LISTN", "127.0.0.1:1"),
        ("WELLSPRING_WORKERS__MAX_ATTEMPTS", "many"),
        ("WELLSPRING_LOG__FORMAT", "jsn"),
        ("WELLSPRING_ROOT__PATH", "/in"),
        ("WELLSPRING_STATE__ALLOW_NETWORK", "maybe"),
    ]);
    let error = DaemonConfig::load(LoadOptions::new().env(variables)).unwrap_err();
    assert_eq!(error.problems().len(), 5, "{error}");
    let text = error.to_string();
    for said in [
        "did you mean `WELLSPRING_SERVER__LISTEN`?",
        "`many` is not a whole number\n  --> environment variable WELLSPRING_WORKERS__MAX_ATTEMPTS",
        "did you mean `json`?",
        "put a `[[root]]` block into a file",
        "`maybe` is neither true nor false",
    ] {
        assert!(text.contains(said), "`{said}` is missing in:\n{text}");
    }
}

#[test]
fn variables_of_others_do_not_stop_the_daemon() {
    let variables = env(&[
        ("LOGLEVEL", "chatty"),
        ("WELLSPRING_TOKEN", "x"),
        ("WELLSPRING_SERVER_LISTEN", "127.0.0.1:9"),
    ]);
    let loaded = DaemonConfig::load(LoadOptions::new().env(variables)).unwrap();
    assert_eq!(loaded.config, DaemonConfig::default());
    let warnings: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(
        warnings.iter().any(|w| w.contains("LOGLEVEL"))
            && warnings
                .iter()
                .any(|w| w.contains("`WELLSPRING_SERVER__LISTEN`, with two underscores")),
        "{warnings:?}"
    );
}

#[test]
fn an_unknown_flag_is_refused() {
    let error = DaemonConfig::load(
        LoadOptions::new()
            .set("server.lisen", "127.0.0.1:1")
            .set_text("workers.count", "many"),
    )
    .unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("unknown option `server.lisen`\n  --> command line")
            && text.contains("did you mean `server.listen`?"),
        "{text}"
    );
    assert!(text.contains("command line, `workers.count`"), "{text}");
    let loaded = DaemonConfig::load(
        LoadOptions::new()
            .set_text("workers.count", "6")
            .set_text("state.allow_network", "on"),
    )
    .unwrap();
    assert_eq!(
        (
            loaded.config.workers.count,
            loaded.config.state.allow_network
        ),
        (Count::Fixed(6), true)
    );
}

#[test]
fn conf_d_overrides_options_and_adds_roots() {
    let folder = Folder::new();
    let main = folder.write(
        "wellspring.toml",
        &format!("[server]\nallowed_hosts = [\"a\", \"b\"]\nmax_body = \"3 MiB\"\n{ROOT}"),
    );
    folder.write("conf.d/20-second.toml", "[server]\nallowed_hosts = [\"c\"]\n[[root]]\npath = \"in2\"\noutput = \"out2\"\nworkflow = \"mine.toml\"\n");
    let first = folder.write("conf.d/10-first.toml", "\n[[root]]\npath = \"/in1\"\noutput = \"/out1\"\nworkflow = \"w\"\n[server]\nallowed_hosts = [\"z\"]\n");
    for ignored in ["conf.d/.hidden.toml", "conf.d/30.toml.bak", "conf.d/README"] {
        folder.write(ignored, "this is not TOML");
    }
    let loaded = DaemonConfig::load(LoadOptions::new().file(&main)).unwrap();
    let config = &loaded.config;
    assert_eq!(config.server.allowed_hosts, ["c"], "a list is replaced");
    assert_eq!(config.server.max_body, ByteSize::mib(3));
    let paths: Vec<&Path> = config
        .roots
        .iter()
        .map(|root| root.path.as_path())
        .collect();
    assert_eq!(
        paths,
        [
            Path::new("/in"),
            Path::new("/in1"),
            &folder.path("conf.d/in2")
        ]
    );
    assert_eq!(
        config.roots[2].workflow,
        WorkflowRef::Path(folder.path("conf.d/mine.toml")),
        "relative to its own file"
    );
    assert_eq!(
        loaded.origins["root[1].path"],
        Origin::File {
            path: first,
            line: 3
        }
    );
    assert_eq!(loaded.origins["root[2].naming"], Origin::Default);
    assert_eq!(loaded.files.len(), 3);
}

#[test]
fn a_mistake_in_conf_d_is_placed_there_and_all_files_are_checked() {
    let folder = Folder::new();
    let main = folder.write("wellspring.toml", "[serv]\n");
    folder.write(
        "conf.d/a.toml",
        "\n\n[[root]]\npath = \"/x\"\noutput = \"/y\"\nworkflow = \"w\"\npoll = 5\n",
    );
    folder.write("conf.d/b.toml", "x =");
    let text = DaemonConfig::load(LoadOptions::new().file(&main))
        .unwrap_err()
        .to_string();
    assert!(
        text.contains("wellspring.toml:1:") && text.contains("did you mean `server`?"),
        "{text}"
    );
    assert!(
        text.contains("a.toml:7:1, `root[0].poll`") && text.contains(" 7 | poll = 5"),
        "{text}"
    );
    assert!(
        text.contains("b.toml:1:") && text.contains("not valid TOML"),
        "{text}"
    );
}

#[test]
fn a_missing_file_is_the_environments_fault() {
    let error =
        DaemonConfig::load(LoadOptions::new().file("/nowhere/wellspring.toml")).unwrap_err();
    assert_eq!(error.class(), ErrorClass::Environment);
    assert!(error.to_string().contains("/nowhere/wellspring.toml") && error.remedy().is_some());
}

#[test]
fn unknown_keys_get_a_suggestion() {
    for (text, line, said) in [
        ("[server]\nlisten_on = \"x\"\n", 2, "did you mean `listen`?"),
        (
            "listen = \"127.0.0.1:1\"\n",
            1,
            "`listen` belongs in `[server]`",
        ),
        (
            "[server]\nworkflow_dirs = []\n",
            2,
            "at the top of the file",
        ),
        (
            "[server]\nnaming = \"x\"\n",
            2,
            "`naming` belongs in `[[root]]`",
        ),
        (
            "[log]\nrotation = 3\n",
            2,
            "the keys of `log` are `level`, `format`",
        ),
        ("[log]\nformat = \"JSON\"\n", 2, "did you mean `json`?"),
    ] {
        let (_, at, problem) = the_error(text);
        assert_eq!(at, line, "{text}");
        assert!(problem.remedy.as_ref().unwrap().contains(said), "{problem}");
    }
}

#[test]
fn values_are_checked_where_they_stand() {
    for (text, key, said) in [
        (
            "[server]\nlisten = \"0.0.0.0:80\"\nallowed_hosts = [\"h\"]\n",
            "server.listen",
            "no token protects it",
        ),
        (
            "[server]\nlisten = \"nonsense\"\n",
            "server.listen",
            "is not an address and a port",
        ),
        (
            "[server]\nallowed_hosts = [\"http://a\"]\n",
            "server.allowed_hosts[0]",
            "is not the name of a host",
        ),
        (
            "[server]\ntoken_file = \"~/token\"\n",
            "server.token_file",
            "not expanded",
        ),
        ("[state]\ndir = \"\"\n", "state.dir", "the path is empty"),
        (
            "[state]\nmin_free = \"5\"\n",
            "state.min_free",
            "has no unit",
        ),
        ("[workers]\ncount = 0\n", "workers.count", "at least 1"),
        (
            "[workers]\ncount = 99999\n",
            "workers.count",
            "more than 1024",
        ),
        (
            "[workers]\nmax_attempts = 0\n",
            "workers.max_attempts",
            "less than 1",
        ),
        (
            "[workers]\nlease_secs = 1\n",
            "workers.lease_secs",
            "less than 5",
        ),
        (
            "[workers]\nmemory_limit = \"1 MiB\"\n",
            "workers.memory_limit",
            "less than 64 MiB",
        ),
        (
            "[log]\nlevel = \"info,watch=dbug\"\n",
            "log.level",
            "`dbug` is not a log level",
        ),
    ] {
        let (at, _, problem) = the_error(text);
        assert_eq!(at, key, "{problem}");
        assert!(problem.message.contains(said), "{problem}");
        assert!(!problem.to_string().contains("u64"), "{problem}");
    }
}

#[test]
fn roots_are_checked_where_they_stand() {
    for (line, key, said) in [
        (
            "plate_complete = []",
            "root[0].plate_complete",
            "no plate would ever be complete",
        ),
        (
            "plate_complete = [\"manifest\", \"quite:900\"]",
            "root[0].plate_complete[1]",
            "did you mean `quiet`?",
        ),
        (
            "plate_complete = [\"expected\"]",
            "root[0].plate_complete[0]",
            "what a plate looks like",
        ),
        ("naming = \"\"", "root[0].naming", "is empty"),
        ("poll_secs = 0", "root[0].poll_secs", "less than 1"),
        ("ignore = [\" \"]", "root[0].ignore[0]", "empty glob"),
        ("layout = { rows = 8 }", "root[0].layout", "belong together"),
        (
            "layout = { wells = [\"A01\"], rows = 8, columns = 12 }",
            "root[0].layout.wells",
            "twice",
        ),
        (
            "layout = { wells = [\"A01\", \"1A\"] }",
            "root[0].layout.wells[1]",
            "is not a well",
        ),
        (
            "layout = { wells = [\"A01\", \"a1\"] }",
            "root[0].layout.wells[1]",
            "listed twice",
        ),
        (
            "layout = { rows = 8, columns = 12, sites = 0 }",
            "root[0].layout.sites",
            "not a possible number",
        ),
    ] {
        let (at, number, problem) = the_error(&format!("{ROOT}{line}\n"));
        assert_eq!((at.as_str(), number), (key, 5), "{problem}");
        assert!(problem.message.contains(said), "{problem}");
    }
}

#[test]
fn results_never_land_in_a_watched_folder() {
    let root = |path: &str, output: &str| {
        format!("[[root]]\npath = \"{path}\"\noutput = \"{output}\"\nworkflow = \"w\"\n")
    };
    for (text, key, said) in [
        (
            root("/a", "/a/results"),
            "root[0].output",
            "lies in the watched folder",
        ),
        (
            root("/a", "/b/../a/x"),
            "root[0].output",
            "lies in the watched folder",
        ),
        (
            root("/a/in", "/a"),
            "root[0].path",
            "which receives results",
        ),
        (
            root("/a", "/ra") + &root("/ra/deep", "/rb"),
            "root[1].path",
            "which receives results",
        ),
        (
            root("/a", "/b/x") + &root("/b", "/rb"),
            "root[0].output",
            "lies in the watched folder",
        ),
        (
            root("/a", "/ra") + &root("/a/b", "/rb"),
            "root[1].path",
            "overlap",
        ),
        (
            root("/a", "/ra") + &root("/a/", "/rb"),
            "root[1].path",
            "overlap",
        ),
        (
            format!("[state]\ndir = \"/a/state\"\n{}", root("/a", "/ra")),
            "state.dir",
            "state folder",
        ),
    ] {
        let (at, _, problem) = the_error(&text);
        assert_eq!(at, key, "{text}{problem}");
        assert!(problem.message.contains(said), "{problem}");
    }
    assert!(
        load_text(&(root("/a", "/ra") + &root("/ab", "/rab")))
            .unwrap()
            .warnings
            .is_empty(),
        "a common beginning of a name is no overlap"
    );
    let disabled = root("/a", "/ra") + &root("/a/b", "/rb") + "enabled = false\n";
    assert!(
        load_text(&disabled).is_ok(),
        "a root that is turned off is in nobody's way"
    );
    let shared = load_text(&(root("/a", "/r") + &root("/b", "/r"))).unwrap();
    assert!(
        shared.warnings[0].message.contains("too"),
        "{:?}",
        shared.warnings
    );
}

#[test]
fn all_mistakes_come_at_once() {
    let found = errors(
        "[server]\nlisten = \"0.0.0.0:80\"\n[workers]\nmax_attempts = 0\n[[root]]\npath = \"/a\"\noutput = \"/a/b\"\nworkflow = \"\"\nnaming = \"\"\n",
    );
    assert_eq!(found.len(), 5, "{found:#?}");
    assert!(
        found.iter().all(|problem| problem.is_error()
            && problem.remedy.is_some()
            && matches!(problem.place, Place::File(_))),
        "{found:#?}"
    );
}

#[test]
fn entries_show_every_option_once() {
    let loaded = load_text(ROOT).unwrap();
    let entries = loaded.entries();
    let value = |key: &str| {
        entries
            .iter()
            .find(|e| e.key == key)
            .unwrap_or_else(|| panic!("{key}"))
            .value
            .as_str()
    };
    assert_eq!(value("server.listen"), "\"127.0.0.1:8787\"");
    assert_eq!(value("workers.max_attempts"), "3");
    assert_eq!(value("server.token_file"), "unset");
    assert_eq!(
        value("root[0].plate_complete"),
        "[\"manifest\", \"quiet:900\"]"
    );
    assert!(
        !entries.iter().any(|e| e.key.contains("layout")),
        "a layout that is not given is not shown"
    );
}

#[test]
fn the_configuration_survives_json_and_toml() {
    let config = load_text(&format!("{ROOT}layout = {{ rows = 8, columns = 12 }}\n"))
        .unwrap()
        .config;
    assert_eq!(
        serde_json::from_value::<DaemonConfig>(serde_json::to_value(&config).unwrap()).unwrap(),
        config
    );
    assert_eq!(
        toml::from_str::<DaemonConfig>(&toml::to_string(&config).unwrap()).unwrap(),
        config
    );
}

#[test]
fn the_disk_is_asked_only_on_request() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path("in")).unwrap();
    std::os::unix::fs::symlink(folder.path("in"), folder.path("link")).unwrap();
    folder.write("w/good.toml", "name = \"good\"\nversion = \"1\"\n");
    folder.write("w/bad.toml", "name = \"bad\"\n");
    let token = folder.write("token", "0123456789abcdef\n");
    std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o644)).unwrap();
    let file = folder.write(
        "wellspring.toml",
        "workflow_dirs = [\"w\"]\n[server]\ntoken_file = \"token\"\n\
         [[root]]\npath = \"in\"\noutput = \"link/results\"\nworkflow = \"good\"\n\
         [[root]]\npath = \"gone\"\noutput = \"out2\"\nworkflow = \"bad\"\n\
         [[root]]\npath = \"gone3\"\noutput = \"out3\"\nworkflow = \"unknown\"\n",
    );
    let config = DaemonConfig::load(LoadOptions::new().file(file))
        .unwrap()
        .config;
    let found = config.check_files();
    let says = |key: &str, error: bool, said: &str| {
        found
            .iter()
            .any(|p| p.key == key && p.is_error() == error && p.message.contains(said))
    };
    assert!(
        says("root[0].output", true, "lies in the watched folder"),
        "{found:#?}"
    );
    assert!(says("root[1].path", false, "is not there"), "{found:#?}");
    assert!(says("root[1].workflow", true, "no version"), "{found:#?}");
    assert!(
        says("root[2].workflow", true, "there is no workflow `unknown`"),
        "{found:#?}"
    );
    assert!(says("server.token_file", true, "everybody"), "{found:#?}");
    assert_eq!(found.len(), 6, "{found:#?}");
    std::fs::write(&token, "short\n").unwrap();
    assert!(
        config
            .check_files()
            .iter()
            .any(|p| p.message.contains("shorter than 16"))
    );
}
