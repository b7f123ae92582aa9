//! Talks to the daemon.

use std::io;
use std::path::Path;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;
use ureq::http::{Response, Uri};
use ureq::{Agent, Body};

use crate::address::Address;
use crate::args::ClientOptions;
use crate::error::{Error, Exit, Result};
use crate::wire::Problem;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);

/// How long an answer may take; the daemon itself gives up after 30 s.
const ANSWER: Duration = Duration::from_secs(60);

/// Largest answer: thousands of tasks with all their ingredients.
const LARGEST: u64 = 256 << 20;

/// Talks to one daemon.
pub(crate) struct Client {
    agent: Agent,
    address: Address,
    token: Option<String>,
}

/// What the daemon answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The body.
    pub text: String,
}

impl Answer {
    /// The body as JSON; nothing at all is null.
    pub(crate) fn value(&self) -> Result<Value> {
        if self.text.trim().is_empty() {
            return Ok(Value::Null);
        }
        Ok(serde_json::from_str(&self.text)?)
    }

    /// The body as what it stands for.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T> {
        Ok(serde_json::from_str(&self.text)?)
    }
}

impl Client {
    /// A client for the daemon that the options, or the files, name.
    pub(crate) fn new(options: &ClientOptions) -> Result<Self> {
        let address = Address::locate(options)?;
        if address.url.parse::<Uri>().is_err() {
            let message = format!("`{address}` is not an address of the daemon");
            return Err(Error::new(Exit::Usage, message)
                .hint("an address looks like http://127.0.0.1:8787"));
        }
        let token = options.token_file.as_deref().map(read_token).transpose()?;
        let agent = Agent::config_builder()
            // Errors have a body that says what to do.
            .http_status_as_error(false)
            // The token must go nowhere else, and HTTP_PROXY is meant for the internet.
            .max_redirects(0)
            .proxy(None)
            .timeout_connect(Some(CONNECT))
            .timeout_global(Some(ANSWER))
            .user_agent(concat!("wellspring/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Ok(Self {
            agent,
            address,
            token,
        })
    }

    /// The address.
    pub(crate) const fn address(&self) -> &Address {
        &self.address
    }

    /// Asks for something.
    pub(crate) fn get(&self, path: &str, query: &[(&str, String)]) -> Result<Answer> {
        let mut request = self
            .agent
            .get(format!("{}{path}", self.address.url))
            .header("Accept", "application/json")
            .query_pairs(query.iter().map(|(key, value)| (*key, value.as_str())));
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        self.receive(request.call())
    }

    /// Changes something.
    pub(crate) fn post(&self, path: &str, body: Option<&Value>) -> Result<Answer> {
        let mut request = self
            .agent
            .post(format!("{}{path}", self.address.url))
            .header("Accept", "application/json")
            // A browser form of another origin cannot set it, so the daemon takes it for a sign of intent.
            .header("X-Wellspring", "1");
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        self.receive(match body {
            Some(body) => request.send_json(body),
            None => request.send_empty(),
        })
    }

    fn receive(&self, response: Result<Response<Body>, ureq::Error>) -> Result<Answer> {
        let mut response = response.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        let kind = response.body().mime_type().unwrap_or_default().to_owned();
        let text = response
            .body_mut()
            .with_config()
            .limit(LARGEST)
            .lossy_utf8(true)
            .read_to_string()
            .map_err(|error| self.unreachable(&error))?;
        if status.is_success() {
            return Ok(Answer { text });
        }
        let problem = (kind == "application/problem+json")
            .then(|| serde_json::from_str::<Problem>(&text).ok())
            .flatten();
        match problem {
            Some(problem) => Err(Error::refused(Problem {
                status: status.as_u16(),
                ..problem
            })),
            None => {
                let message = format!(
                    "what answers at {} does not look like wellspring ({status})",
                    self.address
                );
                Err(Error::new(Exit::Failure, message).hint(
                    "check --server and WELLSPRING_SERVER; a proxy or another program may use that address",
                ))
            }
        }
    }

    /// Nobody answers, or not to the end.
    fn unreachable(&self, error: &ureq::Error) -> Error {
        let cause = match error {
            ureq::Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                "nothing listens there".to_owned()
            }
            ureq::Error::HostNotFound => "there is no such host".to_owned(),
            ureq::Error::Timeout(_) => "it did not answer in time".to_owned(),
            ureq::Error::BadUri(_) | ureq::Error::Http(_) => {
                let message = format!("`{}` cannot be asked: {error}", self.address);
                return Error::new(Exit::Usage, message)
                    .hint("an address looks like http://127.0.0.1:8787");
            }
            error => error.to_string(),
        };
        let message = format!("cannot reach the daemon at {}: {cause}", self.address);
        Error::new(Exit::Unreachable, message).hint(self.address.remedy())
    }
}

/// The token: the first line of the file.
fn read_token(file: &Path) -> Result<String> {
    let wrong = |why: String| {
        let message = format!("the token file `{}` {why}", file.display());
        Error::new(Exit::Failure, message)
            .hint("it holds the token of the daemon's `token_file` in one line; ask who runs the daemon for it")
    };
    let text =
        std::fs::read_to_string(file).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    let token = text.lines().next().unwrap_or_default().trim();
    if token.is_empty() || !token.chars().all(|c| c.is_ascii_graphic()) {
        return Err(wrong("does not start with a token".to_owned()));
    }
    Ok(token.to_owned())
}
