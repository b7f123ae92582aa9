#![allow(clippy::unwrap_used)]
use super::*;

const SETTLE: Duration = Duration::from_secs(5);
const GIVE_UP: Duration = Duration::from_secs(100);

fn state(size: u64) -> FileIdentity {
    FileIdentity {
        size,
        mtime_ns: 1,
        ctime_ns: 1,
        inode: 1,
        device: 1,
    }
}

fn seconds(s: u64) -> Duration {
    Duration::from_secs(s)
}

/// All files that come up at `now`.
fn due(settling: &mut Settling, now: Instant) -> Vec<Arc<Path>> {
    std::iter::from_fn(|| settling.pop_due(now))
        .map(|(path, _)| path)
        .collect()
}

#[test]
fn a_change_starts_the_quiet_time_again() {
    let (start, path) = (Instant::now(), Path::new("a"));
    let mut settling = Settling::new(SETTLE, GIVE_UP);
    settling.insert(path, state(1), true, false, start);
    settling.look(path, state(2), None, start + seconds(4));
    assert!(
        due(&mut settling, start + seconds(8)).is_empty(),
        "changed at 4 s, so not before 9 s"
    );
    assert_eq!(due(&mut settling, start + seconds(9)).len(), 1);
    assert_eq!(
        settling.next_due(),
        None,
        "one item a file, however often it changed"
    );
}

#[test]
fn a_look_without_change_does_not() {
    let (start, path) = (Instant::now(), Path::new("a"));
    let mut settling = Settling::new(SETTLE, GIVE_UP);
    settling.insert(path, state(1), false, false, start);
    settling.look(path, state(1), None, start + seconds(4));
    assert_eq!(due(&mut settling, start + SETTLE).len(), 1);
}

#[test]
fn a_close_acts_at_once_without_settle_time_and_an_open_file_waits() {
    let (start, path) = (Instant::now(), Path::new("a"));
    let mut settling = Settling::new(Duration::ZERO, GIVE_UP);
    settling.insert(path, state(1), false, false, start);
    assert!(
        due(&mut settling, start).is_empty(),
        "its writer may only be pausing"
    );
    settling.look(path, state(1), Some(true), start);
    assert_eq!(due(&mut settling, start).len(), 1);
    settling.insert(Path::new("b"), state(1), true, false, start);
    assert_eq!(due(&mut settling, start).len(), 1);
}

#[test]
fn a_writer_of_many_small_pieces_causes_few_looks() {
    let (start, path) = (Instant::now(), Path::new("a"));
    let mut settling = Settling::new(SETTLE, GIVE_UP);
    settling.insert(path, state(1), false, false, start);
    let mut looks = 0;
    for millis in 0..1000 {
        let now = start + Duration::from_millis(millis);
        if !settling.written(path, now) {
            settling.look(path, state(millis), Some(false), now);
            looks += 1;
        }
        for path in due(&mut settling, now) {
            settling.look(&path, state(millis), None, now);
            looks += 1;
        }
    }
    assert!((15..=40).contains(&looks), "{looks} looks in a second");
    // The last piece came between two looks: one more look finds it.
    let now = start + Duration::from_millis(1050);
    for path in due(&mut settling, now) {
        settling.look(&path, state(999), None, now);
    }
    let ready = now + SETTLE;
    assert!(due(&mut settling, ready - Duration::from_millis(1)).is_empty());
    assert_eq!(due(&mut settling, ready).len(), 1);
}

#[test]
fn an_old_file_is_due_at_once() {
    let start = Instant::now();
    let mut settling = Settling::new(SETTLE, GIVE_UP);
    settling.insert(Path::new("a"), state(1), false, true, start);
    assert_eq!(due(&mut settling, start).len(), 1);
}

#[test]
fn what_is_quiet_but_not_whole_is_looked_at_ever_more_seldom_and_given_up() {
    let start = Instant::now();
    let mut settling = Settling::new(SETTLE, GIVE_UP);
    settling.insert(Path::new("a"), state(0), true, false, start);
    let mut looks = Vec::new();
    loop {
        let at = settling.next_due().unwrap();
        let (path, _) = settling.pop_due(at).unwrap();
        looks.push((at - start).as_secs());
        if !settling.postpone(&path, WaitingFor::Content, at) {
            break;
        }
    }
    assert_eq!(
        looks,
        [5, 10, 20, 40, 80, 100],
        "5 s, then twice as long each time, and the last at the end"
    );
}

#[test]
fn a_forgotten_file_does_not_come_up_even_if_seen_again() {
    let (start, path) = (Instant::now(), Path::new("a"));
    let mut settling = Settling::new(SETTLE, GIVE_UP);
    settling.insert(path, state(1), true, false, start);
    settling.remove(path).unwrap();
    settling.insert(path, state(1), true, false, start + seconds(3));
    assert!(due(&mut settling, start + seconds(7)).is_empty());
    assert_eq!(due(&mut settling, start + seconds(8)).len(), 1);
    assert_eq!(settling.len(), 1);
}
