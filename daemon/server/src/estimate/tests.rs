#![allow(clippy::unwrap_used)]

use queue::{Pace, PlateRow, RootId, SubjectCounts, TaskCounts};

use super::*;

const NOW: i64 = 1_800_000_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(NOW + seconds).unwrap()
}

/// A job with so many tasks left, that takes so many seconds after so many executions.
fn job(name: &str, kind: SubjectKind, left: u64, pace: Option<(u64, f64)>) -> JobLoad {
    JobLoad {
        workflow: "cells".to_owned(),
        job: name.to_owned(),
        kind,
        tasks: TaskCounts {
            ready: left,
            ..TaskCounts::default()
        },
        pace: pace.map(|(executions, seconds)| Pace {
            executions,
            seconds,
            is_own: true,
        }),
    }
}

fn load(id: i64, state: PlateState, jobs: Vec<JobLoad>) -> PlateLoad {
    PlateLoad {
        plate: PlateRow {
            id: PlateId(id),
            root: RootId(1),
            key: String::new(),
            name: format!("plate {id}"),
            directory: "p".into(),
            output: "/out".into(),
            state,
            decided_by: None,
            detail: None,
            expected: Some(100),
            rows: None,
            columns: None,
            created_at: at(-1000),
            last_arrival: Some(at(0)),
            completed_at: None,
            finished_at: None,
        },
        image_sets: SubjectCounts {
            arriving: 0,
            complete: 100,
            incomplete: 0,
        },
        priority: 0,
        jobs,
    }
}

/// 50 image sets of 6 s and then the whole plate, 20 s.
fn ordinary(id: i64) -> PlateLoad {
    let jobs = vec![
        job("cells", SubjectKind::ImageSet, 50, Some((50, 4.0))),
        job("nuclei", SubjectKind::ImageSet, 50, Some((50, 2.0))),
        job("scores", SubjectKind::Plate, 1, Some((50, 20.0))),
    ];
    load(id, PlateState::Complete, jobs)
}

fn root(state: RootState) -> RootRow {
    RootRow {
        id: RootId(1),
        path: "/data".into(),
        name: "microscope".to_owned(),
        output: "/out".into(),
        workflow: "cells".to_owned(),
        state,
        mode: "auto".to_owned(),
        detail: None,
        updated_at: at(0),
    }
}

fn estimate(id: i64, loads: &[PlateLoad]) -> Estimate {
    with(id, loads, 2, &[], RootState::Online)
}

fn with(
    id: i64,
    loads: &[PlateLoad],
    workers: usize,
    holds: &[Hold],
    state: RootState,
) -> Estimate {
    let about = Circumstances {
        now: at(0),
        workers,
        holds,
        roots: &[root(state)],
        loads,
    };
    of_plate(PlateId(id), &about).unwrap()
}

fn hold(target: Target) -> Hold {
    Hold {
        target,
        holder: "user".to_owned(),
        reason: "lunch".to_owned(),
        at: at(0),
    }
}

