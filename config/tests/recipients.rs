//! `[[notify]]`: who is told, and mistakes in it that are shown without what is secret.
#![allow(clippy::unwrap_used)]

use config::{
    ConfigError, DaemonConfig, LoadOptions, Loaded, Occasion, Place, Problem, WebhookFormat,
};

const ROOT: &str = "[[root]]\npath = \"/in\"\noutput = \"/out\"\nworkflow = \"w\"\n";
const SECRET: &str = "T0123-very-secret";

fn load(text: &str) -> Result<Loaded, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wellspring.toml");
    std::fs::write(&file, text).unwrap();
    DaemonConfig::load(LoadOptions::new().file(file))
}

fn the_error(text: &str) -> Problem {
    let error = load(&format!("{ROOT}{text}")).unwrap_err();
    let problems = error.problems();
    assert_eq!(problems.len(), 1, "{problems:#?}");
    let problem = problems[0].clone();
    assert!(
        matches!(&problem.place, Place::File(location) if location.line > 4),
        "{problem:?}"
    );
    assert!(problem.remedy.is_some(), "{problem:?}");
    problem
}

#[test]
fn a_webhook_and_a_mail() {
    let text = format!(
        "{ROOT}[[notify]]\nname = \"chat\"\nwebhook = \"https://hooks.example.org/{SECRET}\"\nheaders = {{ X-Key = \"{SECRET}\" }}\n\
         roots = [\"/in/\"]\n\
         [[notify]]\nname = \"people\"\non = [\"stale\", \"paused\"]\n[notify.email]\nto = [\"a@example.org\"]\nfrom = \"b@example.org\"\nsmtp = \"[::1]:25\"\n"
    );
    let loaded = load(&text).unwrap();
    let [chat, people] = &loaded.config.recipients[..] else {
        panic!("{:?}", loaded.config.recipients)
    };
    assert_eq!(chat.on, [Occasion::Done, Occasion::DoneWithFailures]);
    assert_eq!(chat.format, WebhookFormat::Slack);
    assert!(chat.webhook.as_ref().unwrap().reveal().ends_with(SECRET));
    assert_eq!(people.on, [Occasion::Stale, Occasion::Paused]);

    // Nothing that is printed has the secret.
    let shown: Vec<String> = loaded
        .entries()
        .iter()
        .map(|entry| format!("{} = {}", entry.key, entry.value))
        .collect();
    let shown = shown.join("\n");
    assert!(
        shown.contains("notify[0].webhook = \"(hidden)\""),
        "{shown}"
    );
    assert!(
        shown.contains("notify[1].email.smtp = \"[::1]:25\""),
        "{shown}"
    );
    assert!(!shown.contains("notify[0].email"), "{shown}");
    let json = serde_json::to_string(&loaded.config).unwrap();
    for text in [shown, json, format!("{:?}", loaded.config)] {
        assert!(!text.contains(SECRET), "{text}");
    }
}

#[test]
fn blocks_of_several_files_are_added() {
    let folder = tempfile::tempdir().unwrap();
    let block = |name: &str| format!("[[notify]]\nname = \"{name}\"\nwebhook_file = \"secret\"\n");
    let file = folder.path().join("wellspring.toml");
    std::fs::create_dir(folder.path().join("conf.d")).unwrap();
    std::fs::write(&file, block("one")).unwrap();
    std::fs::write(folder.path().join("conf.d/two.toml"), block("two")).unwrap();
    let loaded = DaemonConfig::load(LoadOptions::new().file(&file)).unwrap();
    let names: Vec<_> = loaded
        .config
        .recipients
        .iter()
        .map(|r| r.name.as_str())
        .collect();
    assert_eq!(names, ["one", "two"]);
    assert_eq!(
        loaded.config.recipients[1].webhook_file.as_deref(),
        Some(&*folder.path().join("conf.d/secret")),
        "relative to the file in which it stands"
    );
    assert!(
        loaded.origins["notify[1].name"]
            .to_string()
            .contains("two.toml:2")
    );

    std::fs::write(folder.path().join("conf.d/two.toml"), block("one")).unwrap();
    let error = DaemonConfig::load(LoadOptions::new().file(&file)).unwrap_err();
    let said = error.to_string();
    assert!(
        said.contains("two.toml:2") && said.contains("name of its own"),
        "{said}"
    );
}

