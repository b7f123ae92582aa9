//! Requests: head, query and body, into the server's own routes.

mod world;

use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use world::{TOKEN, World};

/// Most bytes of an answer.
const ANSWER: usize = 16 << 20;

/// A server without a token.
pub(super) fn open(input: &[u8]) {
    thread_local! { static WORLD: World = World::new(None); }
    WORLD.with(|world| ask(world, input));
}

/// A server with a token, which no input has.
pub(super) fn guarded(input: &[u8]) {
    thread_local! { static WORLD: World = World::new(Some(TOKEN)); }
    if !input
        .windows(TOKEN.len())
        .any(|part| part == TOKEN.as_bytes())
    {
        WORLD.with(|world| ask(world, input));
    }
}

/// Sends a request written as HTTP/1.1, and holds the answer against what must be true of every answer.
fn ask(world: &World, input: &[u8]) {
    let Some(request) = parse(input) else { return };
    let expected = Expected::of(&request);
    let shown = format!("{request:?}");
    let response = world.answer(request);
    let status = response.status().as_u16();
    assert!(status != 500, "the daemon is at fault: {shown}");
    if !expected.host {
        assert_eq!(status, 421, "another host is answered: {shown}");
    } else if !expected.origin {
        assert!(
            matches!(status, 401 | 403),
            "another site is answered with {status}: {shown}"
        );
    } else if expected.is_change && !expected.is_ours {
        assert!(
            matches!(status, 401 | 403),
            "a change without our header is answered with {status}: {shown}"
        );
    } else if world.guarded && !expected.path_is_open {
        assert_eq!(status, 401, "nobody without the token is answered: {shown}");
    }
    let headers = response.headers();
    let policy = headers
        .get(header::CONTENT_SECURITY_POLICY)
        .and_then(|value| value.to_str().ok());
    assert!(
        policy.is_some_and(|policy| policy.starts_with("default-src 'none'")),
        "{shown}"
    );
    assert!(
        !headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN),
        "{shown}"
    );
    let kind = headers.get(header::CONTENT_TYPE).cloned();
    let kind = kind
        .as_ref()
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    // A stream of events has no end.
    if kind.starts_with("text/event-stream") {
        return;
    }
    let body = world
        .block_on(to_bytes(response.into_body(), ANSWER))
        .unwrap_or_else(|error| panic!("the answer is too long or broken ({error}): {shown}"));
    let text = String::from_utf8_lossy(&body);
    assert!(
        !world.guarded || !text.contains(TOKEN),
        "the token is in the answer: {shown}"
    );
    if kind.starts_with("text/html") {
        assert!(!text.contains("<script>"), "a script of somebody: {shown}");
    }
    if kind.contains("json") {
        assert!(
            serde_json::from_slice::<serde_json::Value>(&body).is_ok(),
            "{shown}"
        );
    }
}

/// What a request deserves, found out in another way than the server does.
struct Expected {
    host: bool,
    origin: bool,
    is_change: bool,
    is_ours: bool,
    path_is_open: bool,
}

impl Expected {
    fn of(request: &Request<Body>) -> Self {
        let all = |name: &str| -> Vec<String> {
            let values = request.headers().get_all(name).iter();
            values
                .map(|value| String::from_utf8_lossy(value.as_bytes()).to_lowercase())
                .collect()
        };
        let names = ["localhost:8787", "127.0.0.1:8787", "[::1]:8787"];
        let target = request
            .uri()
            .authority()
            .map(|name| name.as_str().to_lowercase());
        let hosts = all("host");
        let is_name = |name: &str| names.contains(&name);
        let own = |origin: &String| {
            let name = origin
                .strip_prefix("http://")
                .or_else(|| origin.strip_prefix("https://"));
            name.is_some_and(|name| hosts.first().is_some_and(|host| host == name))
        };
        let form = all("content-type")
            .first()
            .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        let path = request.uri().path();
        Self {
            host: hosts.len() == 1
                && is_name(&hosts[0])
                && target.is_none_or(|name| is_name(&name)),
            origin: all("origin").iter().all(own),
            is_change: !matches!(request.method().as_str(), "GET" | "HEAD" | "OPTIONS"),
            is_ours: request.headers().contains_key("x-wellspring")
                || (form && !all("origin").is_empty()),
            path_is_open: path == "/livez" || path == "/login" || path.starts_with("/assets/"),
        }
    }
}

/// A request as it comes over a connection; lines may end without a carriage return.
fn parse(input: &[u8]) -> Option<Request<Body>> {
    let mut rest = input;
    let mut line = || {
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let line = rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]);
        rest = &rest[end + 1..];
        Some(line)
    };
    let first = std::str::from_utf8(line()?).ok()?;
    let mut words = first.split(' ');
    let mut builder = Request::builder().method(words.next()?).uri(words.next()?);
    loop {
        match line() {
            None | Some(b"") => break,
            Some(header) => {
                let colon = header.iter().position(|byte| *byte == b':')?;
                builder = builder.header(&header[..colon], header[colon + 1..].trim_ascii());
            }
        }
    }
    builder.body(Body::from(rest.to_vec())).ok()
}
