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
fn names_that_only_look_like_ours_are_refused() {
    let served = Served::new(World::new());
    let port = served.address.port();
    for head in [
        // A trailing dot, a user, another way to write the same address, no port, a comma.
        format!("GET /livez HTTP/1.1\r\nhost: localhost.:{port}\r\n"),
        format!("GET /livez HTTP/1.1\r\nhost: evil@localhost:{port}\r\n"),
        format!("GET /livez HTTP/1.1\r\nhost: [0:0:0:0:0:0:0:1]:{port}\r\n"),
        format!("GET /livez HTTP/1.1\r\nhost: 127.1:{port}\r\n"),
        format!("GET /livez HTTP/1.1\r\nhost: localhost:0{port}\r\n"),
        "GET /livez HTTP/1.1\r\nhost: localhost\r\n".to_owned(),
        format!("GET /livez HTTP/1.1\r\nhost: localhost:{port}, evil.example\r\n"),
        format!("GET /livez HTTP/1.1\r\nhost: localhost:{port}\r\nhost: localhost:{port}\r\n"),
        "GET /livez HTTP/1.1\r\nhost:\r\n".to_owned(),
        // The target of the request names the host too, perhaps with a user.
        format!("GET http://evil@localhost:{port}/livez HTTP/1.1\r\nhost: localhost:{port}\r\n"),
        format!("GET http://localhost:1/livez HTTP/1.1\r\nhost: localhost:{port}\r\n"),
        format!("GET http://localhost:{port}/livez HTTP/1.1\r\nhost: evil.example\r\n"),
        "GET /livez HTTP/1.0\r\n".to_owned(),
    ] {
        let answer = served.raw(&format!("{head}connection: close\r\n\r\n"));
        assert!(
            ["421", "400"].contains(&status(&answer)),
            "{head}: {answer}"
        );
    }
    let whole = format!(
        "GET http://localhost:{port}/livez HTTP/1.1\r\nhost: localhost:{port}\r\nconnection: close\r\n\r\n"
    );
    assert_eq!(status(&served.raw(&whole)), "200");
}

#[test]
fn pages_of_others_read_nothing() {
    let served = Served::new(World::new());
    for path in ["/", "/api/v1/status", "/api/v1/events", "/metrics"] {
        for headers in [
            &[("origin", "http://evil.example")][..],
            &[("origin", "null")],
            &[("origin", "http://127.0.0.1:1")],
            &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "cors")],
            &[
                ("sec-fetch-site", "same-site"),
                ("sec-fetch-mode", "no-cors"),
            ],
            &[("sec-fetch-site", "cross-site")],
        ] {
            served.get_with(path, headers).problem(403, "cross_origin");
        }
    }
    // A link to here may be followed, and our own pages and programs read what they want.
    let link = [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-mode", "navigate"),
    ];
    assert_eq!(served.get_with("/", &link).status, 200);
    let origin = format!("http://{}", served.address);
    let ours = [
        ("sec-fetch-site", "same-origin"),
        ("origin", origin.as_str()),
    ];
    assert_eq!(served.get_with("/api/v1/status", &ours).status, 200);
    // Ours and another's: somebody put one in.
    let two = format!(
        "GET /livez HTTP/1.1\r\nhost: {0}\r\norigin: http://{0}\r\norigin: http://evil.example\r\nconnection: close\r\n\r\n",
        served.address
    );
    assert_eq!(status(&served.raw(&two)), "403");
}

/// What a form of another site can send without asking first.
#[test]
fn posts_that_need_no_permission_change_nothing() {
    let served = Served::new(World::new());
    let origin = format!("http://{}", served.address);
    for kind in [
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
    ] {
        for origin in [None, Some("null"), Some("http://evil.example")] {
            let mut headers = vec![("content-type", kind)];
            headers.extend(origin.map(|origin| ("origin", origin)));
            for path in ["/api/v1/queue/pause", "/queue/pause"] {
                assert_eq!(
                    served.post_with(path, &headers, "{}").status,
                    403,
                    "{path} {headers:?}"
                );
            }
        }
    }
    // JSON of our own page without our header is not what our pages send.
    let json = [
        ("content-type", "application/json"),
        ("origin", origin.as_str()),
    ];
    served
        .post_with("/api/v1/queue/pause", &json, "{}")
        .problem(403, "header_required");
    assert_eq!(served.json("/api/v1/status")["paused"], Value::Null);
}

