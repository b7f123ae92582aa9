//! The page of an image set, as it is before anything can be read: the program that reads containers is not part of this crate.

use queue::{SubjectKind, SubjectState};

use crate::support::Served;
use crate::world::World;

fn page(served: &Served, path: &str) -> String {
    let answer = served.get(path);
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
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

/// Image sets by name.
fn set(served: &Served, plate: queue::PlateId, name: &str) -> i64 {
    let sites = served.world.store.sites(plate).unwrap();
    let site = sites.into_iter().find(|site| site.name == name);
    site.unwrap().id.0
}

#[test]
fn only_image_sets_of_the_plate_have_a_page() {
    let (world, plate) = World::small();
    let other = world.plate("other", 1, 1);
    let whole = world.subject(plate, SubjectKind::Plate, "all", SubjectState::Complete);
    let served = Served::new(world);
    let a01 = set(&served, plate, "A01-0001");
    for path in [
        format!("/plates/99/sites/{a01}"),
        format!("/plates/{other}/sites/{a01}"),
        format!("/plates/{plate}/sites/9999"),
        format!("/plates/{plate}/sites/{whole}"),
    ] {
        served.get(&path).problem(404, "not_found");
    }
    served
        .get(&format!("/plates/{plate}/sites/x"))
        .problem(400, "invalid_path");
}

#[test]
fn before_anything_is_published_it_says_why() {
    let (world, plate) = World::small();
    let served = Served::new(world);
    let failed = set(&served, plate, "A02-0001");
    let path = format!("/plates/{plate}/sites/{failed}");
    assert_has(
        &page(&served, &format!("{path}?on.DAPI=1&drawn=1&y=3&sort=area")),
        &[
            "<h1>A02-0001",
            &format!(r#"<a href="/plates/{plate}?well=A02#well">A02</a>"#),
            "2 of 4",
            "Nothing is published yet. Its tasks have ended without a result",
            "the file ends before its last strip &#60;1 of 2&#62;",
            "What to do: copy it again from the microscope",
            "blocked",
            // What is drawn how is true for the next one too, where one looks is not.
            "?on.DAPI=1&#38;drawn=1&#38;sort=area\" rel=\"next\"",
            r#"<script src="/assets/site.js" type="module"></script>"#,
        ],
    );
    let waiting = set(&served, plate, "A03-0001");
    assert_has(
        &page(&served, &format!("/plates/{plate}/sites/{waiting}")),
        &["Its first results come when the tasks above have run."],
    );
    let arriving = set(&served, plate, "B01-0001");
    assert_has(
        &page(&served, &format!("/plates/{plate}/sites/{arriving}")),
        &["It has no tasks yet", "missing: TRITC", "4 of 4"],
    );
}

#[test]
fn what_cannot_be_read_is_told_within_the_page() {
    let (world, plate) = World::small();
    let served = Served::new(world);
    let done = set(&served, plate, "A01-0001");
    assert_has(
        &page(&served, &format!("/plates/{plate}/sites/{done}")),
        &[
            "<h1>A01-0001",
            "It cannot be shown.",
            "there is no `/data/results/c.h5`",
            "the results folder is not mounted",
        ],
    );
}

#[test]
fn the_scripts_are_there() {
    let served = Served::new(World::new());
    let script = served.get("/assets/site.js");
    let imported: Vec<&str> = script
        .text
        .lines()
        .filter_map(|line| line.split_once("from \"./"))
        .filter_map(|(_, rest)| rest.split_once('"'))
        .map(|(name, _)| name)
        .collect();
    assert!(imported.len() > 5, "{imported:?}");
    for name in imported.into_iter().chain(["site.js"]) {
        let answer = served.get(&format!("/assets/{name}"));
        assert_eq!(answer.status, 200, "{name}");
        let kind = "text/javascript; charset=utf-8";
        assert_eq!(answer.header("content-type"), kind);
    }
}
