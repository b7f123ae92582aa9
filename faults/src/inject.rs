//! What a point does in a build for tests.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, getpid, getppid, kill_process};

use crate::{Action, HITS, Plan, Point, Role, VARIABLE};

/// Acts on the plan for this point, if there is one and it is this process's turn.
pub(crate) fn reach(point: Point) -> io::Result<()> {
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| std::env::var_os(VARIABLE).map(PathBuf::from));
    match folder.as_deref() {
        Some(folder) => take(folder, point, role()).map_or(Ok(()), |plan| act(plan, folder, point)),
        None => Ok(()),
    }
}

fn role() -> Role {
    static ROLE: OnceLock<Role> = OnceLock::new();
    *ROLE.get_or_init(|| {
        if std::env::args().nth(1).as_deref() == Some("worker") {
            Role::Worker
        } else {
            Role::Daemon
        }
    })
}

/// Takes the plan of a point away from all other processes; gives it back if it is not its time yet.
fn take(folder: &Path, point: Point, role: Role) -> Option<Plan> {
    let file = folder.join(point.name());
    let mine = |plan: &Plan| plan.role.is_none_or(|wanted| wanted == role);
    if !mine(&read(&file)?) {
        return None;
    }
    let taken = folder.join(format!(
        ".{}.{}",
        point.name(),
        getpid().as_raw_nonzero().get()
    ));
    fs::rename(&file, &taken).ok()?;
    // Another plan may have come in its place.
    let mut plan = read(&taken)?;
    if plan.after == 0 && mine(&plan) {
        let _ = fs::remove_file(&taken);
        told(folder, point, role, plan);
        return Some(plan);
    }
    plan.after = plan.after.saturating_sub(1);
    let _ = fs::write(&taken, plan.to_string()).and_then(|()| fs::rename(&taken, &file));
    None
}

/// A plan that makes no sense would let a test pass that does nothing.
fn read(file: &Path) -> Option<Plan> {
    let text = fs::read_to_string(file).ok()?;
    match text.parse() {
        Ok(plan) => Some(plan),
        Err(mistake) => {
            let _ = writeln!(io::stderr(), "{}: {mistake}", file.display());
            std::process::abort()
        }
    }
}

/// One line for who watches: `POINT ROLE PID PLAN`.
fn told(folder: &Path, point: Point, role: Role, plan: Plan) {
    let line = format!(
        "{} {} {} {plan}\n",
        point.name(),
        role.as_str(),
        getpid().as_raw_nonzero()
    );
    let _ = OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.join(HITS))
        .and_then(|mut file| file.write_all(line.as_bytes()));
}

fn act(plan: Plan, folder: &Path, point: Point) -> io::Result<()> {
    match plan.action {
        Action::Kill => die(None),
        Action::KillDaemon => die(getppid()),
        Action::Hang => loop {
            std::thread::sleep(Duration::from_secs(3600));
        },
        Action::Hold => {
            let go = folder.join(format!("{}.go", point.name()));
            while fs::remove_file(&go).is_err() {
                std::thread::sleep(Duration::from_millis(2));
            }
            Ok(())
        }
        Action::Enospc => Err(Errno::NOSPC.into()),
        Action::Eio => Err(Errno::IO.into()),
    }
}

fn die(first: Option<Pid>) -> ! {
    for pid in first.into_iter().chain([getpid()]) {
        let _ = kill_process(pid, Signal::KILL);
    }
    // The signal is on its way.
    loop {
        std::thread::sleep(Duration::from_secs(1));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_plan_is_taken_once_at_its_time_and_by_whom_it_is_for() {
        let folder = tempfile::tempdir().unwrap();
        let point = Point::PublishRenamed;
        let file = folder.path().join(point.name());
        assert_eq!(take(folder.path(), point, Role::Worker), None);
        fs::write(&file, "eio after 2 in worker").unwrap();
        assert_eq!(take(folder.path(), point, Role::Daemon), None);
        assert_eq!(take(folder.path(), point, Role::Worker), None);
        assert_eq!(take(folder.path(), point, Role::Worker), None);
        let plan = take(folder.path(), point, Role::Worker).unwrap();
        assert_eq!(
            act(plan, folder.path(), point).unwrap_err().raw_os_error(),
            Some(Errno::IO.raw_os_error())
        );
        assert_eq!(take(folder.path(), point, Role::Worker), None);
        let hits = fs::read_to_string(folder.path().join(HITS)).unwrap();
        assert!(
            hits.starts_with("publish.renamed worker ") && hits.lines().count() == 1,
            "{hits}"
        );
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            1,
            "only the hits are left"
        );
    }

    #[test]
    fn of_many_threads_one_takes_it() {
        let folder = tempfile::tempdir().unwrap();
        let point = Point::QueueCommitted;
        fs::write(folder.path().join(point.name()), "enospc").unwrap();
        let took: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| usize::from(take(folder.path(), point, Role::Daemon).is_some()))
                })
                .collect();
            threads.into_iter().map(|t| t.join().unwrap()).sum()
        });
        assert_eq!(took, 1);
    }
}
