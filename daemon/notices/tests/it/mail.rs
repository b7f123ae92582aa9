//! Mails.

use queue::NoticeState;

use crate::lab::{Lab, secret_file};
use crate::mail_server::MailServer;

fn block(server: &MailServer, tls: &str, rest: &str) -> String {
    format!(
        "[[notify]]\nname = \"people\"\non = [\"done\", \"done_with_failures\", \"stale\", \"paused\"]\n[notify.email]\n\
         to = [\"ada@lab.test\", \"bob@lab.test\"]\nfrom = \"wellspring@lab.test\"\nsmtp = \"{}\"\ntls = \"{tls}\"\n{rest}",
        server.address()
    )
}

#[test]
fn a_mail_says_what_happened_in_plain_text() {
    let server = MailServer::start([]);
    let folder = tempfile::tempdir().unwrap();
    let file = secret_file(folder.path(), "word", "open sesame\n");
    let login = format!("username = \"ws\"\npassword_file = {file:?}\n");
    let lab = Lab::new(&block(&server, "none", &login));
    lab.fail();
    let mail = server.wait(1).remove(0);
    assert_eq!(mail.from, "<wellspring@lab.test>");
    assert_eq!(mail.to, ["<ada@lab.test>", "<bob@lab.test>"]);
    // base64 of "\0ws\0open sesame"
    assert_eq!(mail.login, "AHdzAG9wZW4gc2VzYW1l");
    for part in [
        "Subject: Plate P <1> & `co` @channel *bold* is done, with failures\r\n",
        "Auto-Submitted: auto-generated\r\n",
        "Content-Type: text/plain; charset=utf-8\r\n",
        "\r\nTasks: 0 succeeded, 1 failed\r\n",
        "\r\n- A01-0001, segment: the file <ends> early\r\n",
        "\r\n  copy it again\r\n",
        "\r\nhttps://page.test/plates/1\r\n",
    ] {
        assert!(mail.text.contains(part), "{part} in {}", mail.text);
    }
    lab.wait("people", "it is noted", |row| row.sent == 1);
    let token = &lab.notices_in(NoticeState::Sent)[0].token;
    assert!(
        mail.text.contains(&format!("Message-ID: <{token}@")),
        "{}",
        mail.text
    );

    let root = lab.store.roots().unwrap()[0].id;
    let full = "`/out` has less free space than min_free";
    lab.store
        .pause(queue::Target::Root(root), "disk", full)
        .unwrap();
    let mail = server.wait(2).remove(1);
    assert!(
        mail.text.contains("Subject: Work is paused: microscope"),
        "{}",
        mail.text
    );
    assert!(mail.text.contains(full), "{}", mail.text);
}

#[test]
fn a_mail_that_is_refused_is_tried_again() {
    let server = MailServer::start(["451 4.7.1 greylisted, come back later"]);
    let blocks = block(&server, "none", "");
    let lab = Lab::new(&blocks);
    lab.succeed();
    let row = lab.wait("people", "it is refused", |row| row.failed == 1);
    assert!(row.last_error.unwrap().contains("greylisted"));
    lab.reload(&blocks);
    assert_eq!(server.wait(1)[0].login, "");
    lab.wait("people", "it is noted", |row| row.sent == 1);
}

#[test]
fn without_a_safe_connection_nothing_is_said() {
    let server = MailServer::start([]);
    let folder = tempfile::tempdir().unwrap();
    let file = secret_file(folder.path(), "word", "open sesame\n");
    let login = format!("username = \"ws\"\npassword_file = {file:?}\n");
    let lab = Lab::new(&block(&server, "starttls", &login));
    lab.succeed();
    let row = lab.wait("people", "there is no STARTTLS", |row| row.failed == 1);
    let error = row.last_error.unwrap();
    assert!(!error.contains("sesame"), "{error}");
    let said = server.said();
    assert!(!said.contains("AUTH") && !said.contains("MAIL"), "{said}");
}
