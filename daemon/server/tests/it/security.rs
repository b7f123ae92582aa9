//! Who may ask.

use serde_json::Value;

use crate::support::{BEARER, Served, TOKEN};
use crate::world::World;

fn with_token() -> Served {
    Served::with(World::small().0, |options| {
        options.token = Some(TOKEN.into());
    })
}

/// A request without the token that the other helpers send along.
fn bare(served: &Served, request: &str, headers: &str) -> String {
    served.raw(&format!(
        "{request} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{headers}\r\n",
        served.address
    ))
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap()
}

#[test]
fn only_known_names_are_answered() {
    let served = Served::with(World::new(), |options| {
        options.allowed_hosts = vec!["lab.example.org".into()];
    });
    let port = served.address.port();
    let ask = |host: &str| {
        let answer = served.raw(&format!(
            "GET /api/v1/status HTTP/1.1\r\n{host}connection: close\r\n\r\n"
        ));
        status(&answer).to_owned()
    };
    for host in [
        format!("localhost:{port}"),
        format!("127.0.0.1:{port}"),
        format!("[::1]:{port}"),
        "lab.example.org".to_owned(),
        format!("lab.example.org:{port}"),
    ] {
        assert_eq!(ask(&format!("host: {host}\r\n")), "200", "{host}");
    }
    for host in [
        "host: evil.example\r\n".to_owned(),
        format!("host: evil.example:{port}\r\n"),
        "host: 127.0.0.1\r\n".to_owned(),
        format!("host: 127.0.0.1.evil.example:{port}\r\n"),
        format!("host: localhost:{port}\r\nhost: evil.example\r\n"),
        String::new(),
    ] {
        assert!(["421", "400"].contains(&ask(&host).as_str()), "{host}");
    }
    let answer =
        served.raw("GET /livez HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n");
    assert!(answer.contains("host_not_allowed"), "{answer}");
    assert!(
        answer.contains("allowed_hosts"),
        "says what to do: {answer}"
    );
    // The target of the request counts as well.
    let answer = served.raw(&format!(
        "GET http://evil.example/livez HTTP/1.1\r\nhost: localhost:{port}\r\nconnection: close\r\n\r\n"
    ));
    assert_eq!(status(&answer), "421");
}

#[test]
fn changes_need_our_header() {
    let served = Served::new(World::new());
    let path = "/api/v1/queue/pause";
    served
        .post_with(path, &[], "")
        .problem(403, "header_required");
    served
        .post_with(path, &[("content-type", "text/plain")], "{}")
        .problem(403, "header_required");
    // A form without an origin is none of our pages'.
    let form = ("content-type", "application/x-www-form-urlencoded");
    served
        .post_with("/queue/pause", &[form], "back=/")
        .problem(403, "header_required");
    assert_eq!(served.json("/api/v1/status")["paused"], Value::Null);
    assert_eq!(
        served.post_with(path, &[("x-wellspring", "1")], "").status,
        200
    );
}

#[test]
fn pages_of_others_change_nothing() {
    let served = Served::new(World::new());
    let form = ("content-type", "application/x-www-form-urlencoded");
    for origin in [
        "http://evil.example",
        "null",
        "http://127.0.0.1:1",
        &format!("http://{}.evil.example", served.address),
    ] {
        served
            .post_with("/queue/pause", &[form, ("origin", origin)], "back=/")
            .problem(403, "cross_origin");
        let ours = ("x-wellspring", "1");
        served
            .post_with("/api/v1/queue/pause", &[ours, ("origin", origin)], "")
            .problem(403, "cross_origin");
    }
    let site = [("x-wellspring", "1"), ("sec-fetch-site", "cross-site")];
    served
        .post_with("/api/v1/queue/pause", &site, "")
        .problem(403, "cross_origin");
    assert_eq!(served.json("/api/v1/status")["paused"], Value::Null);
    assert_eq!(served.form("/queue/pause", "back=/").status, 303);
    assert_ne!(served.json("/api/v1/status")["paused"], Value::Null);
}