#[test]
fn what_is_wrong_is_said_at_its_place() {
    let notify = "[[notify]]\nname = \"n\"\n";
    let mail = "[[notify]]\nname = \"n\"\n[notify.email]\nto = [\"a@b.org\"]\nfrom = \"c@d.org\"\n";
    for (text, key, said) in [
        (
            format!("{notify}on = [\"done\"]\n"),
            "notify[0]",
            "how `n` is told",
        ),
        (
            format!("{notify}webhook_file = \"/a\"\nwebhook = \"https://b.org/c\"\n"),
            "notify[0]",
            "more than one way",
        ),
        (
            format!("{notify}webhook_file = \"/a\"\non = []\n"),
            "notify[0].on",
            "ever be told",
        ),
        (
            format!("{notify}webhook_file = \"/a\"\nroots = [\"/inn\"]\n"),
            "notify[0].roots[0]",
            "`/inn` is not the path",
        ),
        (
            format!("{notify}webhook = \"hooks.org\"\n"),
            "notify[0].webhook",
            "not the address",
        ),
        (
            format!("{notify}webhook = \"ftp://a.org/b\"\n"),
            "notify[0].webhook",
            "not the address",
        ),
        (
            format!("{notify}webhook = \"https://u:p@a.org\"\n"),
            "notify[0].webhook",
            "a user in it",
        ),
        (
            format!("{notify}webhook_file = \"~/a\"\n"),
            "notify[0].webhook_file",
            "not expanded",
        ),
        (
            format!("{notify}webhook_file = \"/a\"\nheaders = {{ \"X Y\" = \"1\" }}\n"),
            "notify[0].headers",
            "not the name of a header",
        ),
        (
            format!("{notify}webhook_file = \"/a\"\nheaders = {{ X = \"1\\n2\" }}\n"),
            "notify[0].headers",
            "cannot carry",
        ),
        (
            format!("{notify}webhook_file = \"/a\"\nheaders = {{ Content-Type = \"a\" }}\n"),
            "notify[0].headers",
            "set by the daemon",
        ),
        (
            format!("{mail}smtp = \"d.org\"\n"),
            "notify[0].email.smtp",
            "and its port",
        ),
        (
            format!("{mail}smtp = \"d.org:25\"\nusername = \"x\"\n"),
            "notify[0].email.username",
            "without a password",
        ),
        (
            format!("{mail}smtp = \"d.org:25\"\npassword_file = \"/x\"\n"),
            "notify[0].email.password_file",
            "whose password",
        ),
        (
            format!(
                "{mail}smtp = \"d.org:25\"\ntls = \"none\"\nusername = \"x\"\npassword_file = \"/x\"\n"
            ),
            "notify[0].email.tls",
            "in the clear",
        ),
        (
            format!("{mail}smtp = \"d.org:25\"\ntls = \"ssl\"\n"),
            "notify[0].email.tls",
            "unknown value `ssl`",
        ),
        (
            format!("{notify}webhook_file = \"/a\"\non = [\"dun\"]\n"),
            "notify[0].on[0]",
            "unknown value `dun`",
        ),
        (
            "[[notify]]\nname = \"a b\"\nwebhook_file = \"/a\"\n".to_owned(),
            "notify[0].name",
            "`a b` is not a name",
        ),
    ] {
        let problem = the_error(&text);
        assert_eq!(problem.key, key, "{problem}");
        assert!(problem.message.contains(said), "{text}: {problem}");
    }
    let bad = mail.replace("a@b.org", "Lab <a@b.org>");
    let problem = the_error(&format!("{bad}smtp = \"d.org:25\"\n"));
    assert_eq!(problem.key, "notify[0].email.to[0]");
    let clear = load(&format!("{ROOT}{notify}webhook = \"http://a.org/b\"\n")).unwrap();
    assert!(clear.warnings[0].message.contains("everybody on the way"));
    let here = load(&format!(
        "{ROOT}{notify}webhook = \"http://127.0.0.1:9/b\"\n"
    ))
    .unwrap();
    assert_eq!(here.warnings, []);
}

