//! How long to wait before trying again.

/// A task whose worker died this often is quarantined (the number Sidekiq Pro and others settled on).
pub(crate) const MAX_CRASHES: u32 = 3;

/// The longest delay, milliseconds: one hour.
pub(crate) const LONGEST: i64 = 3_600_000;

/// Delay after trouble of the surroundings, milliseconds: it does not grow, as the trouble is not the task's.
const ENVIRONMENT: i64 = 60_000;

/// Delay before the next try, milliseconds: `count`⁴ seconds (1, 16, 81, 256, …), at most an hour, and up
/// to a tenth more or less, so that tasks which failed together do not come back together.
pub(crate) fn after(count: u32, task: i64) -> i64 {
    let seconds = i64::from(count).saturating_pow(4);
    jitter(seconds.saturating_mul(1000).min(LONGEST), task, count)
}

/// Delay while the disk is full or the share is gone, milliseconds.
pub(crate) fn environment(task: i64) -> i64 {
    jitter(ENVIRONMENT, task, 0)
}

/// The longest delay between two tries to deliver a notice, milliseconds: six hours.
pub(crate) const LONGEST_NOTICE: i64 = 6 * 3_600_000;

/// Delay before the next try to deliver a notice, milliseconds: a minute after the first, then twice as long each time.
/// With six hours at most, twenty tries take about three days.
pub(crate) fn notice(count: u32, notice: i64) -> i64 {
    let minutes = 1_i64 << count.saturating_sub(1).min(20);
    jitter((minutes * 60_000).min(LONGEST_NOTICE), notice, count)
}

/// Spreads over ±10 % by a hash of the task and the count: the same at every run, different for every task.
fn jitter(delay: i64, task: i64, count: u32) -> i64 {
    let mut mixed = task
        .cast_unsigned()
        .wrapping_add(u64::from(count) << 48)
        .wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^= mixed >> 31;
    let per_mille = i64::try_from(mixed % 201).unwrap_or_default() - 100;
    delay + delay * per_mille / 1000
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, LONGEST_NOTICE, after, environment, notice};

    #[test]
    fn grows_with_the_fourth_power_up_to_an_hour() {
        for (count, seconds) in [
            (1, 1),
            (2, 16),
            (3, 81),
            (4, 256),
            (100, 3600),
            (u32::MAX, 3600),
        ] {
            for task in 0..1000 {
                let delay = after(count, task);
                assert!(
                    delay >= seconds * 900 && delay <= seconds * 1100,
                    "{count} {task} {delay}"
                );
            }
        }
        assert!(after(u32::MAX, 1) <= LONGEST * 11 / 10);
    }

    #[test]
    fn notices_wait_from_a_minute_to_six_hours_and_three_days_in_all() {
        for (count, minutes) in [
            (1, 1),
            (2, 2),
            (5, 16),
            (9, 256),
            (10, 360),
            (u32::MAX, 360),
        ] {
            for id in 0..1000 {
                let delay = notice(count, id);
                assert!(
                    delay >= minutes * 54_000 && delay <= minutes * 66_000,
                    "{count} {id} {delay}"
                );
            }
        }
        let all: i64 = (1..20).map(|count| notice(count, 7)).sum();
        let days = all / LONGEST_NOTICE / 4;
        assert!((2..=3).contains(&days), "{all} ms");
    }

    #[test]
    fn spreads_tasks() {
        let delays: std::collections::BTreeSet<i64> = (0..100).map(environment).collect();
        assert!(delays.len() > 50, "{}", delays.len());
    }
}
