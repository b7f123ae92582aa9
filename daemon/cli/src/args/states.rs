//! The states as words of the command line.

use clap::ValueEnum;

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum TaskState {
    /// Waits for another task, or for the plate.
    Waiting,
    /// Can be run.
    Ready,
    /// Is being run.
    Running,
    /// Its result is there.
    Succeeded,
    /// Is tried again at a time.
    Retrying,
    /// Failed for good.
    Failed,
    /// Taken out because workers died over it.
    Quarantined,
    /// Stopped by a person.
    Cancelled,
}

/// Where a plate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum PlateState {
    /// More images are expected.
    Arriving,
    /// All images are there, tasks are still to be run.
    Complete,
    /// Everything succeeded.
    Done,
    /// Everything ended, not all of it well.
    DoneWithFailures,
    /// Its results are out of date.
    Stale,
}

/// The word of a state, as the API spells it.
pub(crate) fn word(state: &impl ValueEnum) -> String {
    state
        .to_possible_value()
        .map(|value| value.get_name().to_owned())
        .unwrap_or_default()
}

/// The words of states, separated by commas, as the API takes them.
pub(crate) fn words(states: &[impl ValueEnum]) -> String {
    states.iter().map(word).collect::<Vec<_>>().join(",")
}