/// A mistake is shown with its line, but not if that line holds a secret.
#[test]
fn no_mistake_shows_a_secret() {
    let notify = "[[notify]]\nname = \"n\"\n";
    for text in [
        format!("{notify}webhook = \"ftp://{SECRET}\"\n"),
        format!("{notify}webhook = \"https://a.org/{SECRET}\nwebhook_file = 3\n"),
        format!("{notify}webhook = [\"{SECRET}\"]\n"),
        format!("{notify}  \"webhook\" = {{ a = \"{SECRET}\" }}\n"),
        format!("{notify}headers = \"{SECRET}\"\n"),
        format!("{notify}headers = [\"{SECRET}\"]\n"),
        format!("{notify}headers = {{ A = [\"{SECRET}\"] }}\nwebhook_file = \"/a\"\n"),
        format!("{notify}headers.A = \"{SECRET}\\n\"\nwebhook_file = \"/a\"\n"),
        format!(
            "{notify}webhook_file = \"/a\"\n[notify.headers]\nA = \"{SECRET}\"\nB = {SECRET}\n"
        ),
        format!("{notify}webhook_file = \"/a\"\n[notify.headers]\nA = \"{SECRET}\n"),
        format!("{notify}webhook_file = \"/a\"\nheaders = {{\n  A = \"{SECRET}\n}}\n"),
        format!("{notify}webhok = \"https://a.org/{SECRET}\"\n"),
    ] {
        let error = load(&format!("{ROOT}{text}")).unwrap_err();
        let said = format!("{error}\n{error:?}");
        assert!(!said.contains(SECRET), "{text}\n{said}");
        assert!(said.contains("wellspring.toml:"), "{said}");
    }
}

#[test]
fn files_with_secrets_are_looked_at() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("hook"), "https://a.org/b\n").unwrap();
    std::fs::set_permissions(path("hook"), std::fs::Permissions::from_mode(0o644)).unwrap();
    std::fs::write(
        path("wellspring.toml"),
        "[[notify]]\nname = \"a\"\nwebhook_file = \"hook\"\n[[notify]]\nname = \"b\"\n[notify.email]\nto = [\"a@b.org\"]\nfrom = \"a@b.org\"\nsmtp = \"b.org:587\"\nusername = \"u\"\npassword_file = \"none\"\n",
    )
    .unwrap();
    let config = DaemonConfig::load(LoadOptions::new().file(path("wellspring.toml")))
        .unwrap()
        .config;
    let found = config.check_files();
    let keys: Vec<_> = found
        .iter()
        .map(|p| (p.key.as_str(), p.is_error()))
        .collect();
    assert_eq!(
        keys,
        [
            ("notify[0].webhook_file", false),
            ("notify[1].email.password_file", false)
        ]
    );
    assert!(found[0].remedy.as_ref().unwrap().contains("chmod 640"));
}

#[test]
fn the_address_of_the_page_is_one() {
    assert_eq!(
        load("[server]\npublic_url = \"https://m.example.org/x\"\n")
            .unwrap()
            .warnings,
        []
    );
    for wrong in ["m.example.org", "https://", "https://a b", "https://m/?q=1"] {
        let error = load(&format!("[server]\npublic_url = \"{wrong}\"\n")).unwrap_err();
        assert_eq!(error.problems()[0].key, "server.public_url");
    }
}
