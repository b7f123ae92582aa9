//! Posting to a webhook.

use std::collections::BTreeMap;
use std::time::Duration;

use config::Secret;
use jiff::Timestamp;
use ureq::Agent;
use ureq::http::HeaderMap;
use ureq::tls::{RootCerts, TlsConfig};

use crate::error::{Error, Result};
use crate::text::{line, without};

/// How long a message may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// So much of an answer is read, in bytes.
const ANSWER: u64 = 4096;

/// So much of an answer is told, in characters.
const SAID: usize = 200;

/// What a request is made of. The address and the values of the headers are secrets.
pub(crate) struct Request<'a> {
    pub(crate) url: &'a str,
    pub(crate) headers: &'a BTreeMap<String, Secret>,
    pub(crate) token: &'a str,
    pub(crate) body: String,
}

/// The host of an address, which is no secret.
pub(crate) fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host)
}

/// Posts the body. Only an answer of success counts as delivered.
pub(crate) fn post(request: &Request<'_>) -> Result<()> {
    let host = host(request.url).to_owned();
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::PlatformVerifier)
        .build();
    let config = Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .http_status_as_error(false)
        // The message is for the host that was configured, and its path is a secret.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(concat!("wellspring/", env!("CARGO_PKG_VERSION")))
        .tls_config(tls)
        .build();
    let mut call = Agent::new_with_config(config)
        .post(request.url)
        .header("Content-Type", "application/json; charset=utf-8")
        .header("Idempotency-Key", request.token);
    for (name, value) in request.headers {
        call = call.header(name, value.reveal());
    }
    let mut answer = call
        .send(&request.body)
        .map_err(|error| explain(error, &host, request))?;
    let status = answer.status().as_u16();
    match status {
        200..=299 => Ok(()),
        300..=399 => Err(Error::Redirected { host, status }),
        _ => {
            let retry_after = retry_after(answer.headers());
            let text = answer
                .body_mut()
                .with_config()
                .limit(ANSWER)
                .lossy_utf8(true)
                .read_to_string()
                .unwrap_or_default();
            let said = line(&without(&text, &secrets(request)), SAID);
            let said = if said.is_empty() {
                said
            } else {
                format!(": {said}")
            };
            Err(Error::Refused {
                host,
                status,
                said,
                retry_after,
            })
        }
    }
}

/// What must not be in any text: the address, its path and the values of the headers.
fn secrets<'a>(request: &Request<'a>) -> Vec<&'a str> {
    let path = request
        .url
        .split_once("://")
        .and_then(|(_, rest)| rest.split_once('/'))
        .map_or("", |(_, path)| path);
    let mut all = vec![request.url, path];
    all.extend(
        path.split(['/', '?', '&', '='])
            .filter(|part| part.len() >= 8),
    );
    all.extend(request.headers.values().map(Secret::reveal));
    all
}

fn explain(error: ureq::Error, host: &str, request: &Request<'_>) -> Error {
    let host = host.to_owned();
    let reason = |text: String| line(&without(&text, &secrets(request)), SAID);
    match error {
        ureq::Error::Timeout(_) => Error::Silent {
            host,
            seconds: PATIENCE.as_secs(),
        },
        ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::TimedOut => Error::Silent {
            host,
            seconds: PATIENCE.as_secs(),
        },
        ureq::Error::Rustls(error) => Error::Unsafe {
            host,
            reason: reason(error.to_string()),
        },
        ureq::Error::Tls(error) => Error::Unsafe {
            host,
            reason: reason(error.to_owned()),
        },
        // An error of TLS comes out of the connection as one of input and output.
        ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            Error::Unsafe {
                host,
                reason: reason(error.to_string()),
            }
        }
        ureq::Error::HostNotFound => Error::Unreachable {
            host,
            reason: "there is no host of this name".to_owned(),
        },
        other => Error::Unreachable {
            host,
            reason: reason(other.to_string()),
        },
    }
}

/// `Retry-After`: seconds, or a date.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("retry-after")?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    let wait = date.duration_since(Timestamp::now());
    Some(Duration::try_from(wait).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_the_host_is_shown() {
        assert_eq!(host("https://a.org/services/x"), "a.org");
        assert_eq!(host("https://user:word@a.org:8/x"), "a.org:8");
        assert_eq!(host("https://a.org?x=/y"), "a.org");
    }

    #[test]
    fn seconds_and_dates_are_understood() {
        let headers = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("retry-after", text.parse().unwrap());
            headers
        };
        assert_eq!(retry_after(&headers("120")), Some(Duration::from_secs(120)));
        let past = retry_after(&headers("Wed, 21 Oct 2015 07:28:00 GMT"));
        assert_eq!(past, Some(Duration::ZERO));
        let future = retry_after(&headers("Fri, 21 Oct 2095 07:28:00 GMT")).unwrap();
        assert!(future > Duration::from_secs(365 * 24 * 3600));
        assert_eq!(retry_after(&headers("soon")), None);
    }
}
