//! What becomes of questions when the process that should answer does not.
#![allow(clippy::unwrap_used, missing_docs)]

use std::path::Path;
use std::time::Duration;

use viewer::{Ask, Error, ErrorClass, Identity, Question, SpawnOptions, Viewer};

fn viewer(script: &str) -> Viewer {
    let options = SpawnOptions {
        program: "/bin/sh".into(),
        arguments: vec!["-c".to_owned(), script.to_owned()],
        patience: Duration::from_millis(300),
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

#[tokio::test]
async fn one_that_hangs_or_dies_costs_its_answer_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.h5");
    std::fs::write(&file, b"a").unwrap();
    let answer =
        r#"read q; printf '{"content":{"kind":"text/plain","length":3,"meta":null}}\nyes'"#;
    for (script, reason) in [
        ("exec sleep 1000", "longer than"),
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
        let viewer = viewer(&format!(
            "if [ -e {marker} ]; then {answer}; else touch {marker}; {script}; fi"
        ));
        let error = ask(&viewer, &file).await.unwrap_err();
        assert!(error.to_string().contains(reason), "{script}: {error}");
        assert_eq!(error.class(), ErrorClass::Damaged);
        assert_eq!(ask(&viewer, &file).await.unwrap(), b"yes", "{script}");
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
    let viewer = viewer(&format!(
        r#"echo x >> {count}; n=$(wc -l < {count}); read q; printf '{{"content":{{"kind":"","length":1,"meta":null}}}}\n'"$n"; read q"#
    ));
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
