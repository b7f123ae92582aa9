//! The pages, as they are without a script.

use crate::support::{Answer, Served};
use crate::world::World;
use serde_json::Value;

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
            "3 of 10 tasks so far · 1 failed · 2 blocked",
            "4 of 96",
            "copy it again from the microscope, then requeue",
            "the file ends before its last strip &#60;1 of 2&#62;",
            "tiff_truncated",
            "/data/acquisition → /data/results",
            r#"<td data-label="Watched">poll<span class="under">nfs: nfs does not report the changes of all its writers</span></td>"#,
            r#"<span class="part">1 arriving</span> · <span class="part">1 queued</span>"#,
            r#"<span class="part">1 failed</span>"#,
            "no estimate yet: too few image sets have come",
            "Image sets by the hour, the last 24 hours: 2 together",
            r#"<a href="/workflows/cell-analysis">cell-analysis</a>"#,
            "pid 4242",
            "<strong>A card</strong> ran 3 operations in 500 ms. On processors instead: 2 (lost).",
            "42.0 GiB free of 100 GiB",
            r#"<meter min="0" max="100" low="80" high="90" optimum="0" value="58""#,
            r#"aria-label="Requeue nuclei of A02-0001 on plate-2026-07""#,
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
            r#"<th scope="row"><a href="/plates/1?well=H#well" aria-label="Select row H">H</a></th>"#,
            r#"aria-label="Select column 12">12</a></th>"#,
            r#"aria-label="A01: done, 1 image set, 3 of 3 tasks done""#,
            r#"<td class="t-fail"><a href="/plates/1?well=A02#well""#,
            r#"aria-label="A02: failed, 1 image set, 0 of 3 tasks done, 1 failed""#,
            r#"aria-label="B01: arriving"#,
            r#"role="region" aria-label="Grid of wells""#,
            "Requeue 1 failed",
            "Finalize this plate",
            "wellspring tasks requeue --plate 1 --failed",
            "scores",
            "/data/acquisition/plate-2026-07",
        ],
    );
    let well = page(&served, &format!("/plates/{plate}?well=a2"));
    assert_has(&well, &["Well A02", "A02-0001", "blocked"]);
    let several = page(&served, &format!("/plates/{plate}?well=a2,B01:B02"));
    assert_has(
        &several,
        &[
            "Wells A02, B01, B02",
            "Requeue 1 failed here",
            r#"<input type="hidden" name="wells" value="a2,B01:B02">"#,
            "not published",
        ],
    );
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
        &[
            r#"aria-label="Select row AF">AF</a></th>"#,
            "AF48: waiting",
            "grid dense",
        ],
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
            r#"<th scope="row">sigma</th><td><code>1.5</code></td>"#,
            r#"<th scope="row">inputs</th>"#,
            r#"<span class="pill t-block">blocked</span> <a href="/tasks/5">cells of A02-0001</a>"#,
            "1 of 3 attempts",
            "Attempt 1",
            &format!("wellspring tasks explain {id}"),
            &format!("wellspring tasks requeue {id}"),
            r#"<rect class="t-fail""#,
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
            r#"<a href="/tasks?plate=1&#38;state=failed,quarantined" aria-label="Remove the filter text: strip">"#,
            "1 of 1 shown",
            "nuclei of A02-0001",
            "Requeue all failed tasks of this list (1)",
        ],
    );
    assert!(!text.contains("A01-0001"));
    let text = page(&served, "/tasks?limit=2&job=cells");
    assert_has(&text, &[r#"href="/tasks?job=cells&#38;limit=2&#38;after="#]);
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
    let paused =
        r#"<span class="pill t-arrive">arriving</span> <span class="pill t-warn">paused</span>"#;
    assert_has(&page(&served, &path), &[paused]);
    assert_has(&page(&served, "/"), &[paused]);
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
        &[
            "<h1>Not Found</h1>",
            "there is no plate 99",
            r#"start at the <a href="/">overview</a>"#,
        ],
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

/// Runs a task of `nuclei` that has not ended, with a log so far.
fn running() -> (Served, i64) {
    let world = World::new();
    let plate = world.plate("p", 8, 12);
    world.image_set(plate, "A01-0001", queue::SubjectState::Complete);
    let task = world.claim().tasks[0].id.0;
    let served = Served::new(world);
    *served.daemon.running_log.lock().unwrap() = Some("tile 3 of 9 <b>".to_owned());
    (served, task)
}

#[test]
fn the_log_of_a_running_task_is_shown_while_it_grows() {
    let (served, task) = running();
    let text = page(&served, &format!("/tasks/{task}"));
    let log = format!(
        r#"data-log="/api/v1/tasks/{task}/log?attempt=1">pass 1: tile 3 of 9 &#60;b&#62;</pre>"#
    );
    assert_has(
        &text,
        &[
            &log,
            "Log of attempt 1, which is running",
            "wellspring tasks cancel",
        ],
    );
}

#[test]
fn a_task_shows_the_files_that_it_reads_and_where_its_results_are() {
    let (world, plate) = World::small();
    let subject = world
        .store
        .find_subject(plate, queue::SubjectKind::ImageSet, "A01-0001")
        .unwrap()
        .unwrap();
    world
        .store
        .record_file(&queue::FileRecord {
            root: world.root,
            path: "plate-2026-07/A01 & b.tif".into(),
            size: 8 << 20,
            mtime_ns: 1,
            ctime_ns: 1,
            inode: 1,
            device: 1,
            content: None,
            state: queue::FileState::Registered,
            reason: None,
            remedy: None,
            subject: Some(subject.id),
            parsed: serde_json::json!({}),
        })
        .unwrap();
    let served = Served::new(world);
    let text = page(&served, "/tasks/1");
    assert_has(
        &text,
        &[
            "/data/acquisition/plate-2026-07/A01 &#38; b.tif",
            r#"href="/api/v1/files/explain?path=%2Fdata%2Facquisition%2Fplate-2026-07%2FA01%20%26%20b.tif""#,
            "8.0 MiB",
            "/data/results/c.h5",
            r#"<th scope="row">objects</th><td><code>118</code></td>"#,
            "<dt>read_ms</dt><dd>12 ms</dd>",
        ],
    );
}

#[test]
fn workflows_are_drawn_and_told() {
    let (world, plate) = World::small();
    let served = Served::new(world);
    let text = page(&served, "/workflows");
    assert_has(
        &text,
        &[
            r#"<a href="/workflows/cell-analysis">cell-analysis</a>"#,
            "microscope 1",
            r#"<a href="/tasks?workflow=cell-analysis&amp;state=failed,quarantined">1</a>"#,
        ],
    );
    let text = page(&served, "/workflows/cell-analysis");
    assert_has(
        &text,
        &[
            r#"<a href="/tasks?workflow=cell-analysis&amp;job=scores" aria-label="scores, analyse.cell_level, each plate: its tasks">"#,
            r#"<path class="edge order""#,
            "<title>nuclei to cells: nuclei_out</title>",
            r#"<span class="dim">after</span> quality"#,
            "<dt>sigma</dt><dd><code>1.5</code></dd>",
            "<dt>TRITC</dt><dd>left out</dd>",
            &format!(r#"<a href="/plates/{plate}">plate-2026-07</a>"#),
            "3 of 10 tasks · 1 failed · 2 blocked",
        ],
    );
    assert_eq!(text.matches(r#"class="node of-"#).count(), 5);
    served.get("/workflows/none").problem(404, "not_found");
}

#[test]
fn the_list_of_tasks_goes_both_ways() {
    let (world, _) = World::small();
    let served = Served::new(world);
    let hrefs = |path: &str| {
        let text = page(&served, path);
        let list = text.split("Parts of the list").nth(1).unwrap();
        let parts = list.split("rel=\"").skip(1);
        let words: Vec<_> = parts.map(|part| part[..4].to_owned()).collect();
        let of = |word: &str| {
            let link = text.split(&format!("\" rel=\"{word}\"")).next().unwrap();
            let link = link.rsplit("href=\"").next().unwrap();
            link.replace("&#38;", "&")
        };
        (words, of("prev"), of("next"))
    };
    let (words, _, next) = hrefs("/tasks?limit=4");
    assert_eq!(
        (words, next.as_str()),
        (vec!["next".to_owned()], "/tasks?limit=4&after=4")
    );
    let (words, previous, next) = hrefs(&next);
    assert_eq!(words, ["prev", "next"]);
    assert_eq!(previous, "/tasks?limit=4&before=5");
    let (words, ..) = hrefs(&next);
    assert_eq!(words, ["prev"]);
    let (words, _, next) = hrefs(&previous);
    assert_eq!(
        (words, next.as_str()),
        (vec!["next".to_owned()], "/tasks?limit=4&after=4")
    );
    assert_has(
        &page(&served, "/tasks?root=1&workflow=cell-analysis"),
        &["10 of 10 shown", "Remove the filter root: microscope 1"],
    );
}

#[test]
fn those_who_are_told_are_shown_with_what_they_were_not() {
    let world = World::new();
    let recipients = [queue::NewRecipient {
        name: "lab".into(),
        wants: vec![queue::NoticeKind::Done],
        roots: Vec::new(),
    }];
    world.store.put_recipients(&recipients).unwrap();
    let plate = world.plate("p", 1, 1);
    world.image_set(plate, "A01-0001", queue::SubjectState::Complete);
    world.store.complete_plate(plate, "user", None).unwrap();
    world.succeed();
    let served = Served::new(world);
    let text = page(&served, "/");
    assert_has(
        &text,
        &[
            "Who is told",
            r#"<td data-label="Undelivered">1 waiting</td>"#,
        ],
    );
}

#[test]
fn a_heat_map_without_tables_says_why() {
    let (world, plate) = World::small();
    let served = Served::new(world);
    let text = page(&served, &format!("/plates/{plate}?mode=heatmap"));
    assert_has(
        &text,
        &[
            "There are no tables of this plate yet.",
            "What to do:",
            // The states are shown all the same.
            r#"aria-label="A02: failed"#,
        ],
    );
    served
        .get(&format!("/plates/{plate}?mode=x"))
        .problem(400, "invalid_query");
}

#[test]
fn recomputing_shows_first_what_would_run() {
    let (world, plate) = World::small();
    let served = Served::new(world);
    let text = page(&served, &format!("/plates/{plate}/recompute?job=nuclei"));
    // A01 succeeded and A02 failed; A03 waits and would run anyway.
    assert_has(
        &text,
        &[
            "2 tasks would be run again, and after them 5 that depend on them",
            "nuclei of A01-0001",
            "nuclei of A02-0001",
            &format!("wellspring tasks requeue --plate {plate} --from nuclei"),
        ],
    );
    let of_well = page(
        &served,
        &format!("/plates/{plate}/recompute?job=nuclei&wells=A01"),
    );
    assert_has(
        &of_well,
        &[
            "On wells A01: 1 task would be run again, and after it 3 that depend on it",
            "--from nuclei --well A01",
        ],
    );
    let counts =
        |served: &Served| served.json(&format!("/api/v1/plates/{plate}"))["counts"].clone();
    let before = counts(&served);
    assert_eq!(before["succeeded"], 3, "looking changes nothing");
    let answer = served.form(
        &format!("/plates/{plate}/recompute"),
        "job=nuclei&wells=A01",
    );
    assert_eq!(answer.status, 303);
    assert_eq!(
        answer.header("location"),
        format!("/plates/{plate}?well=A01&notice=requeued&n=1")
    );
    let after = counts(&served);
    assert_eq!(
        (&after["succeeded"], &after["failed"]),
        (&Value::from(0), &before["failed"])
    );
    let unknown = served.get_with(
        &format!("/plates/{plate}/recompute?job=x"),
        &[("accept", "application/json")],
    );
    unknown.problem(404, "unknown_job");
}

#[test]
fn what_failed_on_some_wells_is_requeued() {
    let (world, plate) = World::small();
    let served = Served::new(world);
    let failed = |served: &Served| {
        served.json(&format!("/api/v1/plates/{plate}"))["counts"]["failed"].clone()
    };
    let path = format!("/plates/{plate}/requeue");
    let answer = served.form(&path, "back=/&wells=A01,A03");
    assert_eq!(
        (answer.status, failed(&served)),
        (303, Value::from(1)),
        "it failed elsewhere"
    );
    served.form(&path, "back=/&wells=A02");
    assert_eq!(failed(&served), 0);
}

#[test]
fn what_one_file_made_fail_is_one_entry_and_one_button() {
    let world = World::new();
    let plate = world.plate("p", 8, 12);
    let tasks = world.image_set(plate, "A01-0001", queue::SubjectState::Complete);
    let pass = world.claim();
    let path = "/data/acquisition/A01-0001_<1>.tif";
    let reports: Vec<_> = pass
        .tasks
        .iter()
        .map(|task| {
            let failure = queue::Failure::new(
                queue::FailureClass::Permanent,
                "damaged-file",
                format!("`{path}` is damaged"),
            )
            .with_path(path);
            let outcome = match task.job.as_str() {
                "measure" => queue::Outcome::Skipped,
                _ => queue::Outcome::Failed { failure },
            };
            queue::TaskReport::new(task.id, outcome)
        })
        .collect();
    world.store.finish_pass(pass.id, &reports, None).unwrap();
    let served = Served::new(world);
    let text = page(&served, "/");
    let (first, second) = (tasks[0], tasks[1]);
    assert_has(
        &text,
        &[
            &format!(
                r#"<a href="/tasks/{first}">nuclei</a> and <a href="/tasks/{second}">cells of A01-0001</a>"#
            ),
            "<code>/data/acquisition/A01-0001_&#60;1&#62;.tif</code> is damaged",
            r#"aria-label="Requeue nuclei and cells of A01-0001 on p""#,
            &format!(r#"<input type="hidden" name="also" value="{second}">"#),
        ],
    );
    assert_eq!(
        text.matches("A01-0001_&#60;1&#62;.tif").count(),
        1,
        "the path is told once"
    );
    let to = served.form(
        &format!("/tasks/{first}/requeue"),
        &format!("back=/&also={second}"),
    );
    assert_eq!(redirect(&to), "/?notice=requeued&n=2");
}