#[test]
fn the_token_is_asked_for() {
    let served = with_token();
    for path in [
        "/",
        "/api/v1/status",
        "/metrics",
        "/readyz",
        "/api/openapi.json",
        "/nothing",
    ] {
        let answer = bare(&served, &format!("GET {path}"), "");
        assert_eq!(status(&answer), "401", "{path}");
        assert!(
            answer.to_lowercase().contains("www-authenticate: bearer"),
            "{answer}"
        );
        assert!(answer.contains("token_required"), "{answer}");
        assert_eq!(
            served.get(path).status,
            if path == "/nothing" { 404 } else { 200 }
        );
    }
    assert_eq!(status(&bare(&served, "GET /livez", "")), "200");
    for wrong in [
        "Bearer s3cret-tokem",
        "Bearer ",
        "Bearer s3cret-token-and-more",
        "Basic czM6",
    ] {
        let answer = bare(
            &served,
            "GET /api/v1/status",
            &format!("authorization: {wrong}\r\n"),
        );
        assert_eq!(status(&answer), "401", "{wrong}");
        assert!(answer.contains("invalid_token"), "{answer}");
    }
    let answer = bare(
        &served,
        "POST /api/v1/queue/pause",
        "x-wellspring: 1\r\ncontent-length: 0\r\n",
    );
    assert_eq!(status(&answer), "401");
    assert_eq!(
        served.get_with("/api/v1/status", &[]).status,
        200,
        "{BEARER}"
    );
}

#[test]
fn a_browser_logs_in_and_out() {
    let served = with_token();
    let page = bare(&served, "GET /plates/1?well=A01", "accept: text/html\r\n");
    assert_eq!(status(&page), "401");
    assert!(
        page.contains(r#"name="next" value="/plates/1?well=A01""#),
        "{page}"
    );
    assert!(page.contains(r#"type="password""#));
    assert_eq!(status(&bare(&served, "GET /assets/style.css", "")), "200");

    let log_in = |body: &str| {
        let headers = format!(
            "origin: http://{}\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n",
            served.address,
            body.len()
        );
        served.raw(&format!(
            "POST /login HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{headers}\r\n{body}",
            served.address
        ))
    };
    let refused = log_in("token=wrong&next=/plates/1");
    assert_eq!(status(&refused), "401");
    assert!(refused.contains("That is not the token."));
    assert!(!refused.to_lowercase().contains("set-cookie"));

    let elsewhere = log_in(&format!("token={TOKEN}&next=//evil.example/"));
    assert!(
        elsewhere.to_lowercase().contains("location: /\r\n"),
        "{elsewhere}"
    );

    let answer = log_in(&format!("token={TOKEN}&next=/plates/1"));
    assert_eq!(status(&answer), "303");
    let cookie = answer
        .lines()
        .find_map(|line| line.strip_prefix("set-cookie: "))
        .unwrap();
    assert!(cookie.contains("; HttpOnly; SameSite=Strict"), "{cookie}");
    assert!(!cookie.contains(TOKEN), "the cookie is not the token");
    let pair = cookie.split(';').next().unwrap();
    let with_cookie = format!("cookie: theme=dark; {pair}\r\n");
    assert_eq!(status(&bare(&served, "GET /plates/1", &with_cookie)), "200");

    // A session is no excuse for a post of another site.
    let forged = format!(
        "{with_cookie}origin: http://evil.example\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 0\r\n"
    );
    assert_eq!(status(&bare(&served, "POST /queue/pause", &forged)), "403");

    let ours = format!(
        "{with_cookie}origin: http://{}\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 0\r\n",
        served.address
    );
    assert_eq!(status(&bare(&served, "POST /logout", &ours)), "303");
    assert_eq!(status(&bare(&served, "GET /plates/1", &with_cookie)), "401");
}

#[test]
fn browsers_are_told_what_not_to_do() {
    let served = Served::new(World::small().0);
    for path in ["/", "/api/v1/status", "/nothing", "/assets/live.js"] {
        let answer = served.get(path);
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none';"),
            "{path}: {policy}"
        );
        assert!(!policy.contains("unsafe"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"));
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("x-frame-options"), "DENY");
        assert_eq!(answer.header("referrer-policy"), "same-origin");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin");
        assert_eq!(answer.header("access-control-allow-origin"), "");
    }
    assert_eq!(served.get("/").header("cache-control"), "no-store");
}

#[test]
fn the_token_is_not_in_the_debug_text() {
    let options = server::Options {
        token: Some(TOKEN.into()),
        allowed_hosts: Vec::new(),
        max_body: 1,
        version: String::new(),
    };
    assert!(!format!("{options:?}").contains(TOKEN));
}
