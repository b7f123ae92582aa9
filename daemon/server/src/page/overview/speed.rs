//! How fast work goes: a sentence, and a bar for each of the last hours.

use queue::{Ended, Throughput};

use super::super::show::number;

/// Height of the highest bar, in the units of the drawing.
const HEIGHT: u64 = 40;

/// Width of an hour.
const STEP: u64 = 10;

/// How fast work goes.
pub(in crate::page) struct Speed {
    pub rows: Vec<SpeedRow>,
    pub bars: Vec<Bar>,
    pub width: u64,
    pub height: u64,
    /// What the drawing shows, in words.
    pub label: String,
    /// Hour by hour, the newest first.
    pub hours: Vec<HourRow>,
}

/// What ended in some time.
pub(in crate::page) struct SpeedRow {
    pub time: &'static str,
    pub image_sets: String,
    pub tasks: String,
    pub failed: String,
    pub per_hour: String,
}

pub(in crate::page) struct HourRow {
    pub ago: String,
    pub image_sets: String,
    pub tasks: String,
    pub failed: String,
}

pub(in crate::page) struct Bar {
    pub x: u64,
    pub y: u64,
    pub height: u64,
}

impl Speed {
    pub(in crate::page) fn new(throughput: &Throughput) -> Self {
        let row = |time, ended: Ended, times: u64| SpeedRow {
            time,
            image_sets: number(ended.image_sets),
            tasks: number(ended.succeeded + ended.failed),
            failed: number(ended.failed),
            per_hour: number(ended.image_sets * times),
        };
        let hours = &throughput.hours;
        let most = hours.iter().map(|hour| hour.image_sets).max().unwrap_or(0);
        let bars = hours
            .iter()
            .zip(0..)
            .filter(|(hour, _)| hour.image_sets > 0);
        let bars = bars
            .map(|(hour, i)| {
                // What there was is seen, however little.
                let height = (hour.image_sets * HEIGHT / most.max(1)).max(1);
                Bar {
                    x: i * STEP,
                    y: HEIGHT - height,
                    height,
                }
            })
            .collect();
        let sum: u64 = hours.iter().map(|hour| hour.image_sets).sum();
        let hour_rows = hours.iter().rev().zip(0..).map(|(hour, ago)| HourRow {
            ago: match ago {
                0 => "the last hour".to_owned(),
                ago => format!("{ago} to {} h ago", ago + 1),
            },
            image_sets: number(hour.image_sets),
            tasks: number(hour.succeeded + hour.failed),
            failed: number(hour.failed),
        });
        Self {
            rows: vec![
                row("the last 10 minutes", throughput.ten_minutes, 6),
                row("the last hour", throughput.hour, 1),
            ],
            bars,
            width: hours.len() as u64 * STEP,
            height: HEIGHT,
            label: format!(
                "Image sets by the hour, the last {} hours: {} together, {} at most",
                hours.len(),
                number(sum),
                number(most)
            ),
            hours: hour_rows.collect(),
        }
    }

    /// Whether anything ended at all.
    pub(in crate::page) fn is_empty(&self) -> bool {
        self.bars.is_empty() && self.rows.iter().all(|row| row.tasks == "0")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fastest_hour_is_the_highest_bar() {
        let mut hours = vec![Ended::default(); 24];
        hours[3].image_sets = 1;
        hours[23].image_sets = 400;
        let speed = Speed::new(&Throughput {
            hours,
            ..Throughput::default()
        });
        let told: Vec<_> = speed.bars.iter().map(|b| (b.x, b.y, b.height)).collect();
        assert_eq!(told, [(30, 39, 1), (230, 0, 40)]);
        assert!(speed.label.ends_with("401 together, 400 at most"));
        assert_eq!(speed.hours[0].image_sets, "400");
        assert_eq!(speed.hours[20].ago, "20 to 21 h ago");
        assert!(Speed::new(&Throughput::default()).is_empty());
    }
}
