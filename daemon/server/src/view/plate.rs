//! Plates and their wells.

use queue::{PlateState, PlateSummary, SubjectCounts, WellSummary};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Counts, EstimateView, Moment, PlateStateWord, text};
use crate::estimate::Estimates;

/// A plate (or a stack), and how far it is.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Plate)]
pub(crate) struct PlateView {
    /// Identifier; rises with age.
    pub id: i64,
    /// The watched folder.
    pub root: i64,
    /// Identifies the plate in its root.
    pub key: String,
    /// Name for people.
    pub name: String,
    /// Acquisition folder, below the root.
    pub directory: String,
    /// Where its results go.
    pub output: String,
    /// Where it stands.
    #[schema(value_type = PlateStateWord)]
    pub state: PlateState,
    /// What decided that it is complete, for example `manifest`, `quiet:900` or `user`.
    pub decided_by: Option<String>,
    /// More about the state.
    pub detail: Option<String>,
    /// Image sets that the manifest or the layout promises.
    pub expected: Option<u32>,
    /// Rows of wells.
    pub rows: Option<u32>,
    /// Columns of wells.
    pub columns: Option<u32>,
    /// When it was first seen.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Moment,
    /// When its last image came.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_arrival: Option<Moment>,
    /// When it was decided to be complete.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub completed_at: Option<Moment>,
    /// When the last task ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub finished_at: Option<Moment>,
    /// Its tasks by state.
    pub counts: Counts,
    /// Its image sets.
    pub image_sets: ImageSets,
    /// When it will be done; null once it is.
    pub estimate: Option<EstimateView>,
}

/// How many image sets a plate has.
#[derive(Clone, Copy, Debug, Default, Serialize, ToSchema)]
pub(crate) struct ImageSets {
    /// Promised by the manifest or the layout.
    pub expected: Option<u32>,
    /// Seen, in whatever state.
    pub seen: u64,
    /// More planes are expected.
    pub arriving: u64,
    /// All planes are there.
    pub complete: u64,
    /// The plate completed without some of the planes.
    pub incomplete: u64,
}

impl ImageSets {
    fn new(expected: Option<u32>, counts: SubjectCounts) -> Self {
        Self {
            expected,
            seen: counts.total(),
            arriving: counts.arriving,
            complete: counts.complete,
            incomplete: counts.incomplete,
        }
    }
}

impl PlateView {
    /// A plate, with when it will be done.
    pub(crate) fn new(summary: PlateSummary, estimates: &Estimates) -> Self {
        let estimate = estimates.of(summary.plate.id).map(Into::into);
        let PlateSummary {
            plate,
            image_sets,
            tasks,
        } = summary;
        Self {
            id: plate.id.0,
            root: plate.root.0,
            directory: text(&plate.directory),
            output: text(&plate.output),
            key: plate.key,
            name: plate.name,
            state: plate.state,
            decided_by: plate.decided_by,
            detail: plate.detail,
            expected: plate.expected,
            rows: plate.rows,
            columns: plate.columns,
            created_at: plate.created_at.into(),
            last_arrival: plate.last_arrival.map(Moment::from),
            completed_at: plate.completed_at.map(Moment::from),
            finished_at: plate.finished_at.map(Moment::from),
            counts: tasks.into(),
            image_sets: ImageSets::new(plate.expected, image_sets),
            estimate,
        }
    }
}

/// A well, and how far it is.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Well)]
pub(crate) struct WellView {
    /// Canonical name, for example `A01`.
    pub well: String,
    /// Image sets that have come, in whatever state.
    pub sites: u64,
    /// Tasks of the well and of its image sets by state.
    pub by_state: Counts,
    /// Image sets that were given up without some of their planes.
    pub missing: u64,
    /// Image sets that more planes are expected of.
    pub arriving: u64,
    /// Image sets with all their planes.
    pub complete: u64,
}

impl From<WellSummary> for WellView {
    fn from(well: WellSummary) -> Self {
        Self {
            well: well.well,
            sites: well.image_sets.total(),
            by_state: well.tasks.into(),
            missing: well.image_sets.incomplete,
            arriving: well.image_sets.arriving,
            complete: well.image_sets.complete,
        }
    }
}
