//! A web server that notes what is posted and answers as it is told.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

/// What to answer.
#[derive(Clone)]
pub enum Answer {
    /// Status line without the version, headers, body.
    Say(&'static str, String, String),
    /// Nothing, as long as the server lives.
    Hang,
}

pub fn status(line: &'static str) -> Answer {
    Answer::Say(line, String::new(), String::new())
}

/// What was posted.
#[derive(Clone, Debug)]
pub struct Posted {
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Posted {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

#[derive(Default)]
struct Shared {
    posted: Mutex<Vec<Posted>>,
    changed: Condvar,
    answers: Mutex<VecDeque<Answer>>,
    open: Mutex<Vec<TcpStream>>,
}

/// Ends all connections when it is dropped.
pub struct WebServer {
    shared: Arc<Shared>,
    port: u16,
}

impl WebServer {
    /// Answers 200, after these answers.
    pub fn start(first: impl IntoIterator<Item = Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared::default());
        shared.answers.lock().unwrap().extend(first);
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&serving);
                shared
                    .open
                    .lock()
                    .unwrap()
                    .push(stream.try_clone().unwrap());
                std::thread::spawn(move || {
                    // A client that goes away is its own business.
                    let _ = serve(&stream, &shared);
                });
            }
        });
        Self { shared, port }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Waits until so many messages were posted, and returns all.
    pub fn wait(&self, number: usize) -> Vec<Posted> {
        let begin = Instant::now();
        let mut posted = self.shared.posted.lock().unwrap();
        while posted.len() < number {
            assert!(
                begin.elapsed() < Duration::from_secs(300),
                "only {posted:?}"
            );
            posted = self
                .shared
                .changed
                .wait_timeout(posted, Duration::from_secs(1))
                .unwrap()
                .0;
        }
        posted.clone()
    }

    pub fn posted(&self) -> Vec<Posted> {
        self.wait(0)
    }
}

impl Drop for WebServer {
    fn drop(&mut self) {
        for stream in self.shared.open.lock().unwrap().iter() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn serve(stream: &TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        match line.trim().split_once(':') {
            Some((name, value)) => {
                headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
            }
            None => break,
        }
    }
    let length = headers
        .get("content-length")
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let answer = shared.answers.lock().unwrap().pop_front();
    shared.posted.lock().unwrap().push(Posted {
        path,
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    });
    shared.changed.notify_all();
    let (line, headers, body) = match answer.unwrap_or_else(|| status("200 OK")) {
        Answer::Say(line, headers, body) => (line, headers, body),
        // Until the other side, or this server, goes.
        Answer::Hang => return reader.read_to_end(&mut Vec::new()).map(drop),
    };
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 {line}\r\nContent-Length: {}\r\nConnection: close\r\n{headers}\r\n{body}",
        body.len()
    )
}
