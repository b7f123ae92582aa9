//! The committed reference is the one that the doc comments give.
#![allow(clippy::unwrap_used)]

use std::path::Path;

#[test]
fn the_committed_reference_is_current() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/configuration.md");
    let rendered = config::reference_markdown();
    if std::env::var_os("UPDATE_DOCS").is_some_and(|v| v == "1") {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, &rendered).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == rendered,
        "docs/reference/configuration.md is old; write it anew with `UPDATE_DOCS=1 cargo test -p config`"
    );
}

#[test]
fn every_option_is_explained() {
    let rendered = config::reference_markdown();
    for option in [
        "`state.dir`",
        "`server.token_file`",
        "`workers.gpu`",
        "`log.level`",
        "`root.plate_complete`",
        "`root.layout.rows`",
        "`workflow_dirs`",
    ] {
        assert!(
            rendered.contains(&format!("#### {option}\n\n")),
            "{option} is missing"
        );
    }
    for option in [
        "`name`",
        "`channels`",
        "`container.scale_factors`",
        "`z.projection`",
        "`job.input`",
        "`job.after`",
    ] {
        assert!(
            rendered.contains(&format!("#### {option}\n\n")),
            "{option} is missing"
        );
    }
    // A heading directly followed by the facts has no text of its own.
    assert!(
        !rendered.contains("`\n\n\n"),
        "an option has no description"
    );
}

#[test]
fn the_schemas_are_closed_and_name_their_draft() {
    for schema in [config::schema_daemon(), config::schema_workflow()] {
        assert_eq!(
            schema["$schema"],
            "https://json-schema.org/draft/2020-12/schema"
        );
        assert_eq!(schema["additionalProperties"], false);
    }
    assert_eq!(
        config::schema_daemon()["properties"]["root"]["items"]["required"],
        serde_json::json!(["path", "output", "workflow"])
    );
}
