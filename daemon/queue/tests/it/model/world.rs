//! The model: states are found by looking at the whole graph each time, with no counter kept.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use queue::{
    Error, FailureClass, Gate, NewTask, Outcome, PassId, PlateId, PlateState, Require, SubjectId,
    SubjectState, Target, TaskFilter, TaskId, TaskReport, TaskState, Upstream,
};

use super::{Ending, Operation};
use crate::support::{
    LEASE, Queue, crashed, failed, image_set, interrupted, skipped, succeeded, task,
};

/// Jobs of an image set: a -> b -> c, a -> d.
pub const JOBS: [&str; 4] = ["a", "b", "c", "d"];

struct Task {
    id: TaskId,
    plate: usize,
    subject: SubjectId,
    job: String,
    position: i64,
    gate: Gate,
    /// Jobs of the same subject.
    needs: Vec<String>,
    /// Job of the whole plate.
    pattern: Option<(String, Require)>,
    state: TaskState,
    ready_at: Option<i64>,
    attempts: u32,
    crashes: u32,
    interruptions: u32,
    outdated: bool,
    stopping: bool,
}

struct Pass {
    id: PassId,
    subject: SubjectId,
    tasks: Vec<TaskId>,
    lease_until: i64,
}

struct Plate {
    id: PlateId,
    state: PlateState,
    whole: Option<SubjectId>,
}

pub struct World {
    queue: Option<Queue>,
    plates: Vec<Plate>,
    subjects: HashMap<SubjectId, SubjectState>,
    sites: HashMap<(usize, usize), SubjectId>,
    versions: HashMap<(usize, usize), [u32; 4]>,
    tasks: Vec<Task>,
    passes: Vec<Pass>,
    paused: bool,
}

impl World {
    pub fn new() -> Self {
        let queue = Queue::new();
        let plates = ["p", "q"].map(|key| Plate {
            id: queue.plate(key),
            state: PlateState::Arriving,
            whole: None,
        });
        Self {
            queue: Some(queue),
            plates: plates.into(),
            subjects: HashMap::new(),
            sites: HashMap::new(),
            versions: HashMap::new(),
            tasks: Vec::new(),
            passes: Vec::new(),
            paused: false,
        }
    }

    fn queue(&self) -> &Queue {
        self.queue.as_ref().unwrap()
    }

    fn now(&self) -> i64 {
        self.queue().clock.now()
    }

    pub fn plate_states(&self) -> Vec<PlateState> {
        self.plates.iter().map(|plate| plate.state).collect()
    }

    // The graph, by definition.

    fn upstream(&self, index: usize) -> Vec<(usize, Require)> {
        let own = &self.tasks[index];
        let mut found = Vec::new();
        for (other, task) in self.tasks.iter().enumerate() {
            if task.subject == own.subject && own.needs.contains(&task.job) {
                found.push((other, Require::Succeeded));
            } else if let Some((job, require)) = &own.pattern
                && task.plate == own.plate
                && task.job == *job
            {
                found.push((other, *require));
            }
        }
        found
    }

    fn gate_is(&self, index: usize) -> (bool, bool) {
        let task = &self.tasks[index];
        let subject = self.subjects[&task.subject];
        match task.gate {
            Gate::None => (true, false),
            Gate::SubjectComplete => (
                subject == SubjectState::Complete,
                subject == SubjectState::Incomplete,
            ),
            Gate::PlateComplete => (self.plates[task.plate].state.is_complete(), false),
        }
    }

    fn is_dead(&self, index: usize) -> bool {
        match self.tasks[index].state {
            TaskState::Failed | TaskState::Quarantined | TaskState::Cancelled => true,
            TaskState::Waiting => {
                self.gate_is(index).1
                    || self
                        .upstream(index)
                        .iter()
                        .any(|(up, require)| *require == Require::Succeeded && self.is_dead(*up))
            }
            _ => false,
        }
    }

    fn unmet(&self, index: usize) -> Vec<usize> {
        let upstream = self.upstream(index).into_iter();
        upstream
            .filter(|(up, require)| {
                let succeeded = self.tasks[*up].state == TaskState::Succeeded;
                !(succeeded || *require == Require::Settled && self.is_dead(*up))
            })
            .map(|(up, _)| up)
            .collect()
    }

