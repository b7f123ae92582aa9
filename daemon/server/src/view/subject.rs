//! Subjects.

use queue::{SubjectKind, SubjectState, SubjectSummary};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{Counts, Moment, SubjectKindWord, SubjectStateWord, text};

/// What tasks work on, with the numbers of its tasks.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Subject)]
pub(crate) struct SubjectView {
    /// Identifier.
    pub id: i64,
    /// The plate.
    pub plate: i64,
    /// What it is.
    #[schema(value_type = SubjectKindWord)]
    pub kind: SubjectKind,
    /// Identifies it among its kind in the plate, for example `A01-0001`.
    pub name: String,
    /// Canonical well name.
    pub well: Option<String>,
    /// Site (field of view) in the well.
    pub site: Option<i64>,
    /// Timepoint.
    pub timepoint: Option<i64>,
    /// Whether all planes are there.
    #[schema(value_type = SubjectStateWord)]
    pub state: SubjectState,
    /// Planes that are not there.
    pub missing: Value,
    /// Planes that are there.
    pub inputs: Value,
    /// Hash of the planes' contents.
    pub input_hash: Option<String>,
    /// The published container.
    pub container: Option<String>,
    /// When it was first registered.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Moment,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Moment,
    /// Its tasks by state.
    pub counts: Counts,
}

impl From<SubjectSummary> for SubjectView {
    fn from(summary: SubjectSummary) -> Self {
        let SubjectSummary { subject, tasks } = summary;
        Self {
            id: subject.id.0,
            plate: subject.plate.0,
            kind: subject.kind,
            name: subject.name,
            well: subject.well,
            site: subject.site,
            timepoint: subject.timepoint,
            state: subject.state,
            missing: subject.missing,
            inputs: subject.inputs,
            input_hash: subject.input_hash,
            container: subject.container.as_deref().map(text),
            created_at: subject.created_at.into(),
            updated_at: subject.updated_at.into(),
            counts: tasks.into(),
        }
    }
}
