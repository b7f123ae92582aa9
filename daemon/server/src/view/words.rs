//! The words of the queue's states, for OpenAPI: taken from the queue, so that none can be missing.

use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

macro_rules! words {
    ($($name:ident of $words:ty: $description:literal;)+) => {$(
        #[doc = $description]
        #[allow(dead_code, reason = "it stands for the queue's type in the document only")]
        pub(crate) struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(SchemaType::new(Type::String))
                    .description(Some($description))
                    .enum_values(Some(<$words>::ALL.iter().map(|word| word.as_str())))
                    .into()
            }
        }

        impl ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                stringify!($name).trim_end_matches("Word").into()
            }
        }
    )+};
}

words! {
    TaskStateWord of queue::TaskState: "Where a task stands.";
    PlateStateWord of queue::PlateState: "Where a plate stands.";
    SubjectKindWord of queue::SubjectKind: "What a task works on.";
    SubjectStateWord of queue::SubjectState: "Whether a subject has all its planes.";
    FileStateWord of queue::FileState: "What became of a file.";
    RootStateWord of queue::RootState: "Whether a watched folder is there.";
    GateWord of queue::Gate: "What must be true beside the upstream tasks.";
    RequireWord of queue::Require: "What is needed of an upstream task.";
    AttemptOutcomeWord of queue::AttemptOutcome: "How an execution ended.";
    FailureClassWord of queue::FailureClass: "Whether trying again can help.";
    EventKindWord of queue::EventKind: "What an event says.";
}
