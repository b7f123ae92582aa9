//! Killing the process at any moment: what was acknowledged is there, and nothing is half done.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use queue::{Clock, Options, Store, TaskId, TaskState};

use crate::support::{Queue, chain, ids, image_set, new_plate, new_root, plan, request, succeeded};

const CHILD: &str = "QUEUE_CRASH_CHILD";

/// The victim: works on the queue until it is killed, and says what the store has acknowledged.
#[test]
#[ignore = "is started by `survives_kill_at_any_moment`"]
fn child() {
    let path = std::env::var_os(CHILD).expect("names the database");
    let store = Store::open(Path::new(&path), Options::default()).unwrap();
    store.boot().unwrap();
    let root = store.upsert_root(&new_root()).unwrap().id();
    let plate = store.upsert_plate(&new_plate(root, "p")).unwrap().id();
    let say = |line: String| std::io::stdout().write_all(line.as_bytes()).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for index in 0.. {
                let name = format!("A01-{}-{index:06}", std::process::id());
                let subject = store
                    .upsert_subject(&image_set(plate, &name, queue::SubjectState::Complete))
                    .unwrap()
                    .id();
                let tasks = ids(&store.put_tasks(&plan(subject, chain())).unwrap());
                say(format!("@planned {}\n", tasks[2]));
            }
        });
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    if let Some(pass) = store.claim_pass(&request()).unwrap() {
                        let reports: Vec<_> =
                            pass.tasks.iter().map(|task| succeeded(task.id)).collect();
                        store.finish_pass(pass.id, &reports, None).unwrap();
                        let lines = reports
                            .iter()
                            .map(|report| format!("@succeeded {}\n", report.task));
                        say(lines.collect());
                    }
                }
            });
        }
    });
}

#[test]
fn survives_kill_at_any_moment() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queue.db");
    let mut acknowledged: HashMap<TaskId, bool> = HashMap::new();
    for round in 0..6_usize {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "crash::child",
                "--ignored",
                "--nocapture",
                "--test-threads=1",
            ])
            .env(CHILD, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut text = String::new();
        // Another moment in each round; the first is during the very first changes.
        for _ in 0..1 + round * 23 {
            assert!(
                lines.read_line(&mut text).unwrap() > 0,
                "the child ended by itself"
            );
        }
        child.kill().unwrap();
        child.wait().unwrap();
        lines.read_to_string(&mut text).unwrap();
        // The test harness shares stdout; a line that the kill cut short acknowledges nothing.
        for line in text
            .split_inclusive('\n')
            .filter_map(|line| line.split_once('@'))
            .map(|(_, line)| line)
        {
            if let Some((word, id)) = line
                .strip_suffix('\n')
                .and_then(|line| line.split_once(' '))
            {
                *acknowledged.entry(id.parse().unwrap()).or_default() |= word == "succeeded";
            }
        }

        let store = Store::open(&path, Options::default()).unwrap();
        assert_eq!(
            store.check().unwrap(),
            Vec::<String>::new(),
            "round {round}"
        );
        for (task, succeeded) in &acknowledged {
            let row = store.task(*task).unwrap().task;
            assert!(
                !succeeded || row.state == TaskState::Succeeded,
                "round {round}: task {task} is {}",
                row.state
            );
        }
        let running = store.status().unwrap().tasks.running as usize;
        assert_eq!(store.boot().unwrap().tasks.len(), running);
        assert_eq!(store.status().unwrap().tasks.running, 0);
        assert_eq!(
            store.check().unwrap(),
            Vec::<String>::new(),
            "round {round}, after recovery"
        );
    }
    assert!(
        acknowledged.values().any(|succeeded| *succeeded),
        "the children got somewhere"
    );
}

#[test]
fn what_ran_when_the_daemon_died_is_ready_again_and_uncharged() {
    let queue = Queue::new();
    let plate = queue.plate("p");
    let tasks = ids(&queue.put(queue.image_set(plate, "A01-0001"), chain()));
    let pass = queue.claim().unwrap();
    queue
        .store
        .finish_tasks(pass.id, &[succeeded(tasks[0])])
        .unwrap();
    let queue = queue.reopen();
    let states: Vec<_> = tasks.iter().map(|task| queue.state(*task)).collect();
    assert_eq!(
        states,
        [TaskState::Succeeded, TaskState::Ready, TaskState::Waiting]
    );
    let row = queue.store.task(tasks[1]).unwrap().task;
    assert_eq!((row.attempts, row.interruptions), (0, 1));
    let attempt = &queue.store.attempts(tasks[1]).unwrap()[0];
    assert_eq!(attempt.outcome, queue::AttemptOutcome::Interrupted);
    assert!(
        queue.store.boot().unwrap().passes.is_empty(),
        "booting twice interrupts nobody"
    );
    queue.assert_sound();
    queue.run_all();
    assert_eq!(queue.state(tasks[2]), TaskState::Succeeded);
}

#[test]
fn a_clock_that_was_set_back_does_not_put_retries_off_for_years() {
    let queue = Queue::new();
    let plate = queue.plate("p");
    let tasks = ids(&queue.put(queue.image_set(plate, "A01-0001"), chain()));
    queue
        .clock
        .advance(std::time::Duration::from_secs(10 * 365 * 86_400));
    let pass = queue.claim().unwrap();
    queue.finish(
        pass.id,
        vec![crate::support::failed(
            tasks[0],
            queue::FailureClass::Transient,
        )],
    );
    let Queue { folder, store, .. } = queue;
    drop(store);
    let clock = Clock::manual(1_700_000_000_000);
    let store = crate::support::open(&folder, &clock);
    clock.advance(std::time::Duration::from_secs(2 * 3600));
    assert!(store.claim_pass(&request()).unwrap().is_some());
}
