//! A server on a free port, and a client for it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use server::{AppState, Options};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::world::{Daemon, World};

/// What a test waits at most for something that should happen at once.
pub const PATIENCE: Duration = Duration::from_secs(300);

pub struct Served {
    pub world: World,
    pub daemon: Arc<Daemon>,
    pub address: SocketAddr,
    pub shutdown: CancellationToken,
    pub serving: Option<JoinHandle<server::Result<()>>>,
    pub runtime: Runtime,
    agent: ureq::Agent,
    token: Option<String>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|error| panic!("{error} in {:?}", self.text))
    }

    pub fn header(&self, name: &str) -> &str {
        let found = self
            .headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value)
    }

    /// The problem, which must be a whole one.
    pub fn problem(&self, status: u16, code: &str) -> Value {
        let problem = self.json();
        assert_eq!(self.status, status, "{problem}");
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["status"], status);
        assert_eq!(problem["type"], format!("urn:wellspring:problem:{code}"));
        assert!(problem["instance"].is_string(), "{problem}");
        assert!(!problem["detail"].as_str().unwrap().is_empty());
        problem
    }
}

impl Served {
    pub fn new(world: World) -> Self {
        Self::with(world, |_| {})
    }

    pub fn with(world: World, change: impl FnOnce(&mut Options)) -> Self {
        let runtime = Runtime::new().unwrap();
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
            .unwrap();
        let address = listener.local_addr().unwrap();
        let daemon = Arc::new(Daemon::new(&world.store));
        let mut options = Options {
            token: None,
            allowed_hosts: Vec::new(),
            max_body: 4096,
            version: "9.8.7".into(),
        };
        change(&mut options);
        let token = options.token.clone();
        let state = AppState {
            store: world.store.clone(),
            control: Arc::clone(&daemon) as _,
            // The program that reads containers is not part of this crate: what needs it is tested with the whole daemon.
            viewer: viewer::Viewer::new(
                viewer::SpawnOptions {
                    program: "/nonexistent".into(),
                    arguments: Vec::new(),
                    patience: Duration::from_secs(1),
                },
                1,
            ),
            options,
        };
        let shutdown = CancellationToken::new();
        let serving = runtime.spawn(server::serve(listener, state, shutdown.clone()));
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(PATIENCE))
            .build()
            .new_agent();
        Self {
            world,
            daemon,
            address,
            shutdown,
            serving: Some(serving),
            runtime,
            agent,
            token,
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.agent.get(self.url(path));
        for (name, value) in self.bearer().iter().chain(headers) {
            request = request.header(*name, *value);
        }
        answer(request.call().unwrap())
    }

    pub fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[])
    }

    /// A request that must succeed.
    pub fn json(&self, path: &str) -> Value {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.json()
    }

    pub fn post_with(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = self.agent.post(self.url(path));
        for (name, value) in self.bearer().iter().chain(headers) {
            request = request.header(*name, *value);
        }
        answer(request.send(body).unwrap())
    }

    /// As the `wellspring` command does it.
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        let headers = [("x-wellspring", "1"), ("content-type", "application/json")];
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        self.post_with(path, &headers, &body)
    }

    /// As a form of our own page does it.
    pub fn form(&self, path: &str, body: &str) -> Answer {
        let origin = format!("http://{}", self.address);
        let headers = [
            ("origin", origin.as_str()),
            ("sec-fetch-site", "same-origin"),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        self.post_with(path, &headers, body)
    }

    /// A request written by hand; the whole answer.
    pub fn raw(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn bearer(&self) -> Vec<(&'static str, &'static str)> {
        // The tests' token is a constant.
        self.token
            .iter()
            .map(|_| ("authorization", BEARER))
            .collect()
    }
}

pub const TOKEN: &str = "s3cret-token";
pub const BEARER: &str = "Bearer s3cret-token";

fn answer(mut response: ureq::http::Response<ureq::Body>) -> Answer {
    let headers = response
        .headers()
        .iter()
        .map(|(name, value)| {
            (
                name.as_str().to_owned(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect();
    Answer {
        status: response.status().as_u16(),
        headers,
        text: response.body_mut().read_to_string().unwrap(),
    }
}

/// A stream of events, read by hand.
pub struct Events(BufReader<TcpStream>);

#[derive(Debug, PartialEq)]
pub struct SentEvent {
    pub id: i64,
    pub kind: String,
    pub data: Value,
}

impl Events {
    pub fn open(served: &Served, query: &str, header: &str) -> Self {
        let mut stream = TcpStream::connect(served.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let request = format!(
            "GET /api/v1/events{query} HTTP/1.1\r\nhost: {}\r\naccept: text/event-stream\r\n{header}\r\n",
            served.address
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut events = Self(BufReader::new(stream));
        assert_eq!(events.line().unwrap(), "HTTP/1.1 200 OK");
        let mut head = Vec::new();
        loop {
            match events.line().unwrap() {
                line if line.is_empty() => break,
                line => head.push(line.to_lowercase()),
            }
        }
        assert!(
            head.contains(&"content-type: text/event-stream".to_owned()),
            "{head:?}"
        );
        events
    }

    /// A line without its end; `None` at the end of the stream.
    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.0.read_line(&mut line).expect("an event in time");
        (read > 0).then(|| line.trim_end().to_owned())
    }

    /// Waits for the end of the stream. One that goes on says so again and again.
    pub fn has_end(&mut self) -> bool {
        let lines = std::iter::from_fn(|| self.line());
        lines.filter(|line| line.starts_with(':')).nth(3).is_none()
    }

    /// The next event; `None` at the end of the stream.
    pub fn next(&mut self) -> Option<SentEvent> {
        let (mut id, mut kind, mut data) = (None, None, None);
        loop {
            let line = self.line()?;
            if let Some(value) = line.strip_prefix("id: ") {
                id = Some(value.parse().unwrap());
            } else if let Some(value) = line.strip_prefix("event: ") {
                kind = Some(value.to_owned());
            } else if let Some(value) = line.strip_prefix("data: ") {
                data = Some(serde_json::from_str(value).unwrap());
            } else if line.is_empty()
                && let (Some(id), Some(kind), Some(data)) = (id, kind.clone(), data.clone())
            {
                return Some(SentEvent { id, kind, data });
            }
        }
    }
}
