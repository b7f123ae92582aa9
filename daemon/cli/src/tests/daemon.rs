//! A daemon that answers what it is told to.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde_json::{Value, json};

/// What was asked.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub method: String,
    pub target: String,
    pub headers: HashMap<String, String>,
    pub body: String,
}

impl Request {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Method and path with query.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.target)
    }
}

/// What is answered.
pub(crate) struct Reply {
    pub status: u16,
    pub kind: &'static str,
    pub body: String,
    /// Promises so many bytes more than it sends.
    pub withheld: usize,
}

impl From<Value> for Reply {
    fn from(body: Value) -> Self {
        Self {
            status: 200,
            kind: "application/json",
            body: body.to_string(),
            withheld: 0,
        }
    }
}

/// A problem as the daemon sends it.
pub(crate) fn problem(status: u16, detail: &str, remedy: Option<&str>) -> Reply {
    let body = json!({
        "type": "urn:wellspring:problem:x", "title": "Title", "status": status, "detail": detail,
        "instance": "/x", "code": "x", "remedy": remedy,
    });
    Reply {
        status,
        kind: "application/problem+json",
        ..Reply::from(body)
    }
}

/// A daemon that answers what it is told to.
pub(crate) struct Daemon {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    closing: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Daemon {
    /// Answers with what the function makes of a request.
    pub(crate) fn new<R: Into<Reply>>(
        mut answer: impl FnMut(&Request) -> R + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
        let closing = Arc::new(AtomicBool::new(false));
        let (kept, ending) = (Arc::clone(&requests), Arc::clone(&closing));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if ending.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(mut stream) = stream else { continue };
                let Some(request) = read(&stream) else {
                    continue;
                };
                kept.lock().unwrap().push(request.clone());
                let Reply {
                    status,
                    kind,
                    body,
                    withheld,
                } = answer(&request).into();
                let length = body.len() + withheld;
                let _ = write!(
                    stream,
                    "HTTP/1.1 {status} Reason\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
                );
            }
        });
        Self {
            address,
            requests,
            closing,
            thread: Some(thread),
        }
    }

    /// Answers by the beginning of "METHOD target"; nothing else exists.
    pub(crate) fn with(routes: Vec<(&'static str, Value)>) -> Self {
        Self::new(move |request| {
            let line = request.line();
            let found = routes.iter().find(|(start, _)| line.starts_with(start));
            found.map_or_else(
                || problem(404, "there is nothing", Some("look elsewhere")),
                |(_, body)| body.clone().into(),
            )
        })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// Methods and paths with queries.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.requests().iter().map(Request::line).collect()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.closing.store(true, Ordering::SeqCst);
        // Wakes the thread, so that it sees the flag.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers
        .get("content-length")
        .map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request {
        method,
        target,
        headers,
        body: String::from_utf8(body).ok()?,
    })
}
