//! Many files at once, and lost events.

use crate::lab::{Lab, ROOT};
use std::fs;
use watch::Event;

fn storm(lab: &mut Lab, folders: usize, files: usize) {
    let mut names = Vec::new();
    for folder in 0..folders {
        fs::create_dir(lab.path(&folder.to_string())).unwrap();
        for file in 0..files {
            names.push(format!("{folder}/{file}"));
            lab.write(names.last().unwrap(), "END");
        }
    }
    lab.all_whole(names.clone());
    lab.everything_is_told("last");
    let reports = lab
        .seen
        .iter()
        .filter(|event| matches!(event, Event::Whole { .. } | Event::Changed { .. }))
        .count();
    assert_eq!(reports, names.len() + 1, "each exactly once");
}

#[test]
fn five_thousand_files_are_each_reported_once() {
    storm(&mut Lab::native(), 10, 500);
}

#[test]
fn five_thousand_files_are_each_reported_once_by_polling() {
    storm(&mut Lab::polling(), 10, 500);
}

#[test]
fn lost_events_are_made_up_for_by_a_scan() {
    let mut lab = Lab::new();
    lab.spec.event_queue = 1;
    lab.start();
    storm(&mut lab, 5, 100);
    assert!(
        lab.seen
            .iter()
            .any(|event| matches!(event, Event::Overflow { root: ROOT }))
    );
    assert!(lab.watcher().counters()[&ROOT].overflows > 0);
}
