//! What becomes of questions when the process that should answer does not.
#![allow(clippy::unwrap_used, missing_docs)]

use std::path::Path;
use std::time::Duration;

use viewer::{Ask, Error, ErrorClass, Identity, Question, SpawnOptions, Viewer};

/// What nobody waits for in vain.
const PATIENCE: Duration = Duration::from_secs(600);

fn viewer(script: &str, patience: Duration) -> Viewer {
    let options = SpawnOptions {
        program: "/bin/sh".into(),
        arguments: vec!["-c".to_owned(), script.to_owned()],
        patience,
    };
    Viewer::new(options, 1)
}

async fn ask(viewer: &Viewer, path: &Path) -> Result<Vec<u8>, Error> {
    let question = Question {
        path: path.to_owned(),
        ask: Ask::Contents,
    };
    let identity = Identity::of(path)?;
    viewer
        .ask(question, identity)
        .await
        .map(|answer| answer.bytes.clone())
}

const HANGS: &str = "exec sleep 1000";

#[tokio::test]
async fn one_that_hangs_or_dies_costs_its_answer_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.h5");
    std::fs::write(&file, b"a").unwrap();
    let answer =
        r#"read q; printf '{"content":{"kind":"text/plain","length":3,"meta":null}}\nyes'"#;
    for (script, reason) in [
        (HANGS, "longer than"),
        ("exit 3", "exit status: 3"),
        ("kill -SEGV $$", "signal: 11"),
        ("echo nonsense; exec sleep 1000", "expected"),
        (
            r#"read q; printf '{"content":{"kind":"","length":9,"meta":null}}\nyes'"#,
            "eof",
        ),
        (
            r#"read q; printf '{"content":{"kind":"","length":9999999999,"meta":null}}\n'"#,
            "bytes",
        ),
    ] {
        // The first process does as the script says; the marker lets the next one answer.
        let marker = folder.path().join("marker");
        let _ = std::fs::remove_file(&marker);
        let marker = marker.display();
        let script_and_answer =
            format!("if [ -e {marker} ]; then {answer}; else touch {marker}; {script}; fi");
        let patience = if script == HANGS {
            Duration::from_millis(300)
        } else {
            PATIENCE
        };
        let viewer = viewer(&script_and_answer, patience);
        let failed = |error: &Error| {
            assert!(error.to_string().contains(reason), "{script}: {error}");
            assert_eq!(error.class(), ErrorClass::Damaged);
        };
        failed(&ask(&viewer, &file).await.unwrap_err());
        let answer = loop {
            match ask(&viewer, &file).await {
                // On a machine that stands still for a moment this one, too, takes longer than so short a patience.
                Err(error) if script == HANGS => failed(&error),
                answer => break answer.unwrap(),
            }
        };
        assert_eq!(answer, b"yes", "{script}");
    }
}

#[tokio::test]
async fn an_answer_is_remembered_until_the_file_is_another() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.h5");
    std::fs::write(&file, b"a").unwrap();
    // Each process answers once, with how many came before it.
    let count = folder.path().join("count");
    let count = count.display();
    let script = format!(
        r#"echo x >> {count}; n=$(wc -l < {count}); read q; printf '{{"content":{{"kind":"","length":1,"meta":null}}}}\n'"$n"; read q"#
    );
    let viewer = viewer(&script, PATIENCE);
    assert_eq!(ask(&viewer, &file).await.unwrap(), b"1");
    assert_eq!(ask(&viewer, &file).await.unwrap(), b"1");
    // Published anew: another file under the name.
    let new = folder.path().join("new");
    std::fs::write(&new, b"a").unwrap();
    std::fs::rename(&new, &file).unwrap();
    // The process of the first answer ends at the second question, which costs it this answer.
    let _ = ask(&viewer, &file).await;
    assert_eq!(ask(&viewer, &file).await.unwrap(), b"2");
    std::fs::remove_file(&file).unwrap();
    let error = ask(&viewer, &file).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Missing);
}
