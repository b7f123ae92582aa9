//! What holds for many operations, described once: answers of the layers that every request passes, and whole numbers.

use utoipa::openapi::path::{HttpMethod, Operation, Parameter};
use utoipa::openapi::schema::{KnownFormat, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder, Schema};

/// The only operation that anybody may ask.
const OPEN: &str = "/livez";

/// Adds what the layers around the handlers may answer, and the ranges of numbers.
pub(super) fn complete(document: &mut OpenApi) {
    for (path, item) in &mut document.paths.paths {
        let methods = [
            (HttpMethod::Get, item.get.as_mut()),
            (HttpMethod::Post, item.post.as_mut()),
        ];
        for (method, operation) in methods {
            let Some(operation) = operation else { continue };
            operation.parameters.iter_mut().flatten().for_each(mend);
            add_answers(path, &method, operation);
        }
    }
}

fn add_answers(path: &str, method: &HttpMethod, operation: &mut Operation) {
    let has_parameters = operation
        .parameters
        .as_ref()
        .is_some_and(|all| !all.is_empty());
    let has_body = operation.request_body.is_some();
    let is_change = *method == HttpMethod::Post;
    let answers = [
        (true, "421", "The name in `Host` is none of this server"),
        (path != OPEN, "401", "The token is missing or wrong"),
        (
            path != OPEN,
            "503",
            "It cannot be done now, or took too long",
        ),
        (
            has_parameters || has_body,
            "400",
            "A parameter or the body makes no sense",
        ),
        (
            is_change,
            "403",
            "The header `X-Wellspring` is missing, or a page of another site asks",
        ),
        (has_body, "413", "The body is too large"),
        (has_body, "415", "The body is not declared as JSON"),
        (has_body, "422", "A field makes no sense"),
    ];
    for (applies, status, description) in answers {
        if applies {
            let known = &mut operation.responses.responses;
            known
                .entry(status.to_owned())
                .or_insert_with(|| RefOr::T(problem(description)));
        }
    }
}

fn problem(description: &str) -> Response {
    let schema = Ref::from_schema_name("Problem");
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", content)
        .build()
}

/// A parameter is there or not, but never null; and unsigned numbers of 32 bits are larger than what `int32` says.
fn mend(parameter: &mut RefOr<Parameter>) {
    let RefOr::T(parameter) = parameter else {
        return;
    };
    let Some(RefOr::T(Schema::Object(schema))) = &mut parameter.schema else {
        return;
    };
    if let SchemaType::Array(kinds) = &mut schema.schema_type {
        kinds.retain(|kind| *kind != Type::Null);
        if let [kind] = kinds.as_slice() {
            schema.schema_type = SchemaType::Type(kind.clone());
        }
    }
    let is_unsigned = schema.minimum.is_some() && schema.maximum.is_none();
    let is_integer = match &schema.schema_type {
        SchemaType::Type(kind) => *kind == Type::Integer,
        SchemaType::Array(kinds) => kinds.contains(&Type::Integer),
        SchemaType::AnyValue => false,
    };
    let is_short = schema.format == Some(SchemaFormat::KnownFormat(KnownFormat::Int32));
    if is_unsigned && is_integer && is_short {
        schema.format = Some(SchemaFormat::KnownFormat(KnownFormat::Int64));
        schema.maximum = Some(u32::MAX.into());
    }
}
