//! Many threads on one store.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use queue::{Error, TaskState};

use crate::support::{Queue, chain, image_set, succeeded};

#[test]
fn nothing_is_claimed_twice_by_many_workers() {
    let queue = Queue::new();
    let plate = queue.plate("p");
    for index in 0..60 {
        queue.put(queue.image_set(plate, &format!("A01-{index:04}")), chain());
    }
    let seen = Mutex::new(HashSet::new());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while let Some(pass) = queue.claim() {
                    for task in &pass.tasks {
                        assert!(
                            seen.lock().unwrap().insert(task.id),
                            "task {} was claimed twice",
                            task.id
                        );
                    }
                    queue.finish(
                        pass.id,
                        pass.tasks.iter().map(|task| succeeded(task.id)).collect(),
                    );
                }
            });
        }
    });
    assert_eq!(seen.into_inner().unwrap().len(), 180);
    assert_eq!(queue.store.status().unwrap().tasks.succeeded, 180);
    queue.assert_sound();
}

#[test]
fn a_failing_change_does_not_take_its_group_along() {
    let queue = Queue::new();
    let plate = queue.plate("p");
    let refused = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for worker in 0..8 {
            let (queue, refused) = (&queue, &refused);
            scope.spawn(move || {
                for index in 0..25 {
                    let name = format!("A01-{worker}{index:03}");
                    let result = queue.store.transaction(|transaction| {
                        let new = image_set(plate, &name, queue::SubjectState::Complete);
                        transaction.upsert_subject(&new)?;
                        if index % 5 == 0 {
                            return Err(Error::NotFound {
                                what: "patience",
                                id: name.clone(),
                            });
                        }
                        Ok(())
                    });
                    match result {
                        Ok(()) => assert_ne!(index % 5, 0),
                        Err(Error::NotFound {
                            what: "patience", ..
                        }) => {
                            refused.fetch_add(1, Ordering::SeqCst);
                        }
                        Err(other) => panic!("{other}"),
                    }
                }
            });
        }
    });
    assert_eq!(refused.into_inner(), 40);
    let wells = queue.store.wells(plate).unwrap();
    assert_eq!(
        wells[0].image_sets.complete, 160,
        "exactly the accepted ones are there"
    );
    queue.assert_sound();
}

#[test]
fn a_panic_in_a_change_is_undone_and_the_store_goes_on() {
    let queue = Queue::new();
    let plate = queue.plate("p");
    let store = queue.store.clone();
    let panicked = std::thread::spawn(move || {
        let _ = store.transaction(|transaction| -> queue::Result<()> {
            transaction.upsert_subject(&image_set(
                plate,
                "A01-0001",
                queue::SubjectState::Complete,
            ))?;
            panic!("on purpose");
        });
    })
    .join();
    assert!(panicked.is_err());
    assert_eq!(queue.store.wells(plate).unwrap(), []);
    queue.put(queue.image_set(plate, "A01-0001"), chain());
    assert_eq!(queue.run_one().tasks[0].state, TaskState::Running);
    queue.assert_sound();
}
