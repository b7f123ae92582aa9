//! The wall's clock, distrusted: file times can be compared with nothing else, and people set it.

use std::time::{Duration, Instant, SystemTime};

/// Both clocks at the start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    wall: Duration,
    steady: Instant,
}

impl Clock {
    pub fn start() -> Self {
        Self {
            wall: wall(),
            steady: Instant::now(),
        }
    }

    /// Whether `time_ns` (since 1970, as a file has it) is at least `age` ago, whatever was done to the clock meanwhile.
    pub fn is_past(&self, time_ns: i64, age: Duration) -> bool {
        self.judge(time_ns, age, wall(), self.steady.elapsed())
    }

    /// The earlier of what both clocks say is the time now. Set forward, the wall's clock would make every file look old
    /// that was written before; set back, the steady one those that were written after.
    fn judge(&self, time_ns: i64, age: Duration, wall: Duration, elapsed: Duration) -> bool {
        let now = wall.min(self.wall + elapsed);
        u128::try_from(time_ns).is_ok_and(|time| time + age.as_nanos() <= now.as_nanos())
    }
}

fn wall() -> Duration {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_file_is_never_old_however_the_clock_is_set() {
        let second = Duration::from_secs;
        let (start, age) = (second(1_000_000), second(5));
        let clock = Clock {
            wall: start,
            steady: Instant::now(),
        };
        // Written (in true time) at 100 s after the start, looked at 1 s and 6 s later.
        for jump in [-50_000_i64, -3, 0, 3, 50_000] {
            for jumped_before_the_write in [false, true] {
                let set = |time: Duration, applies: bool| {
                    let jump = if applies { jump } else { 0 };
                    Duration::from_secs(time.as_secs().saturating_add_signed(jump))
                };
                let written = set(start + second(100), jumped_before_the_write);
                let looks_old = |after: Duration| {
                    let time_ns = i64::try_from(written.as_nanos()).unwrap_or(i64::MAX);
                    let elapsed = second(100) + after;
                    clock.judge(time_ns, age, set(start + elapsed, true), elapsed)
                };
                assert!(!looks_old(second(1)), "{jump} {jumped_before_the_write}");
                if jump == 0 {
                    assert!(looks_old(second(6)));
                }
            }
        }
    }
}
