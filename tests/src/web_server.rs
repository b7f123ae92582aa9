//! A web server for webhooks: notes what is posted, and answers, or does not.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

/// What was posted.
#[derive(Clone, Debug)]
pub struct Posted {
    /// The same at every try of one message.
    pub token: String,
    /// The body.
    pub body: Value,
}

/// How posts are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// With 200.
    Friendly,
    /// With 503.
    Busy,
    /// Not at all.
    Deaf,
}

#[derive(Debug)]
struct Shared {
    mood: Mutex<Mood>,
    posted: Mutex<Vec<Posted>>,
}

/// The server, as long as the process lives.
#[derive(Clone, Debug)]
pub struct WebServer {
    shared: Arc<Shared>,
    port: u16,
}

impl WebServer {
    /// Starts it on a port of its own.
    ///
    /// # Panics
    /// There is no port.
    #[must_use]
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0");
        let Ok((listener, port)) = listener.and_then(|l| {
            let port = l.local_addr()?.port();
            Ok((l, port))
        }) else {
            panic!("no port for a web server")
        };
        let shared = Arc::new(Shared {
            mood: Mutex::new(Mood::Friendly),
            posted: Mutex::new(Vec::new()),
        });
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&serving);
                // A client that is killed in between has posted nothing.
                std::thread::spawn(move || drop(serve(&stream, &shared)));
            }
        });
        Self { shared, port }
    }

    /// The address of a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// From now on it answers like this.
    pub fn set_mood(&self, mood: Mood) {
        *lock(&self.shared.mood) = mood;
    }

    /// Everything that was posted whole, whatever was answered.
    #[must_use]
    pub fn posted(&self) -> Vec<Posted> {
        lock(&self.shared.posted).clone()
    }

    /// How often each message came.
    #[must_use]
    pub fn tokens(&self) -> BTreeMap<String, usize> {
        let mut tokens = BTreeMap::new();
        for posted in lock(&self.shared.posted).iter() {
            *tokens.entry(posted.token.clone()).or_default() += 1;
        }
        tokens
    }
}

fn serve(stream: &TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let (mut line, mut length, mut token) = (String::new(), 0, String::new());
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let text = line.trim_end();
        if text.is_empty() {
            break;
        }
        if let Some((name, value)) = text.split_once(':') {
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().unwrap_or(0),
                "idempotency-key" => value.trim().clone_into(&mut token),
                _ => {}
            }
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let body = serde_json::from_slice(&body)?;
    let mood = *lock(&shared.mood);
    lock(&shared.posted).push(Posted { token, body });
    let answer = match mood {
        Mood::Friendly => "200 OK",
        Mood::Busy => "503 Service Unavailable",
        // Until the other side has had enough.
        Mood::Deaf => return reader.read_to_end(&mut Vec::new()).map(drop),
    };
    let mut out = stream;
    write!(
        out,
        "HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
