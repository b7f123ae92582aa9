//! Delivered once, tried again, never in anybody's way.

use std::time::Duration;

use queue::NoticeState;

use crate::lab::Lab;
use crate::web_server::{Answer, WebServer, status};

fn hook(name: &str, url: &str) -> String {
    format!("[[notify]]\nname = \"{name}\"\nwebhook = \"{url}\"\n")
}

#[test]
fn a_message_is_delivered_once_and_again_only_if_the_plate_ran_again() {
    let server = WebServer::start([]);
    let block = hook("chat", &server.url("/hook"));
    let mut lab = Lab::new(&block);
    lab.succeed();
    let posted = server.wait(1);
    assert_eq!(posted[0].path, "/hook");
    lab.wait("chat", "it is noted", |row| {
        row.sent == 1 && row.waiting == 0
    });

    // Neither a new daemon nor a new configuration tells it again.
    lab.stop();
    lab.begin(&block);
    lab.reload(&block);
    lab.again();
    lab.fail();
    let posted = server.wait(2);
    assert_ne!(
        posted[0].headers["idempotency-key"],
        posted[1].headers["idempotency-key"]
    );
    lab.wait("chat", "both are noted", |row| {
        row.sent == 2 && row.waiting == 0
    });
    assert_eq!(server.posted().len(), 2);
}

#[test]
fn what_fails_is_tried_again_with_the_same_token() {
    let trouble = status("500 Internal Server Error");
    let server = WebServer::start([trouble.clone(), trouble]);
    let lab = Lab::new(&hook("chat", &server.url("/hook")));
    lab.succeed();
    lab.wait("chat", "the first try failed", |row| row.failed == 1);
    lab.later(Duration::from_secs(70));
    let row = lab.wait("chat", "the second try failed", |row| row.failed == 2);
    assert!(row.last_error.unwrap().contains("500"));
    lab.later(Duration::from_secs(140));
    let row = lab.wait("chat", "the third succeeded", |row| row.sent == 1);
    assert_eq!((row.waiting, row.given_up, row.last_error), (0, 0, None));
    let tokens: Vec<_> = server
        .posted()
        .iter()
        .map(|posted| posted.headers["idempotency-key"].clone())
        .collect();
    assert_eq!(tokens.len(), 3);
    assert!(tokens.iter().all(|token| *token == tokens[0]), "{tokens:?}");
}

#[test]
fn a_server_that_asks_for_patience_is_given_it() {
    let patience = Answer::Say(
        "429 Too Many Requests",
        "Retry-After: 7200\r\n".into(),
        "slow down".into(),
    );
    let server = WebServer::start([patience]);
    let lab = Lab::new(&hook("chat", &server.url("/hook")));
    lab.succeed();
    let row = lab.wait("chat", "it was asked to wait", |row| row.failed == 1);
    assert!(row.last_error.unwrap().contains("slow down"));
    let next = lab.store.next_notice_at("chat").unwrap().unwrap();
    assert_eq!(next.as_millisecond() - lab.clock.steady(), 7_200_000);
    lab.later(Duration::from_secs(7200));
    lab.wait("chat", "it was sent", |row| row.sent == 1);
}

#[test]
fn a_server_that_hangs_is_in_nobodys_way() {
    let dead = WebServer::start([Answer::Hang]);
    let server = WebServer::start([]);
    let blocks = hook("dead", &dead.url("/")) + &hook("chat", &server.url("/"));
    let mut lab = Lab::new(&blocks);
    lab.succeed();
    dead.wait(1);
    // The plate runs again, and whoever answers is told.
    lab.again();
    lab.succeed();
    server.wait(2);
    lab.wait("chat", "both are noted", |row| row.sent == 2);
    assert_eq!(lab.recipient("dead").waiting, 2);
    let stopped = lab.stop();
    // The dead one is given up after half a minute.
    assert!(stopped < Duration::from_secs(20), "{stopped:?}");
    // What was on its way is delivered by the next daemon.
    lab.begin(&blocks);
    lab.wait("dead", "it is told at last", |row| row.sent == 2);
    assert_eq!(lab.notices_in(NoticeState::Sent).len(), 4);
}

#[test]
fn a_wrong_address_is_corrected_by_a_new_configuration() {
    let server = WebServer::start([]);
    // A port that nobody listens on. Not one that is free just now: another test could be given it.
    let gone = "127.0.0.1:1";
    let lab = Lab::new(&hook("chat", &format!("http://{gone}/")));
    lab.succeed();
    let row = lab.wait("chat", "nobody is there", |row| row.failed == 1);
    assert!(row.last_error.unwrap().contains("cannot be reached"));
    lab.reload(&hook("chat", &server.url("/right")));
    assert_eq!(server.wait(1)[0].path, "/right");
    lab.wait("chat", "it is noted", |row| row.sent == 1);
}

#[test]
fn a_recipient_that_is_taken_out_is_not_told() {
    let server = WebServer::start([status("503 Service Unavailable")]);
    let lab = Lab::new(&hook("chat", &server.url("/")));
    lab.succeed();
    lab.wait("chat", "it fails", |row| row.failed == 1);
    lab.reload("");
    lab.later(Duration::from_secs(3600));
    assert_eq!(lab.notices_in(NoticeState::Withdrawn).len(), 1);
    assert!(!lab.recipient("chat").active);
}