#[test]
fn what_a_request_may_cost_is_bounded() {
    let served = Served::new(World::small().0);
    let head = |more: &str| {
        served.raw(&format!(
            "GET /livez HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{more}\r\n",
            served.address
        ))
    };
    let many: String = (0..200).map(|i| format!("x-{i}: 1\r\n")).collect();
    assert_eq!(status(&head(&many)), "431");
    let address = served.raw(&format!(
        "GET /{} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n",
        "a".repeat(70_000),
        served.address
    ));
    assert!(
        ["400", "414", "431"].contains(&status(&address)),
        "{address:.200}"
    );
    // A header without end is given up, and everybody else is served.
    let endless = std::net::TcpStream::connect(served.address).unwrap();
    let mut writing = endless.try_clone().unwrap();
    let sent = std::thread::spawn(move || {
        use std::io::Write;
        let line = format!("x: {}\r\n", "y".repeat(8000));
        writing.write_all(b"GET /livez HTTP/1.1\r\n").unwrap();
        (0..1_000_000)
            .take_while(|_| writing.write_all(line.as_bytes()).is_ok())
            .count()
    });
    assert!(sent.join().unwrap() < 10_000, "the server stops reading");
    assert_eq!(served.get("/livez").status, 200);

    let large = format!("{{\"reason\":\"{}\"}}", "x".repeat(8000));
    let json = [("x-wellspring", "1"), ("content-type", "application/json")];
    served
        .post_with("/api/v1/queue/pause", &json, &large)
        .problem(413, "body_too_large");
    let chunked = served.raw(&format!(
        "POST /api/v1/queue/pause HTTP/1.1\r\nhost: {}\r\nx-wellspring: 1\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n2000\r\n{}\r\n0\r\n\r\n",
        served.address,
        "x".repeat(0x2000)
    ));
    assert_eq!(status(&chunked), "413");

    // Texts that the queue's own limits would call an error of ours.
    let long = "x".repeat(60_000);
    for path in [
        format!("/api/v1/tasks?q={long}"),
        format!("/api/v1/files?q={long}"),
        format!("/tasks?q={long}"),
        format!("/api/v1/tasks?job={long}"),
    ] {
        served.get(&path).problem(400, "invalid_query");
    }
    let states = vec!["failed"; 9000].join(",");
    assert_eq!(
        served.get(&format!("/api/v1/tasks?state={states}")).status,
        200
    );
    for path in [
        "/api/v1/tasks?limit=4294967295",
        "/api/v1/tasks?after=9223372036854775807",
        "/api/v1/tasks?after=-9223372036854775808",
        "/api/v1/events?after=-1&limit=0",
    ] {
        let answer = served.get_with(path, &[("accept", "application/json")]);
        assert!(answer.status < 500, "{path}: {}", answer.text);
    }
    let deep = format!("{}{}", "[".repeat(2000), "]".repeat(2000));
    let answer = served.post_with("/api/v1/tasks/requeue", &json, &deep);
    assert!([400, 422].contains(&answer.status), "{}", answer.text);
}

#[test]
fn forgotten_tabs_keep_nobody_out() {
    let served = Served::new(World::new());
    let open = || {
        let mut stream = std::net::TcpStream::connect(served.address).unwrap();
        let request = format!(
            "GET /api/v1/events HTTP/1.1\r\nhost: {}\r\n\r\n",
            served.address
        );
        std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
        let mut line = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(&stream), &mut line).unwrap();
        (stream, line)
    };
    let mut streams = Vec::new();
    let refused = loop {
        let (stream, line) = open();
        streams.push(stream);
        if !line.contains(" 200 ") {
            break line;
        }
        assert!(streams.len() < 512, "the number of streams is bounded");
    };
    assert!(
        refused.contains(" 503 ") && streams.len() > 100,
        "{refused} after {}",
        streams.len()
    );
    served
        .get("/api/v1/events")
        .problem(503, "too_many_streams");
    assert_eq!(served.get("/api/v1/status").status, 200);
    drop(streams);
    let begin = std::time::Instant::now();
    while !open().1.contains(" 200 ") {
        assert!(
            begin.elapsed() < crate::support::PATIENCE,
            "a place that is left is free again"
        );
    }
}

/// Names come from files that anybody may have put there.
#[test]
fn names_are_shown_as_text() {
    const NASTY: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>";
    let world = World::new();
    let plate = world.plate(NASTY, 8, 12);
    let tasks = world.image_set(
        plate,
        &format!("A01-{NASTY}"),
        queue::SubjectState::Complete,
    );
    world.image_set(plate, "A02-0001", queue::SubjectState::Complete);
    world.succeed();
    world.fail();
    world
        .store
        .pause(queue::Target::All, "user", NASTY)
        .unwrap();
    world
        .store
        .record_file(&queue::FileRecord {
            root: world.root,
            path: NASTY.into(),
            size: 1,
            mtime_ns: 1,
            ctime_ns: 1,
            inode: 1,
            device: 0,
            content: None,
            state: queue::FileState::Unreadable,
            reason: Some(NASTY.into()),
            remedy: Some(NASTY.into()),
            subject: None,
            parsed: Value::Null,
        })
        .unwrap();
    let served = Served::new(world);
    let mut seen = 0;
    for path in [
        "/".to_owned(),
        "/tasks".to_owned(),
        format!("/plates/{plate}"),
        format!("/plates/{plate}?well=A01"),
        format!("/tasks/{}", tasks[0].0),
        "/tasks?q=%3Cscript%3Ealert(1)%3C/script%3E".to_owned(),
        "/nothing/%3Cscript%3Ealert(1)%3C/script%3E".to_owned(),
        "/tasks?plate=%3Cscript%3Ealert(1)%3C/script%3E".to_owned(),
    ] {
        let page = served.get_with(&path, &[("accept", "text/html")]);
        assert!(
            page.header("content-type").starts_with("text/html"),
            "{path}"
        );
        assert!(
            !page.text.contains("<script>alert"),
            "{path}: {}",
            page.text
        );
        assert!(!page.text.contains("<img src=x"), "{path}: {}", page.text);
        seen += page.text.matches("alert(").count();
    }
    assert!(seen > 8, "the names are on the pages, as text: {seen}");
    // Elsewhere they are data, and said to be.
    let json = served.get("/api/v1/plates");
    assert_eq!(json.header("content-type"), "application/json");
    assert_eq!(json.header("x-content-type-options"), "nosniff");
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
