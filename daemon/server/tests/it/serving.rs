//! Beginning and ending.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Events, PATIENCE, Served};
use crate::world::World;

fn end(served: &mut Served) -> Duration {
    let serving = served.serving.take().unwrap();
    let before = Instant::now();
    served.shutdown.cancel();
    let ended = served
        .runtime
        .block_on(async { tokio::time::timeout(PATIENCE, serving).await });
    ended.expect("the server ends").unwrap().unwrap();
    before.elapsed()
}

#[test]
fn streams_do_not_keep_the_server() {
    let mut served = Served::new(World::new());
    let mut stream = Events::open(&served, "", "");
    served.shutdown.cancel();
    assert!(stream.has_end(), "the server would wait for it");
    end(&mut served);
}

#[test]
fn a_half_sent_request_does_not_keep_the_server() {
    let mut served = Served::new(World::new());
    let mut stream = TcpStream::connect(served.address).unwrap();
    let head = format!(
        "POST /api/v1/queue/pause HTTP/1.1\r\nhost: {}\r\nx-wellspring: 1\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{{",
        served.address
    );
    stream.write_all(head.as_bytes()).unwrap();
    // The server has the head when it answers others after it.
    assert_eq!(served.get("/livez").status, 200);
    let took = end(&mut served);
    // A request may take a minute.
    assert!(took < Duration::from_secs(40), "{took:?}");
    assert_eq!(served.world.store.status().unwrap().holds, []);
}

#[test]
fn answers_are_compressed_where_it_helps() {
    let served = Served::new(World::small().0);
    let mut stream = TcpStream::connect(served.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = format!(
        "GET /plates/1 HTTP/1.1\r\nhost: {}\r\naccept-encoding: gzip\r\nconnection: close\r\n\r\n",
        served.address
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let head = String::from_utf8_lossy(&answer[..answer.len().min(2000)]).to_lowercase();
    assert!(head.contains("content-encoding: gzip"), "{head}");
    assert!(answer.len() < served.get("/plates/1").text.len() / 2);
}

#[test]
fn a_queue_that_fails_is_a_problem_with_a_remedy() {
    let (world, _) = World::small();
    let path = world.store.path().to_owned();
    drop(world.store);
    let store = queue::Store::open_read_only(&path, queue::Options::default()).unwrap();
    let served = Served::new(World {
        store,
        ..World::new()
    });
    let problem = served
        .post("/api/v1/queue/pause", &Value::Null)
        .problem(500, "queue_read_only");
    assert!(problem["remedy"].is_string());
    drop(world.folder);
}
