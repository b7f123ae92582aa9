#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::fs;

use super::*;
use crate::tests::Folder;

fn locate(options: &ClientOptions, env: &[(&str, &Path)]) -> Result<Address> {
    let env: HashMap<_, _> = env.iter().copied().collect();
    Address::locate_with(options, |name| {
        env.get(name).map(|path| path.as_os_str().to_owned())
    })
}

#[test]
fn the_option_wins_over_all() {
    let folder = Folder::new();
    fs::write(folder.path("address"), "http://127.0.0.1:1\n").unwrap();
    let options = ClientOptions {
        server: Some("localhost:9/".to_owned()),
        config: Some("/there/is/none.toml".into()),
        ..ClientOptions::default()
    };
    let address = locate(&options, &[("WELLSPRING_STATE_DIR", folder.root())]).unwrap();
    assert_eq!(
        (address.url.as_str(), address.source),
        ("http://localhost:9", Source::Given)
    );
}

#[test]
fn the_running_daemon_is_found_through_its_configuration() {
    let folder = Folder::new();
    fs::create_dir(folder.path("state")).unwrap();
    fs::write(folder.path("state/address"), "http://127.0.0.1:4711\n").unwrap();
    fs::write(
        folder.path("w.toml"),
        "[server]\ndir = \"no\"\n[state]\ndir = \"state\" # here\n",
    )
    .unwrap();
    let options = ClientOptions {
        config: Some(folder.path("w.toml")),
        ..ClientOptions::default()
    };
    let address = locate(&options, &[]).unwrap();
    assert_eq!(address.url, "http://127.0.0.1:4711");
    assert_eq!(address.source, Source::File(folder.path("state/address")));
}

#[test]
fn the_state_folder_of_the_environment_wins_over_the_configuration() {
    let folder = Folder::new();
    fs::write(folder.path("address"), "http://0.0.0.0:5\n").unwrap();
    fs::write(folder.path("w.toml"), "[state]\ndir = \"/there/is/none\"\n").unwrap();
    let options = ClientOptions {
        config: Some(folder.path("w.toml")),
        ..ClientOptions::default()
    };
    for name in ["WELLSPRING_STATE_DIR", "WELLSPRING_STATE__DIR"] {
        let address = locate(&options, &[(name, folder.root())]).unwrap();
        assert_eq!(
            address.url, "http://127.0.0.1:5",
            "listening everywhere is reached on loopback"
        );
    }
}

#[test]
fn without_a_daemon_the_default_and_why() {
    let folder = Folder::new();
    let address = locate(
        &ClientOptions::default(),
        &[("WELLSPRING_STATE_DIR", folder.root())],
    )
    .unwrap();
    assert_eq!(address.url, "http://127.0.0.1:8787");
    assert!(
        address.remedy().contains("wellspring serve"),
        "{}",
        address.remedy()
    );
    assert!(
        address.remedy().contains("address` cannot be read"),
        "{}",
        address.remedy()
    );
}

#[test]
fn a_configuration_that_was_named_must_be_there() {
    let options = ClientOptions {
        config: Some("/there/is/none.toml".into()),
        ..ClientOptions::default()
    };
    let error = locate(&options, &[]).unwrap_err();
    assert!(error.message.contains("/there/is/none.toml"), "{error}");
    assert!(error.hint.is_some());
}

#[test]
fn the_state_folder_is_found_in_any_spelling() {
    for (text, dir) in [
        ("[state]\ndir = \"/a b\"", Some("/a b")),
        ("[ state ]\n  dir='/a\\b' # x", Some("/a\\b")),
        ("state.dir = \"/q\\\"\\u0041\"\n[server]\n", Some("/q\"A")),
        (
            "[[root]]\ndir = \"/x\"\n[state]\nallow_network = true\n\"dir\" = \"/y\"",
            Some("/y"),
        ),
        ("# [state]\n# dir = \"/x\"\n[server]\ndir = \"/z\"", None),
        ("[state.more]\ndir = \"/x\"", None),
        ("[state]\ndir = \"/never ends", None),
        ("", None),
    ] {
        assert_eq!(dir_of_state(text).as_deref(), dir, "{text}");
    }
}

#[test]
fn addresses_that_cannot_be_used_are_refused() {
    for text in ["", "https://host", "ftp://host", "http://", "http://a b"] {
        let error = normal(text).unwrap_err();
        assert_eq!(error.exit, Exit::Usage, "{text}");
        assert!(error.hint.is_some(), "{text}");
    }
    assert_eq!(normal(" http://h:1// ").unwrap(), "http://h:1");
}
