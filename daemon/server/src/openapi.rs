//! The description of the API.

use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{LicenseBuilder, OpenApi, SecurityRequirement};
use utoipa::{Modify, OpenApi as _};
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

mod common;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Wellspring",
        description = "What the daemon knows about plates, tasks and files, and what can be done about them.\n\n\
            Lists are pages `{items, next}`: pass `next` as `after` for the next part. Errors are RFC 9457 problems with a \
            `code` for programs and a `remedy` for people. Changes (POST) need the header `X-Wellspring: 1`. Where the \
            daemon has a token, every request but `/livez` needs `Authorization: Bearer …`.",
    ),
    tags(
        (name = "status", description = "The state of everything"),
        (name = "roots", description = "Watched folders"),
        (name = "files", description = "Files under them"),
        (name = "plates", description = "Plates, their wells and image sets"),
        (name = "pictures", description = "What image sets look like"),
        (name = "tables", description = "What was measured"),
        (name = "tasks", description = "Jobs on subjects"),
        (name = "workflows", description = "What is done with the images"),
        (name = "queue", description = "Pausing everything"),
        (name = "events", description = "What happens, as it happens"),
        (name = "health", description = "For supervisors and monitoring"),
    ),
    components(schemas(crate::problem::Problem)),
    modifiers(&Details)
)]
struct Document;

struct Details;

impl Modify for Details {
    fn modify(&self, document: &mut OpenApi) {
        document.info.version = "1".to_owned();
        document.info.license = Some(
            LicenseBuilder::new()
                .name("MIT OR Apache-2.0")
                .identifier(Some("MIT OR Apache-2.0"))
                .build(),
        );
        let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        if let Some(components) = &mut document.components {
            components.add_security_scheme("token", bearer);
        }
        // Either is enough: without a token in its configuration the daemon asks for none.
        document.security = Some(vec![
            SecurityRequirement::default(),
            SecurityRequirement::new::<_, [&str; 0], _>("token", []),
        ]);
    }
}

/// The documented routes and their description.
pub(crate) fn documented() -> (axum::Router<App>, OpenApi) {
    let (routes, mut document) = OpenApiRouter::with_openapi(Document::openapi())
        .merge(crate::api::routes())
        .split_for_parts();
    common::complete(&mut document);
    (routes, document)
}

/// The description of the API: OpenAPI 3.1, as served at `/api/openapi.json`.
#[must_use]
pub fn openapi() -> OpenApi {
    documented().1
}
