//! The pages, as they are without a script.

use crate::support::{Answer, Served};
use crate::world::World;

fn page(served: &Served, path: &str) -> String {
    let answer = served.get(path);
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    // The content security policy would not let these work.
    for forbidden in [" style=", "<style", "onclick=", "javascript:", "<script>"] {
        assert!(!answer.text.contains(forbidden), "{path} has {forbidden}");
    }
    answer.text
}

fn assert_has(page: &str, parts: &[&str]) {
    for part in parts {
        assert!(page.contains(part), "{part:?} is not in\n{page}");
    }
}

fn redirect(answer: &Answer) -> &str {
    assert_eq!(answer.status, 303, "{answer:?}");
    answer.header("location")
}

#[test]
fn the_overview_shows_plates_failures_roots_and_workers() {
    let (world, plate) = World::small();
    let served = Served::new(world);
    let text = page(&served, "/");
    assert_has(
        &text,
        &[
            "<title>Overview · Wellspring</title>",
            &format!(r#"<a href="/plates/{plate}">plate-2026-07</a>"#),
            "3 of 10 tasks · 1 failed · 2 stopped",
            "4 of 96",
            "copy it again from the microscope, then requeue",
            "the file ends before its last strip &#60;1 of 2&#62;",
            "tiff_truncated",
            "/data/acquisition → /data/results",
            r#"<td data-label="Watched">poll</td>"#,
            "pid 4242",
            "42.0 GiB free of 100 GiB",
            "Wellspring 9.8.7",
        ],
    );
    assert!(!text.contains("<1 of 2>"), "text of files is escaped");
    assert_has(
        &page(&served, "/?q=nothing-like-it"),
        &["No plate of that name."],
    );
}

#[test]
fn an_empty_daemon_says_what_to_do() {
    let served = Served::new(World::new());
    let text = page(&served, "/");
    assert_has(&text, &["No plate has come yet.", "Nothing has failed."]);
}

#[test]
fn a_plate_is_a_grid_of_lettered_wells() {
    let (world, plate) = World::small();
    let served = Served::new(world);
    let text = page(&served, &format!("/plates/{plate}"));
    assert_has(
        &text,
        &[
            r#"<table class="grid few">"#,
            r#"<th scope="row">H</th>"#,
            r#"<th scope="col">12</th>"#,
            r#"aria-label="A01: done, 1 image set, 3 of 3 tasks done""#,
            r#"<td class="t-fail"><a href="/plates/1?well=A02#well""#,
            r#"aria-label="A02: failed, 1 image set, 0 of 3 tasks done, 1 failed""#,
            r#"aria-label="B01: arriving"#,
            "Requeue 1 failed",
            "Finalize this plate",
            "wellspring tasks requeue --plate 1 --failed",
            "scores",
            "/data/acquisition/plate-2026-07",
        ],
    );
    let well = page(&served, &format!("/plates/{plate}?well=a2"));
    assert_has(&well, &["Well A02", "A02-0001", "blocked"]);
}

#[test]
fn a_large_plate_has_rows_after_z() {
    let world = World::new();
    let plate = world.plate("1536", 32, 48);
    world.image_set(plate, "AF48-0001", queue::SubjectState::Complete);
    let served = Served::new(world);
    let text = page(&served, &format!("/plates/{plate}"));
    assert_has(
        &text,
        &[r#"<th scope="row">AF</th>"#, "AF48: waiting", "grid dense"],
    );
    assert_eq!(text.matches("<td class=\"t-").count(), 1536);
}

#[test]
fn a_stack_without_wells_is_a_list() {
    let world = World::new();
    let plate = world.plate("stack", 1, 1);
    let stack = queue::SubjectKind::Stack;
    world
        .store
        .upsert_plate(&queue::NewPlate {
            root: world.root,
            key: "stack".into(),
            name: "stack <b>".into(),
            directory: "stack".into(),
            output: "/data/results/stack".into(),
            expected: None,
            rows: None,
            columns: None,
        })
        .unwrap();
    world.subject(plate, stack, "slices", queue::SubjectState::Arriving);
    let served = Served::new(world);
    let text = page(&served, &format!("/plates/{plate}"));
    assert_has(
        &text,
        &["stack &#60;b&#62;", "Image sets and stacks", "slices"],
    );
    assert!(!text.contains(r#"<table class="grid"#));
}

#[test]
fn a_task_shows_attempts_log_and_ingredients() {
    let (world, _) = World::small();
    let served = Served::new(world);
    let failed = served.json("/api/v1/tasks?state=failed");
    let id = &failed["items"][0]["id"];
    let text = page(&served, &format!("/tasks/{id}"));
    assert_has(
        &text,
        &[
            "nuclei of A02-0001",
            "What to do:",
            "strip 41 of 64 is cut off",
            "parameters.sigma",
            "cells of A02-0001",
            "Attempt 1",
            &format!("wellspring tasks explain {id}"),
            &format!(r#"action="/tasks/{id}/requeue""#),
        ],
    );
    let waiting = served.json("/api/v1/tasks?state=waiting&job=scores");
    let id = &waiting["items"][0]["id"];
    let text = page(&served, &format!("/tasks/{id}"));
    assert_has(
        &text,
        &[
            "the plate is arriving",
            "It has not been run yet.",
            "Cancel",
        ],
    );
}

#[test]
fn the_list_of_tasks_keeps_its_filters() {
    let (world, plate) = World::small();
    let served = Served::new(world);
    let path = format!("/tasks?plate={plate}&state=failed,quarantined&well=&job=&kind=&q=strip");
    let text = page(&served, &path);
    assert_has(
        &text,
        &[
            r#"<option value="failed,quarantined" selected>failed</option>"#,
            r#"name="q" type="search" value="strip""#,
            "nuclei of A02-0001",
            "Requeue all failed tasks of this list",
        ],
    );
    assert!(!text.contains("A01-0001"));
    let text = page(&served, "/tasks?limit=2&job=cells");
    assert_has(&text, &[r#"href="/tasks?job=cells&#38;after="#]);
    assert_has(
        &page(&served, "/tasks?state=quarantined"),
        &["No such tasks."],
    );
    assert_eq!(served.get("/tasks?state=tired").status, 400);
}

#[test]
fn forms_do_what_they_say_and_come_back() {
    let (world, plate) = World::small();
    let served = Served::new(world);
    let back = format!("back=/plates/{plate}");
    let path = format!("/plates/{plate}");

    let to = served.form(&format!("{path}/requeue"), &back);
    assert_eq!(
        redirect(&to),
        format!("/plates/{plate}?notice=requeued&n=1")
    );
    assert_has(
        &page(&served, redirect(&to)),
        &["1 task requeued, with what depends on them."],
    );
    assert_eq!(served.json("/api/v1/status")["tasks"]["failed"], 0);

    let to = served.form(
        &format!("{path}/pause"),
        &format!("{back}&reason=broken+lamp"),
    );
    assert_has(
        &page(&served, redirect(&to)),
        &[
            "This plate is paused",
            "by user: broken lamp",
            r#"action="/plates/1/resume""#,
        ],
    );
    let to = served.form(&format!("{path}/resume"), &back);
    assert!(!page(&served, redirect(&to)).contains("is paused"));

    let to = served.form(&format!("{path}/finalize"), &back);
    assert_has(
        &page(&served, redirect(&to)),
        &["decided by <code>user</code>", "images missing"],
    );

    let to = served.form("/queue/pause", "back=/");
    assert_has(
        &page(&served, redirect(&to)),
        &["Everything is paused", "Resume everything"],
    );
    let to = served.form("/queue/resume", "back=/");
    assert!(!page(&served, redirect(&to)).contains("is paused"));

    let root = served.world.root;
    let to = served.form(&format!("/roots/{root}/rescan"), "back=/");
    assert_eq!(redirect(&to), "/?notice=rescan&n=1");
    assert!(
        served
            .daemon
            .asked
            .lock()
            .unwrap()
            .contains(&format!("rescan {root}"))
    );

    let to = served.form(&format!("{path}/pause"), "back=https://evil.example/");
    assert!(
        redirect(&to).starts_with("/?notice="),
        "nobody is sent elsewhere"
    );
}

#[test]
fn task_forms_requeue_and_cancel() {
    let (world, plate) = World::small();
    let served = Served::new(world);
    let failed = served.json("/api/v1/tasks?state=failed");
    let id = &failed["items"][0]["id"];
    let to = served.form(
        "/tasks/requeue",
        &format!("plate={plate}&job=nuclei&q=&well=&kind="),
    );
    assert_eq!(
        redirect(&to),
        format!("/tasks?plate={plate}&job=nuclei&notice=requeued&n=1")
    );
    page(&served, redirect(&to));
    let back = format!("back=/tasks/{id}");
    let to = served.form(&format!("/tasks/{id}/cancel"), &back);
    assert_has(
        &page(&served, redirect(&to)),
        &["Cancelled.", "it was cancelled; requeue it to run it"],
    );
    let to = served.form(&format!("/tasks/{id}/requeue"), &back);
    assert_eq!(redirect(&to), format!("/tasks/{id}?notice=requeued&n=1"));
}

#[test]
fn browsers_get_problems_as_pages() {
    let served = Served::new(World::new());
    let html = [("accept", "text/html,application/xhtml+xml,*/*;q=0.8")];
    let answer = served.get_with("/plates/99", &html);
    assert_eq!(answer.status, 404);
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert_has(
        &answer.text,
        &["<h1>Not Found</h1>", "there is no plate 99"],
    );
    let answer = served.get_with("/%3Cb%3E&'x", &html);
    assert_eq!(answer.status, 404);
    assert!(
        answer.text.contains("/%3Cb%3E&#38;&#39;x"),
        "{}",
        answer.text
    );
    // The API speaks JSON to everybody.
    served
        .get_with("/api/v1/plates/99", &html)
        .problem(404, "not_found");
    // No notice but ours.
    let text = served.get("/?notice=you+have+won&n=1").text;
    assert!(!text.contains("won"));
}

#[test]
fn assets_are_revalidated() {
    let served = Served::new(World::new());
    for (name, kind) in [
        ("style.css", "text/css; charset=utf-8"),
        ("live.js", "text/javascript; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
    ] {
        let path = format!("/assets/{name}");
        let answer = served.get(&path);
        assert_eq!((answer.status, answer.header("content-type")), (200, kind));
        let again = served.get_with(&path, &[("if-none-match", answer.header("etag"))]);
        assert_eq!((again.status, again.text.as_str()), (304, ""));
    }
    served.get("/assets/secret").problem(404, "not_found");
}

#[test]
fn failures_are_counted_by_reason() {
    let world = World::new();
    let plate = world.plate("p", 8, 12);
    for name in ["A01-0001", "A02-0001", "A03-0001"] {
        world.image_set(plate, name, queue::SubjectState::Complete);
        world.fail();
    }
    let served = Served::new(world);
    let path = format!("/plates/{plate}");
    let filter = "state=failed,quarantined&amp;q=tiff_truncated";
    let text = page(&served, &path);
    let reason = format!(
        "<a href=\"/tasks?plate={plate}&amp;{filter}\"><code>tiff_truncated</code></a> <span class=\"dim\">3</span>"
    );
    assert_has(&text, &[&reason]);
    let list = format!("/tasks?plate={plate}&{}", filter.replace("&amp;", "&"));
    assert_eq!(page(&served, &list).matches("nuclei of A0").count(), 3);
}
