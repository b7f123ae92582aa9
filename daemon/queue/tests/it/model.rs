//! The store against a model that is too simple to be wrong: after each random operation both must agree on
//! the state of every task and plate, and the store's own counters must add up.

mod world;

use std::time::Duration;

use proptest::prelude::*;
use queue::{PlateState, SubjectState};

use world::{JOBS, World};

#[derive(Clone, Debug)]
pub enum Operation {
    Subject {
        plate: usize,
        site: usize,
        state: SubjectState,
    },
    Plan {
        plate: usize,
        site: usize,
        change: Option<usize>,
    },
    PlanPlate {
        plate: usize,
    },
    Complete {
        plate: usize,
    },
    ReopenPlate {
        plate: usize,
    },
    Claim,
    Finish {
        pass: usize,
        outcomes: Vec<Ending>,
    },
    FinishOne {
        pass: usize,
        task: usize,
        outcome: Ending,
    },
    Heartbeat {
        pass: usize,
    },
    Advance {
        by: Duration,
    },
    Reap,
    RequeueFailed {
        plate: usize,
    },
    RequeueTask {
        task: usize,
    },
    Cancel {
        task: usize,
    },
    Pause,
    Resume,
    Restart,
}

#[derive(Clone, Copy, Debug)]
pub enum Ending {
    Success,
    Transient,
    Environment,
    Permanent,
    Skip,
    Crash,
    Interrupt,
    Cancel,
}

fn ending() -> impl Strategy<Value = Ending> {
    prop_oneof![
        8 => Just(Ending::Success),
        2 => Just(Ending::Transient),
        1 => Just(Ending::Environment),
        1 => Just(Ending::Permanent),
        1 => Just(Ending::Skip),
        2 => Just(Ending::Crash),
        1 => Just(Ending::Interrupt),
        1 => Just(Ending::Cancel),
    ]
}

fn operation() -> impl Strategy<Value = Operation> {
    let plate = 0..2_usize;
    let site = 0..3_usize;
    let state = prop_oneof![4 => Just(SubjectState::Complete), 1 => Just(SubjectState::Arriving)];
    let seconds = prop_oneof![Just(1), Just(10), Just(61), Just(300), Just(4000)];
    prop_oneof![
        3 => (plate.clone(), site.clone(), state).prop_map(|(plate, site, state)| Operation::Subject { plate, site, state }),
        5 => (plate.clone(), site, proptest::option::of(0..JOBS.len()))
            .prop_map(|(plate, site, change)| Operation::Plan { plate, site, change }),
        2 => plate.clone().prop_map(|plate| Operation::PlanPlate { plate }),
        2 => plate.clone().prop_map(|plate| Operation::Complete { plate }),
        1 => plate.clone().prop_map(|plate| Operation::ReopenPlate { plate }),
        8 => Just(Operation::Claim),
        8 => (0..4_usize, prop::collection::vec(ending(), 0..5))
            .prop_map(|(pass, outcomes)| Operation::Finish { pass, outcomes }),
        2 => (0..4_usize, 0..5_usize, ending())
            .prop_map(|(pass, task, outcome)| Operation::FinishOne { pass, task, outcome }),
        1 => (0..4_usize).prop_map(|pass| Operation::Heartbeat { pass }),
        4 => seconds.prop_map(|seconds| Operation::Advance { by: Duration::from_secs(seconds) }),
        1 => Just(Operation::Reap),
        2 => plate.prop_map(|plate| Operation::RequeueFailed { plate }),
        2 => (0..40_usize).prop_map(|task| Operation::RequeueTask { task }),
        1 => (0..40_usize).prop_map(|task| Operation::Cancel { task }),
        1 => Just(Operation::Pause),
        2 => Just(Operation::Resume),
        1 => Just(Operation::Restart),
    ]
}

/// Enough to find what tests by hand miss; a soak sets PROPTEST_CASES.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(64)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn store_and_model_agree(operations in prop::collection::vec(operation(), 1..60)) {
        let mut world = World::new();
        for operation in &operations {
            world.apply(operation);
            world.compare(operation);
        }
        // Whatever happened, the work can be brought to an end, with nothing left running or ready.
        world.drain();
        let plates = world.plate_states();
        prop_assert!(plates.iter().all(|state| !matches!(state, PlateState::Arriving | PlateState::Stale)));
    }
}

/// Found by the test above.
#[test]
fn a_late_plane_takes_back_what_ran_without_it() {
    use Operation::{Claim, Complete, Finish, Plan, PlanPlate, Subject};
    let mut world = World::new();
    let site = |state| Subject {
        plate: 1,
        site: 2,
        state,
    };
    for operation in [
        site(SubjectState::Arriving),
        PlanPlate { plate: 0 },
        Plan {
            plate: 1,
            site: 2,
            change: None,
        },
        Complete { plate: 1 },
        PlanPlate { plate: 1 },
        Claim,
        Claim,
        Finish {
            pass: 0,
            outcomes: vec![],
        },
        Finish {
            pass: 0,
            outcomes: vec![Ending::Success],
        },
        site(SubjectState::Complete),
    ] {
        world.apply(&operation);
        world.compare(&operation);
    }
}