    fn in_order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.tasks.len()).collect();
        order.sort_by_key(|index| (self.tasks[*index].position, self.tasks[*index].id));
        order
    }

    /// Brings every resting task to the state that follows from the others.
    fn settle(&mut self) {
        for index in self.in_order() {
            let free = self.unmet(index).is_empty() && self.gate_is(index).0;
            let now = self.now();
            let task = &mut self.tasks[index];
            task.state = match task.state {
                TaskState::Waiting | TaskState::Ready | TaskState::Retrying if !free => {
                    TaskState::Waiting
                }
                TaskState::Waiting if task.ready_at.is_some_and(|at| at > now) => {
                    TaskState::Retrying
                }
                TaskState::Waiting => TaskState::Ready,
                other => other,
            };
        }
    }

    fn settle_plates(&mut self) {
        for index in 0..self.plates.len() {
            if !self.plates[index].state.is_complete() {
                continue;
            }
            let tasks: Vec<usize> = (0..self.tasks.len())
                .filter(|task| self.tasks[*task].plate == index)
                .collect();
            let good = tasks
                .iter()
                .filter(|task| self.tasks[**task].state == TaskState::Succeeded)
                .count();
            let dead = tasks.iter().filter(|task| self.is_dead(**task)).count();
            let given_up = self.sites.iter().any(|((plate, _), subject)| {
                *plate == index && self.subjects[subject] == SubjectState::Incomplete
            });
            self.plates[index].state = if good + dead < tasks.len() {
                PlateState::Complete
            } else if dead > 0 || given_up {
                PlateState::DoneWithFailures
            } else if tasks.is_empty() {
                PlateState::Complete
            } else {
                PlateState::Done
            };
        }
    }

    fn start_over(&mut self, mut seeds: Vec<usize>) {
        seeds.sort_by_key(|index| self.tasks[*index].position);
        for seed in &seeds {
            self.reset(*seed);
        }
        let mut reached: BTreeSet<usize> = seeds.iter().copied().collect();
        let mut behind = Vec::new();
        for index in self.in_order() {
            if !reached.contains(&index)
                && self
                    .upstream(index)
                    .iter()
                    .any(|(up, _)| reached.contains(up))
            {
                reached.insert(index);
                let task = &self.tasks[index];
                let put_off = task.state == TaskState::Waiting && task.ready_at.is_some();
                behind.push((index, task.state, put_off));
            }
        }
        for (index, state, put_off) in behind {
            if put_off
                || !matches!(
                    state,
                    TaskState::Waiting | TaskState::Quarantined | TaskState::Cancelled
                )
            {
                self.reset(index);
            }
        }
    }

    fn reset(&mut self, index: usize) {
        let task = &mut self.tasks[index];
        if task.state == TaskState::Running {
            task.outdated = true;
            return;
        }
        task.state = TaskState::Waiting;
        (
            task.ready_at,
            task.attempts,
            task.crashes,
            task.interruptions,
        ) = (None, 0, 0, 0);
        self.settle();
    }

    // Operations, on both sides.

    pub fn apply(&mut self, operation: &Operation) {
        match operation {
            Operation::Subject { plate, site, state } => self.put_subject(*plate, *site, *state),
            Operation::Plan {
                plate,
                site,
                change,
            } => self.plan_site(*plate, *site, *change),
            Operation::PlanPlate { plate } => self.plan_plate(*plate),
            Operation::Complete { plate } => self.complete(*plate),
            Operation::ReopenPlate { plate } => self.reopen_plate(*plate),
            Operation::Claim => {
                self.claim();
            }
            Operation::Finish { pass, outcomes } => self.finish(*pass, outcomes),
            Operation::FinishOne {
                pass,
                task,
                outcome,
            } => self.finish_one(*pass, *task, *outcome),
            Operation::Heartbeat { pass } => self.heartbeat(*pass),
            Operation::Advance { by } => self.queue().clock.advance(*by),
            Operation::Reap => self.reap(),
            Operation::RequeueFailed { plate } => self.requeue_failed(*plate),
            Operation::RequeueTask { task } => self.requeue_task(*task),
            Operation::Cancel { task } => self.cancel(*task),
            Operation::Pause => {
                self.paused = true;
                self.queue()
                    .store
                    .pause(Target::All, "user", "test")
                    .unwrap();
            }
            Operation::Resume => {
                self.paused = false;
                self.queue().store.resume(Target::All, "user").unwrap();
            }
            Operation::Restart => self.restart(),
        }
        self.settle();
        self.settle_plates();
    }

    fn put_subject(&mut self, plate: usize, site: usize, state: SubjectState) {
        // As the daemon does when more of a complete plate comes: what ran without it starts over.
        let known = self
            .sites
            .get(&(plate, site))
            .and_then(|id| self.subjects.get(id));
        if known.is_some_and(|known| *known != state) {
            self.reopen_plate(plate);
        }
        let subject = image_set(self.plates[plate].id, &format!("A01-{site:04}"), state);
        let id = self.queue().store.upsert_subject(&subject).unwrap().id();
        self.sites.insert((plate, site), id);
        self.subjects.insert(id, state);
    }

    fn plan_site(&mut self, plate: usize, site: usize, change: Option<usize>) {
        let Some(&subject) = self.sites.get(&(plate, site)) else {
            return;
        };
        let versions = self.versions.entry((plate, site)).or_default();
        if let Some(job) = change {
            // Keys contain the keys of what is upstream.
            for (index, version) in versions.iter_mut().enumerate() {
                *version += u32::from(index == job || job == 0 || (job == 1 && index == 2));
            }
        }
        let versions = *versions;
        let new = [
            task("a", 1, &[]),
            task("b", 2, &["a"]),
            task("c", 3, &["b"]),
            task("d", 4, &["a"]),
        ];
        let tasks = new.into_iter().zip(versions).map(|(new, version)| NewTask {
            gate: if new.job == "a" {
                Gate::SubjectComplete
            } else {
                Gate::None
            },
            key: Some(format!("{}:{version}", new.job)),
            ..new
        });
        self.put(plate, subject, tasks.collect());
    }

    fn plan_plate(&mut self, plate: usize) {
        let subject = self.queue().plate_subject(self.plates[plate].id);
        self.plates[plate].whole = Some(subject);
        self.subjects.insert(subject, SubjectState::Complete);
        let on = |job: &str, require| {
            vec![Upstream::Plate {
                job: job.into(),
                require,
            }]
        };
        let scores = NewTask {
            gate: Gate::PlateComplete,
            upstream: on("c", Require::Settled),
            ..task("scores", 10, &[])
        };
        let strict = NewTask {
            upstream: on("d", Require::Succeeded),
            ..task("strict", 11, &[])
        };
        let report = task("report", 12, &["scores"]);
        self.put(plate, subject, vec![scores, strict, report]);
    }

    fn put(&mut self, plate: usize, subject: SubjectId, tasks: Vec<NewTask>) {
        let before: HashMap<String, Option<String>> = self
            .tasks
            .iter()
            .filter(|task| task.subject == subject)
            .map(|task| {
                (
                    task.job.clone(),
                    self.queue().store.task(task.id).unwrap().task.key,
                )
            })
            .collect();
        let planned = self.queue().put(subject, tasks.clone());
        for new in tasks {
            let id = planned.iter().find(|task| task.job == new.job).unwrap().id;
            match before.get(&new.job) {
                None => self.create(plate, subject, id, new),
                Some(key) if *key != new.key => {
                    let index = self.index(id);
                    if self.tasks[index].state != TaskState::Cancelled {
                        self.start_over(vec![index]);
                    }
                }
                Some(_) => {}
            }
        }
    }

    fn create(&mut self, plate: usize, subject: SubjectId, id: TaskId, new: NewTask) {
        let mut needs = Vec::new();
        let mut pattern = None;
        for upstream in new.upstream {
            match upstream {
                Upstream::Job(job) => needs.push(job),
                Upstream::Plate { job, require } => pattern = Some((job, require)),
                other => panic!("the model does not know {other:?}"),
            }
        }
        let behind: Vec<(usize, TaskState)> = (0..self.tasks.len())
            .filter(|index| {
                let task = &self.tasks[*index];
                task.plate == plate
                    && task
                        .pattern
                        .as_ref()
                        .is_some_and(|(job, _)| *job == new.job)
            })
            .map(|index| (index, self.tasks[index].state))
            .collect();
        self.tasks.push(Task {
            id,
            plate,
            subject,
            job: new.job,
            position: new.position,
            gate: new.gate,
            needs,
            pattern,
            state: TaskState::Waiting,
            ready_at: None,
            attempts: 0,
            crashes: 0,
            interruptions: 0,
            outdated: false,
            stopping: false,
        });
        self.settle();
        for (index, state) in behind {
            use TaskState::{Cancelled, Quarantined, Ready, Waiting};
            if !matches!(state, Waiting | Ready | Quarantined | Cancelled) {
                self.start_over(vec![index]);
            }
        }
    }

    fn complete(&mut self, plate: usize) {
        self.queue()
            .store
            .complete_plate(self.plates[plate].id, "test", None)
            .unwrap();
        let sites = self
            .sites
            .iter()
            .filter(|((of, _), _)| *of == plate)
            .map(|(_, subject)| *subject);
        for subject in sites.collect::<Vec<_>>() {
            let state = self.subjects.get_mut(&subject).unwrap();
            if *state == SubjectState::Arriving {
                *state = SubjectState::Incomplete;
            }
        }
        if !self.plates[plate].state.is_complete() {
            self.plates[plate].state = PlateState::Complete;
        }
    }

    fn reopen_plate(&mut self, plate: usize) {
        self.queue()
            .store
            .reopen_plate(self.plates[plate].id, None)
            .unwrap();
        self.plates[plate].state = match self.plates[plate].state {
            PlateState::Complete => PlateState::Arriving,
            PlateState::Done | PlateState::DoneWithFailures => PlateState::Stale,
            _ => return,
        };
        self.settle();
        let ended = (0..self.tasks.len()).filter(|index| {
            let task = &self.tasks[*index];
            task.plate == plate
                && task.gate == Gate::PlateComplete
                && !matches!(
                    task.state,
                    TaskState::Waiting | TaskState::Quarantined | TaskState::Cancelled
                )
        });
        self.start_over(ended.collect());
    }

    fn claim(&mut self) -> bool {
        let pass = self.queue().claim();
        let now = self.now();
        for task in &mut self.tasks {
            if task.state == TaskState::Retrying && task.ready_at.is_some_and(|at| at <= now) {
                (task.state, task.ready_at) = (TaskState::Ready, None);
            }
        }
        let expected = self.expected_claim();
        let found = pass
            .as_ref()
            .map(|pass| pass.tasks.iter().map(|task| task.id).collect::<Vec<_>>());
        assert_eq!(found, expected, "claimed and expected");
        let Some(pass) = pass else { return false };
        let tasks = expected.unwrap();
        for id in &tasks {
            let index = self.index(*id);
            let task = &mut self.tasks[index];
            (task.state, task.ready_at, task.outdated, task.stopping) =
                (TaskState::Running, None, false, false);
        }
        let lease_until = now + i64::try_from(LEASE.as_millis()).unwrap();
        self.passes.push(Pass {
            id: pass.id,
            subject: pass.subject.id,
            tasks,
            lease_until,
        });
        true
    }

    /// The best ready task, and the tasks of its subject that wait for nothing but what is claimed with it.
    fn expected_claim(&self) -> Option<Vec<TaskId>> {
        if self.paused {
            return None;
        }
        let busy: BTreeSet<SubjectId> = self.passes.iter().map(|pass| pass.subject).collect();
        let ready = self
            .tasks
            .iter()
            .filter(|task| task.state == TaskState::Ready && !busy.contains(&task.subject));
        let best = ready.min_by_key(|task| (self.plates[task.plate].id, task.id))?;
        let mut claimed = Vec::new();
        for index in self
            .in_order()
            .into_iter()
            .filter(|index| self.tasks[*index].subject == best.subject)
        {
            let task = &self.tasks[index];
            let comes_along = match task.state {
                TaskState::Ready => true,
                TaskState::Waiting => {
                    self.gate_is(index).0
                        && !self.is_dead(index)
                        && task.ready_at.is_none_or(|at| at <= self.now())
                        && self
                            .unmet(index)
                            .iter()
                            .all(|up| claimed.contains(&self.tasks[*up].id))
                }
                _ => false,
            };
            if comes_along {
                claimed.push(task.id);
            }
        }
        Some(claimed)
    }

    fn finish(&mut self, pass: usize, outcomes: &[Ending]) {
        if self.passes.is_empty() {
            return;
        }
        let pass = self.passes.remove(pass % self.passes.len());
        let reports: Vec<TaskReport> = pass
            .tasks
            .iter()
            .zip(outcomes)
            .map(|(task, ending)| report(*task, *ending))
            .collect();
        self.queue()
            .store
            .finish_pass(pass.id, &reports, None)
            .unwrap();
        let twice = self.queue().store.finish_pass(pass.id, &reports, None);
        assert!(matches!(twice, Err(Error::PassEnded { .. })));
        for (task, ending) in pass.tasks.iter().zip(outcomes) {
            self.end(*task, *ending);
        }
        for task in pass.tasks.iter().skip(outcomes.len()) {
            self.end(*task, Ending::Interrupt);
        }
    }

    fn finish_one(&mut self, pass: usize, task: usize, ending: Ending) {
        if self.passes.is_empty() {
            return;
        }
        let pass = pass % self.passes.len();
        let Pass { id, tasks, .. } = &mut self.passes[pass];
        let (id, task) = (*id, tasks.remove(task % tasks.len()));
        if tasks.is_empty() {
            self.passes.remove(pass);
        }
        self.queue()
            .store
            .finish_tasks(id, &[report(task, ending)])
            .unwrap();
        self.end(task, ending);
    }

    fn end(&mut self, id: TaskId, ending: Ending) {
        let index = self.index(id);
        let waits = !self.unmet(index).is_empty();
        let row = self.queue().store.task(id).unwrap().task;
        let task = &mut self.tasks[index];
        assert_eq!(task.state, TaskState::Running);
        task.state = TaskState::Waiting;
        task.ready_at = None;
        // The delay is the store's to choose; that it grows is tested elsewhere.
        let later = row.ready_at.map(|at| at.as_millisecond());
        match ending {
            Ending::Crash => {
                task.crashes += 1;
                if task.crashes == 3 {
                    task.state = TaskState::Quarantined;
                } else if task.stopping {
                    task.state = TaskState::Cancelled;
                } else {
                    task.ready_at = later;
                }
            }
            _ if task.stopping && !matches!(ending, Ending::Success) => {
                task.state = TaskState::Cancelled;
            }
            _ if task.outdated => {}
            Ending::Success if waits => {}
            Ending::Success => {
                task.state = TaskState::Succeeded;
                task.attempts += 1;
            }
            Ending::Transient => {
                task.attempts += 1;
                assert!(task.attempts <= 3, "attempts never exceed the limit");
                if task.attempts == 3 {
                    task.state = TaskState::Failed;
                } else {
                    task.ready_at = later;
                }
            }
            Ending::Environment => task.ready_at = later,
            Ending::Permanent => {
                task.attempts += 1;
                task.state = TaskState::Failed;
            }
            Ending::Skip => {}
            Ending::Interrupt => task.interruptions += 1,
            Ending::Cancel => task.state = TaskState::Cancelled,
        }
        (task.outdated, task.stopping) = (false, false);
        self.settle();
    }

    fn heartbeat(&mut self, pass: usize) {
        if self.passes.is_empty() {
            return;
        }
        let (pass, now) = (pass % self.passes.len(), self.now());
        self.queue()
            .store
            .heartbeat(self.passes[pass].id, LEASE)
            .unwrap();
        self.passes[pass].lease_until = now + i64::try_from(LEASE.as_millis()).unwrap();
    }

    fn reap(&mut self) {
        let reaped = self.queue().store.reap_expired().unwrap();
        let now = self.now();
        let (expired, alive): (Vec<_>, Vec<_>) = std::mem::take(&mut self.passes)
            .into_iter()
            .partition(|pass| pass.lease_until < now);
        self.passes = alive;
        assert_eq!(reaped.passes.len(), expired.len());
        self.interrupt(expired);
    }

    fn restart(&mut self) {
        self.queue = self.queue.take().map(Queue::reopen);
        let passes = std::mem::take(&mut self.passes);
        self.interrupt(passes);
    }

    fn interrupt(&mut self, passes: Vec<Pass>) {
        for task in passes.into_iter().flat_map(|pass| pass.tasks) {
            self.end(task, Ending::Interrupt);
        }
    }

    fn requeue_failed(&mut self, plate: usize) {
        let wanted: Vec<usize> = (0..self.tasks.len())
            .filter(|index| {
                let task = &self.tasks[*index];
                task.plate == plate
                    && matches!(task.state, TaskState::Failed | TaskState::Quarantined)
            })
            .collect();
        let filter = TaskFilter::plate(self.plates[plate].id);
        let requeued = self.queue().store.requeue(&filter, None, false).unwrap();
        assert_eq!(requeued.len(), wanted.len());
        self.start_over(wanted);
        assert_eq!(
            self.queue().store.requeue(&filter, None, false).unwrap(),
            [],
            "requeueing again does nothing"
        );
    }

    fn requeue_task(&mut self, task: usize) {
        if self.tasks.is_empty() {
            return;
        }
        let index = task % self.tasks.len();
        let result =
            self.queue()
                .store
                .requeue(&TaskFilter::task(self.tasks[index].id), None, false);
        match self.tasks[index].state {
            TaskState::Running => assert!(matches!(result, Err(Error::Running { .. }))),
            TaskState::Waiting | TaskState::Ready => assert_eq!(result.unwrap(), []),
            _ => {
                assert_eq!(result.unwrap(), [self.tasks[index].id]);
                self.start_over(vec![index]);
            }
        }
    }

    fn cancel(&mut self, task: usize) {
        if self.tasks.is_empty() {
            return;
        }
        let index = task % self.tasks.len();
        self.queue()
            .store
            .cancel(&TaskFilter::task(self.tasks[index].id))
            .unwrap();
        let task = &mut self.tasks[index];
        match task.state {
            TaskState::Waiting | TaskState::Ready | TaskState::Retrying => {
                (task.state, task.ready_at) = (TaskState::Cancelled, None);
            }
            TaskState::Running => task.stopping = true,
            _ => {}
        }
    }

    fn index(&self, id: TaskId) -> usize {
        self.tasks.iter().position(|task| task.id == id).unwrap()
    }

    // Agreement.

    pub fn compare(&self, operation: &Operation) {
        let store = &self.queue().store;
        for (index, task) in self.tasks.iter().enumerate() {
            let row = store.task(task.id).unwrap().task;
            let found = (
                row.state,
                row.attempts,
                row.crashes,
                row.interruptions,
                row.blocked,
            );
            let dead = task.state == TaskState::Waiting && self.is_dead(index);
            let expected = (
                task.state,
                task.attempts,
                task.crashes,
                task.interruptions,
                dead,
            );
            assert_eq!(
                found, expected,
                "task {} ({}) after {operation:?}",
                task.id, task.job
            );
        }
        for plate in &self.plates {
            assert_eq!(
                store.plate(plate.id).unwrap().plate.state,
                plate.state,
                "plate after {operation:?}"
            );
        }
        assert_eq!(
            store.check().unwrap(),
            Vec::<String>::new(),
            "after {operation:?}"
        );
        let status = store.status().unwrap();
        assert_eq!(status.passes, self.passes.len() as u64);
    }

    /// Runs everything that can be run.
    pub fn drain(&mut self) {
        let step = Operation::Claim;
        self.apply(&Operation::Resume);
        for plate in 0..self.plates.len() {
            self.apply(&Operation::Complete { plate });
        }
        loop {
            self.queue().clock.advance(Duration::from_secs(2 * 3600));
            while !self.passes.is_empty() {
                self.apply(&Operation::Finish {
                    pass: 0,
                    outcomes: vec![Ending::Success; 5],
                });
            }
            let claimed = self.claim();
            self.settle();
            self.settle_plates();
            self.compare(&step);
            if !claimed {
                break;
            }
        }
        let counts = self.queue().store.status().unwrap().tasks;
        assert_eq!(counts.pending(), 0, "{counts:?}");
    }
}

fn report(task: TaskId, ending: Ending) -> TaskReport {
    match ending {
        Ending::Success => succeeded(task),
        Ending::Transient => failed(task, FailureClass::Transient),
        Ending::Environment => failed(task, FailureClass::Environment),
        Ending::Permanent => failed(task, FailureClass::Permanent),
        Ending::Skip => skipped(task),
        Ending::Crash => crashed(task),
        Ending::Interrupt => interrupted(task),
        Ending::Cancel => TaskReport::new(task, Outcome::Cancelled),
    }
}
