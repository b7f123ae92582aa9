//! The description of the API.

use std::path::Path;

use serde_json::Value;

use crate::support::Served;
use crate::world::World;

const COMMITTED: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../docs/reference/openapi.json"
);

#[test]
fn the_committed_document_is_current() {
    let current = serde_json::to_string_pretty(&server::openapi()).unwrap() + "\n";
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(Path::new(COMMITTED).parent().unwrap()).unwrap();
        std::fs::write(COMMITTED, &current).unwrap();
    }
    let committed = std::fs::read_to_string(COMMITTED).unwrap_or_default();
    assert!(
        committed == current,
        "docs/reference/openapi.json is out of date; run the test again with UPDATE_DOCS=1"
    );
}

#[test]
fn the_served_document_is_the_same() {
    let served = Served::new(World::new());
    let document = served.json("/api/openapi.json");
    assert_eq!(document, serde_json::to_value(server::openapi()).unwrap());
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
}

/// Every documented operation is answered, and not by "no such path".
#[test]
fn every_documented_path_exists() {
    let (world, plate) = World::small();
    let served = Served::new(world);
    let document = served.json("/api/openapi.json");
    let mut operations = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            operations += 1;
            let path = path
                .replace("{id}", &plate.to_string())
                .replace("{level}", "0")
                .replace("{row}", "0")
                .replace("{column}", "0")
                .replace("{name}", "cell-analysis");
            let answer = match method.as_str() {
                "get" => served.get_with(&path, &[("accept", "application/json")]),
                "post" => served.post(&path, &Value::Null),
                other => panic!("{other} {path} is not tested"),
            };
            assert!(
                answer.status < 500 && !answer.text.contains("no_such_path"),
                "{method} {path}: {answer:?}"
            );
        }
    }
    assert_eq!(operations, 40);
}

/// All references lead somewhere.
#[test]
fn every_reference_is_defined() {
    fn check(value: &Value, document: &Value) {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(reference)) = members.get("$ref") {
                    let pointer = reference.trim_start_matches('#');
                    assert!(document.pointer(pointer).is_some(), "{reference}");
                }
                members.values().for_each(|member| check(member, document));
            }
            Value::Array(items) => items.iter().for_each(|item| check(item, document)),
            _ => {}
        }
    }
    let document = serde_json::to_value(server::openapi()).unwrap();
    check(&document, &document);
    let states = &document["components"]["schemas"]["TaskState"]["enum"];
    assert_eq!(
        states.as_array().unwrap().len(),
        queue::TaskState::ALL.len()
    );
}