/// Seconds in the middle of the range.
fn bounds(estimate: &Estimate) -> (f64, f64) {
    match estimate {
        Estimate::About { low, high, .. } => (low.as_secs_f64(), high.as_secs_f64()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn work_is_shared_by_the_workers_and_the_whole_plate_comes_last() {
    // 300 s on two workers, then 20 s on one.
    let told = estimate(1, &[ordinary(1)]);
    assert_eq!(bounds(&told), (170.0 * 0.9, 170.0 * 1.2));
    assert_eq!(told.text(), "about 3 min");
    assert_eq!(
        told.basis().unwrap(),
        "from 50 runs of each job of this plate, 2 workers"
    );
    let four = with(1, &[ordinary(1)], 4, &[], RootState::Online);
    assert_eq!(bounds(&four).0, 95.0 * 0.9);
}

#[test]
fn more_workers_do_not_make_one_image_set_faster() {
    let jobs = vec![job("cells", SubjectKind::ImageSet, 1, Some((50, 40.0)))];
    let told = with(
        1,
        &[load(1, PlateState::Complete, jobs)],
        64,
        &[],
        RootState::Online,
    );
    assert_eq!(bounds(&told).0, 36.0);
}

#[test]
fn plates_that_come_first_are_waited_for_unless_they_are_held() {
    let loads = [ordinary(1), ordinary(2)];
    // 320 s of the first on two workers, then its own 170 s.
    assert_eq!(bounds(&estimate(2, &loads)).0, 330.0 * 0.9);
    assert!(
        estimate(2, &loads)
            .basis()
            .unwrap()
            .ends_with("after 1 plate that comes first")
    );
    assert_eq!(bounds(&estimate(1, &loads)).0, 170.0 * 0.9);
    let paused = [hold(Target::Plate(PlateId(1)))];
    let told = with(2, &loads, 2, &paused, RootState::Online);
    assert_eq!(bounds(&told).0, 170.0 * 0.9);
}

#[test]
fn little_experience_is_a_wide_range() {
    let few = |executions, is_own| {
        let mut load = ordinary(1);
        for job in &mut load.jobs {
            job.pace = job.pace.map(|pace| Pace {
                executions,
                is_own,
                ..pace
            });
        }
        let told = estimate(1, &[load]);
        let (low, high) = bounds(&told);
        (high / low, told.basis().unwrap())
    };
    assert!((few(1, true).0 - 4.0).abs() < 1e-9);
    assert!((few(10, true).0 - 1.5 / 0.8).abs() < 1e-9);
    assert!((few(1000, false).0 - 1.5 / 0.8).abs() < 1e-9);
    assert!(few(1000, false).1.contains("of other plates"));
}

#[test]
fn what_never_ended_is_not_guessed() {
    let mut load = ordinary(1);
    for job in &mut load.jobs {
        job.pace = None;
    }
    let told = estimate(1, std::slice::from_ref(&load));
    assert_eq!(
        told.text(),
        "no estimate yet: no task of its workflow has ended yet"
    );
    load.jobs.clear();
    assert!(matches!(estimate(1, &[load]), Estimate::Unknown(_)));
    let told = with(1, &[ordinary(1)], 0, &[], RootState::Online);
    assert_eq!(told.text(), "no estimate yet: there are no workers");

    let mut load = ordinary(1);
    load.jobs[2].pace = None;
    let told = estimate(1, &[load]);
    assert_eq!(told.text(), "at least 2 min");
    assert!(
        told.basis()
            .unwrap()
            .ends_with("; without `scores`, which never ended yet")
    );
}

#[test]
fn what_is_held_says_by_whom() {
    let told = |target| with(1, &[ordinary(1)], 2, &[hold(target)], RootState::Online).text();
    assert_eq!(told(Target::All), "held: everything is paused (lunch)");
    assert_eq!(
        told(Target::Plate(PlateId(1))),
        "held: it is paused (lunch)"
    );
    assert_eq!(
        told(Target::Root(RootId(1))),
        "held: its folder is paused (lunch)"
    );
    assert!(told(Target::Plate(PlateId(9))).starts_with("about"));
    let offline = with(1, &[ordinary(1)], 2, &[], RootState::Offline);
    assert_eq!(offline.text(), "held: the folder microscope is offline");
}

#[test]
fn a_plate_is_not_done_before_its_images_came() {
    // 50 of 100 came in 1000 s, one in 20 s; each takes 6 s, the plate 20 s.
    let mut arriving = ordinary(1);
    arriving.plate.state = PlateState::Arriving;
    arriving.image_sets.complete = 50;
    for job in &mut arriving.jobs[..2] {
        job.tasks.ready = 1;
    }
    let told = estimate(1, std::slice::from_ref(&arriving));
    assert_eq!(bounds(&told).0, (50.0 * 20.0 + 26.0) * 0.9);
    assert!(matches!(
        told,
        Estimate::About {
            by_arrival: true,
            ..
        }
    ));
    assert!(told.basis().unwrap().contains("as fast as its images come"));

    // If each takes ten minutes, it is the work that takes longest: 52 of them on two workers.
    for job in &mut arriving.jobs[..2] {
        job.pace = Some(Pace {
            executions: 50,
            seconds: 300.0,
            is_own: true,
        });
    }
    let told = estimate(1, &[arriving]);
    assert_eq!(bounds(&told).0, (51.0 * 600.0 / 2.0 + 20.0) * 0.9);
    assert!(matches!(
        told,
        Estimate::About {
            by_arrival: false,
            ..
        }
    ));
}

#[test]
fn an_acquisition_that_stopped_is_said_to_have() {
    let mut arriving = ordinary(1);
    arriving.plate.state = PlateState::Arriving;
    arriving.image_sets.complete = 50;
    arriving.plate.created_at = at(-5000);
    arriving.plate.last_arrival = Some(at(-4000));
    assert_eq!(
        estimate(1, std::slice::from_ref(&arriving)).text(),
        "no estimate yet: nothing has come for 65 min, and 50 image sets are to come"
    );
    arriving.image_sets.complete = 1;
    assert!(estimate(1, &[arriving]).text().contains("too few"));
}

#[test]
fn nobody_knows_when_a_plate_of_unknown_size_ends() {
    let mut arriving = ordinary(1);
    arriving.plate.state = PlateState::Arriving;
    arriving.plate.expected = None;
    let told = estimate(1, std::slice::from_ref(&arriving));
    assert_eq!(told.text(), "at least 3 min");
    assert!(told.basis().unwrap().contains("what may still come"));
    arriving.plate.expected = Some(100);
    let told = estimate(1, &[arriving]);
    assert!(
        told.basis()
            .unwrap()
            .contains("until the plate is called complete")
    );
}

#[test]
fn a_plate_that_is_done_has_none() {
    let about = Circumstances {
        now: at(0),
        workers: 2,
        holds: &[],
        roots: &[],
        loads: &[],
    };
    assert_eq!(of_plate(PlateId(1), &about), None);
}
