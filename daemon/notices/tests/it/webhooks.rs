//! What is posted, and what is not told.

use serde_json::Value;

use crate::lab::{Lab, secret_file};
use crate::web_server::{Answer, WebServer};

/// Text of a block.
fn mrkdwn(block: &Value) -> &str {
    block["text"]["text"].as_str().unwrap()
}

#[test]
fn slack_gets_a_message_in_which_names_are_harmless() {
    let server = WebServer::start([]);
    let lab = Lab::new(&format!(
        "[[notify]]\nname = \"chat\"\nwebhook = \"{}\"\n",
        server.url("/")
    ));
    std::fs::create_dir_all(lab.path("results/p")).unwrap();
    std::fs::write(lab.summary("md"), "| a | <b> |\n```x```\n").unwrap();
    lab.fail();
    let posted = server.wait(1).remove(0);
    assert!(posted.headers["content-type"].starts_with("application/json"));
    let body = posted.json();
    let blocks = body["blocks"].as_array().unwrap();
    assert_eq!(blocks[0]["type"], "header");
    assert_eq!(blocks[0]["text"]["type"], "plain_text");
    for block in &blocks[1..] {
        assert_eq!(block["type"], "section");
        assert_eq!(block["text"]["type"], "mrkdwn");
        assert!(mrkdwn(block).chars().count() <= 3000);
    }
    let text = body["text"].as_str().unwrap();
    assert!(
        text.starts_with("*Plate `P &lt;1&gt; &amp; ˋcoˋ @channel *bold*` is done, with failures*"),
        "{text}"
    );
    for part in [
        "Image sets: 1 complete, 1 with failures",
        "Tasks: 0 succeeded, 1 failed",
        "• `A01-0001, segment`: `the file &lt;ends&gt; early`",
        "`copy it again`",
        "<https://page.test/plates/1|Open in Wellspring>",
        "```\n| a | &lt;b&gt; |\nˋˋˋxˋˋˋ\n```",
        "Results: `",
        "Time: 0 s from the first image",
    ] {
        assert!(text.contains(part), "{part} in {text}");
        assert!(
            blocks.iter().any(|block| mrkdwn(block).contains(part)),
            "{part}"
        );
    }
}

#[test]
fn programs_get_everything() {
    let server = WebServer::start([]);
    let folder = tempfile::tempdir().unwrap();
    let file = secret_file(
        folder.path(),
        "hook",
        &format!("{}\nsecond line\n", server.url("/in?key=1")),
    );
    let lab = Lab::new(&format!(
        "[[notify]]\nname = \"lims\"\nwebhook_file = {file:?}\nformat = \"json\"\nheaders = {{ Authorization = \"Bearer abcdef\" }}\n"
    ));
    std::fs::create_dir_all(lab.path("results/p")).unwrap();
    std::fs::write(lab.summary("json"), "{\"positive\": 7}").unwrap();
    lab.fail();
    let posted = server.wait(1).remove(0);
    assert_eq!(posted.path, "/in?key=1");
    assert_eq!(posted.headers["authorization"], "Bearer abcdef");
    let body = posted.json();
    assert_eq!(body["event"], "done_with_failures");
    assert_eq!(body["id"], posted.headers["idempotency-key"].as_str());
    assert_eq!(body["plate"]["name"], crate::lab::PLATE);
    assert_eq!(body["plate"]["id"], 1);
    assert_eq!(body["plate"]["tasks"]["failed"], 1);
    assert_eq!(body["plate"]["failures"][0]["code"], "tiff_truncated");
    assert_eq!(body["plate"]["failures"][0]["remedy"], "copy it again");
    assert_eq!(body["summary"]["positive"], 7);
    assert_eq!(body["url"], "https://page.test/plates/1");
}

#[test]
fn a_redirect_is_not_followed() {
    let elsewhere = WebServer::start([]);
    let to = |line| {
        Answer::Say(
            line,
            format!("Location: {}\r\n", elsewhere.url("/")),
            String::new(),
        )
    };
    let server = WebServer::start([to("302 Found"), to("307 Temporary Redirect")]);
    let block = format!(
        "[[notify]]\nname = \"chat\"\nwebhook = \"{}\"\n",
        server.url("/")
    );
    let lab = Lab::new(&block);
    lab.succeed();
    let row = lab.wait("chat", "it is not followed", |row| row.failed == 1);
    assert!(row.last_error.unwrap().contains("redirects"));
    lab.reload(&block);
    lab.wait("chat", "nor is this", |row| row.failed == 2);
    lab.reload(&block);
    lab.wait("chat", "the right one answers", |row| row.sent == 1);
    assert_eq!(elsewhere.posted().len(), 0);
}

/// Whatever a server says: what it was told in secret is not repeated.
#[test]
fn no_error_has_a_secret() {
    const PATH: &str = "/services/T0000/B1111/abcdefgh";
    let echo = Answer::Say(
        "404 Not Found",
        String::new(),
        format!("no such thing: {PATH} (abcdefgh), header was Bearer-0123"),
    );
    let server = WebServer::start([echo]);
    let url = server.url(PATH);
    let lab = Lab::new(&format!(
        "[[notify]]\nname = \"chat\"\nwebhook = \"{url}\"\nheaders = {{ X-Key = \"Bearer-0123\" }}\n"
    ));
    lab.succeed();
    let row = lab.wait("chat", "it is refused", |row| row.failed == 1);
    let error = row.last_error.unwrap();
    assert!(
        error.contains("127.0.0.1") && error.contains("404"),
        "{error}"
    );
    for secret in ["T0000", "abcdefgh", "0123"] {
        assert!(!error.contains(secret), "{error}");
    }
}

#[test]
fn a_file_with_a_secret_must_be_one() {
    use std::os::unix::fs::PermissionsExt;
    let server = WebServer::start([]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hook");
    let block = format!("[[notify]]\nname = \"chat\"\nwebhook_file = {file:?}\n");
    let lab = Lab::new(&block);
    lab.succeed();
    let tried = |number, said: &str| {
        let row = lab.wait("chat", said, |row| row.failed == number);
        let error = row.last_error.unwrap();
        assert!(error.contains(said) && error.contains("hook"), "{error}");
        lab.reload(&block);
    };
    let put = |text: &str, mode| {
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    lab.wait("chat", "there is no file", |row| row.failed == 1);
    put(&server.url("/"), 0o644);
    tried(1, "cannot read");
    lab.wait("chat", "everybody can read it", |row| row.failed == 2);
    put("hunter2\n", 0o600);
    tried(2, "everybody");
    lab.wait("chat", "it is no address", |row| row.failed == 3);
    put(&server.url("/"), 0o600);
    tried(3, "is not the address of a webhook");
    lab.wait("chat", "it is told", |row| row.sent == 1);
}
