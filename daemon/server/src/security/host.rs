//! Under which names the server may be reached: an exact list, against DNS rebinding.

use std::net::SocketAddr;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::app::App;
use crate::problem::Problem;

/// The values of `Host` that are answered.
#[derive(Debug)]
pub(crate) struct Hosts(Vec<String>);

impl Hosts {
    /// The listen address, the names of this machine for itself, and `allowed`, whose entries may lack the port.
    pub(crate) fn new(address: SocketAddr, allowed: &[String]) -> Self {
        let port = address.port();
        let mut names = vec![
            "localhost".to_owned(),
            "127.0.0.1".to_owned(),
            "[::1]".to_owned(),
        ];
        if !address.ip().is_unspecified() {
            names.push(match address {
                SocketAddr::V4(address) => address.ip().to_string(),
                SocketAddr::V6(address) => format!("[{}]", address.ip()),
            });
        }
        let mut hosts = Vec::new();
        for name in names {
            hosts.push(format!("{name}:{port}"));
            if port == 80 {
                hosts.push(name);
            }
        }
        for name in allowed {
            hosts.push(format!("{name}:{port}"));
            hosts.push(name.clone());
        }
        Self(hosts)
    }

    fn allow(&self, host: &str) -> bool {
        self.0
            .iter()
            .any(|allowed| allowed.eq_ignore_ascii_case(host))
    }
}

/// The host that a request is for, if it names exactly one.
pub(super) fn host(request: &Request) -> Option<&str> {
    let mut values = request.headers().get_all(header::HOST).iter();
    let host = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(host)
}

/// Refuses requests under other names.
pub(crate) async fn check_host(
    State(app): State<App>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let named = host(&request);
    let target = request.uri().authority().map(|name| name.as_str());
    match named {
        Some(name) if app.hosts.allow(name) && target.is_none_or(|name| app.hosts.allow(name)) => {
            Ok(next.run(request).await)
        }
        _ => {
            let name = target.or(named).unwrap_or("(none)");
            let detail = format!("this server does not answer as `{name}`");
            let remedy = "open it under its listen address, or add the name to `allowed_hosts` in `[server]`";
            Err(
                Problem::new(StatusCode::MISDIRECTED_REQUEST, "host_not_allowed", detail)
                    .with_remedy(remedy),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_exact_names_are_allowed() {
        let hosts = Hosts::new(
            "127.0.0.1:8787".parse().unwrap(),
            &["lab.example.org".into(), "proxy.example.org:443".into()],
        );
        for name in [
            "127.0.0.1:8787",
            "localhost:8787",
            "LOCALHOST:8787",
            "[::1]:8787",
            "lab.example.org",
            "lab.example.org:8787",
            "proxy.example.org:443",
        ] {
            assert!(hosts.allow(name), "{name}");
        }
        for name in [
            "",
            "127.0.0.1",
            "127.0.0.1:8788",
            "127.0.0.1.evil.example:8787",
            "localhost.evil.example:8787",
            "evil.example:8787",
            "evil-lab.example.org",
            "0.0.0.0:8787",
        ] {
            assert!(!hosts.allow(name), "{name}");
        }
    }

    #[test]
    fn a_server_on_all_interfaces_is_not_called_0_0_0_0() {
        let hosts = Hosts::new("0.0.0.0:80".parse().unwrap(), &[]);
        assert!(!hosts.allow("0.0.0.0"));
        assert!(!hosts.allow("0.0.0.0:80"));
        assert!(hosts.allow("localhost"), "port 80 is not written in `Host`");
    }
}
