//! Pictures of image sets: previews, tiles, label numbers, and what there is to be shown.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use queue::SubjectId;
use serde::Deserialize;
use utoipa::IntoParams;
use viewer::{Ask, Channel, Encoding, Overlay, OverlayStyle, Part};

use crate::app::App;
use crate::extract::{Id, Params, empty_is_none, short};
use crate::percent::decode_text;
use crate::problem::Problem;
use crate::published::{container_of, known, respond};

/// Longest side of a preview unless the request says otherwise, in pixels.
const PREVIEW: u32 = 512;

/// How a picture is made.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct PictureQuery {
    /// Images that are laid over each other, separated by commas, each `name`, `name:low:high` or `name:low:high:color`; `low`
    /// and `high` become black and full colour, `color` is `rrggbb` or a name; what is empty is taken from the viewer attributes
    /// (`name:::red`). In a name `%`, `,` and `:` are escaped once more: `%25`, `%2C`, `%3A`. None: those that the viewer
    /// attributes show.
    #[serde(default, deserialize_with = "short")]
    #[param(
        pattern = r"^[^,:%]+(:-?[0-9]{1,9}(\.[0-9]{1,9})?:-?[0-9]{1,9}(\.[0-9]{1,9})?|::)?(,[^,:%]+(:::(red|green|[0-9a-f]{6}))?)*$"
    )]
    channels: Option<String>,
    /// Label images on top, separated by commas, each `name`, `name:outline` or `name:fill`.
    #[serde(default, deserialize_with = "short")]
    #[param(pattern = "^[^,:%]+(:outline|:fill)?(,[^,:%]+(:outline|:fill)?)*$")]
    labels: Option<String>,
    /// `png` or `jpeg`; `png` unless said.
    #[serde(default, deserialize_with = "empty_is_none")]
    #[param(value_type = Option<String>, pattern = "^(png|jpeg)$")]
    format: Option<Encoding>,
    /// Longest side of a preview in pixels, at most 4096; 512 unless said.
    #[serde(default, deserialize_with = "empty_is_none")]
    #[param(minimum = 1, maximum = 4096)]
    size: Option<u32>,
    /// Anything that changes with the container: with it the answer may be kept for a day without asking again.
    #[serde(default, deserialize_with = "short")]
    v: Option<String>,
}

impl PictureQuery {
    fn ask(&self, part: Part) -> Result<Ask, Problem> {
        Ok(Ask::Picture {
            part,
            channels: list(self.channels.as_deref())
                .map(channel)
                .collect::<Result<_, _>>()?,
            overlays: list(self.labels.as_deref())
                .map(overlay)
                .collect::<Result<_, _>>()?,
            encoding: self.format.unwrap_or_default(),
        })
    }
}

fn list(text: Option<&str>) -> impl Iterator<Item = &str> {
    text.unwrap_or_default()
        .split(',')
        .filter(|item| !item.is_empty())
}

fn odd(what: &str, detail: impl std::fmt::Display) -> Problem {
    Problem::bad_request("invalid_query", format!("`{what}`: {detail}"))
        .with_remedy("see /api/openapi.json for how channels and labels are written")
}

fn channel(text: &str) -> Result<Channel, Problem> {
    let parts: Vec<&str> = text.split(':').collect();
    let (limits, color) = match parts[1..] {
        [] => (None, ""),
        [low, high] => (Some((low, high)), ""),
        [low, high, color] => (Some((low, high)), color),
        _ => {
            return Err(odd(
                text,
                "write name, name:low:high or name:low:high:color",
            ));
        }
    };
    let number = |text: &str| match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err(odd(text, "not a number")),
    };
    let limits = match limits.filter(|(low, high)| !(low.is_empty() && high.is_empty())) {
        None => None,
        Some((low, high)) => Some((number(low)?, number(high)?)),
    };
    Ok(Channel {
        image: name(parts[0])?,
        limits,
        color: match color {
            "" => None,
            color => Some(color.parse().map_err(|error| odd(text, error))?),
        },
    })
}

fn overlay(text: &str) -> Result<Overlay, Problem> {
    let (image, style) = text.split_once(':').unwrap_or((text, "outline"));
    Ok(Overlay {
        image: name(image)?,
        style: style
            .parse::<OverlayStyle>()
            .map_err(|error| odd(text, error))?,
    })
}

fn name(text: &str) -> Result<String, Problem> {
    match decode_text(text) {
        name if name.is_empty() => Err(odd(text, "no name of an image")),
        name => Ok(name),
    }
}

/// What the container of an image set has: `images` with sizes, levels and how they are first shown, and `tables`.
#[utoipa::path(get, path = "/api/v1/image-sets/{id}/contents", tag = "pictures",
    params(("id" = i64, Path, description = "The image set")),
    responses(
        (status = 200, description = "`images`: name, kind (`intensity` or `labels`), pixel_type, height, width, levels (height and width of each), color, shown, limits, channel. `tables`: name, and the label image that its rows speak of", body = Object),
        (status = 304, description = "As the `If-None-Match` says"),
        (status = 404, description = "No such image set, or nothing published", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The container is damaged", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "It cannot be read now", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn contents(
    State(app): State<App>,
    Id(id): Id<SubjectId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    picture(&app, id, Ask::Contents, &headers, false).await
}

/// A picture of a whole image set, with the viewer's contrast, colours and visibility unless the request says otherwise.
#[utoipa::path(get, path = "/api/v1/image-sets/{id}/preview", tag = "pictures",
    params(("id" = i64, Path, description = "The image set"), PictureQuery),
    responses(
        (status = 200, description = "The picture", content((Vec<u8> = "image/png"), (Vec<u8> = "image/jpeg"))),
        (status = 304, description = "As the `If-None-Match` says"),
        (status = 400, description = "A parameter makes no sense", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such image set or image, or nothing published", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The container is damaged", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Images of different sizes, or labels that are none", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "It cannot be read now", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn preview(
    State(app): State<App>,
    Id(id): Id<SubjectId>,
    headers: HeaderMap,
    Params(query): Params<PictureQuery>,
) -> Result<Response, Problem> {
    let size = query.size.unwrap_or(PREVIEW);
    if size == 0 || size > viewer::LONGEST_SIDE {
        return Err(odd(&size.to_string(), "`size` is a number from 1 to 4096"));
    }
    let ask = query.ask(Part::Whole(size))?;
    picture(&app, id, ask, &headers, query.v.is_some()).await
}

/// A place in the pyramid.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct Place {
    /// The image set.
    id: i64,
    /// Scale level, 0 being full resolution.
    level: u32,
    /// Row of the tile; tiles have 512 x 512 pixels of the level, those at its right and lower edge fewer.
    row: u32,
    /// Column of the tile.
    column: u32,
}

/// A tile of a picture.
#[utoipa::path(get, path = "/api/v1/image-sets/{id}/tiles/{level}/{row}/{column}", tag = "pictures",
    params(Place, PictureQuery),
    responses(
        (status = 200, description = "The tile", content((Vec<u8> = "image/png"), (Vec<u8> = "image/jpeg"))),
        (status = 304, description = "As the `If-None-Match` says"),
        (status = 400, description = "A parameter makes no sense", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such image set, image, level or tile, or nothing published", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The container is damaged", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Images of different sizes, or labels that are none", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "It cannot be read now", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn tile(
    State(app): State<App>,
    Id(place): Id<Place>,
    headers: HeaderMap,
    Params(query): Params<PictureQuery>,
) -> Result<Response, Problem> {
    let ask = query.ask(Part::Tile {
        level: place.level as usize,
        row: place.row as usize,
        column: place.column as usize,
    })?;
    picture(&app, SubjectId(place.id), ask, &headers, query.v.is_some()).await
}

/// Which labels.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct LabelQuery {
    /// Name of the label image.
    #[serde(deserialize_with = "crate::extract::bounded")]
    image: String,
    /// Anything that changes with the container: with it the answer may be kept for a day without asking again.
    #[serde(default, deserialize_with = "short")]
    v: Option<String>,
}

/// The labels of a tile: unsigned 32-bit little-endian numbers, row by row, 0 being background. As many as the tile has pixels.
#[utoipa::path(get, path = "/api/v1/image-sets/{id}/labels/{level}/{row}/{column}", tag = "pictures",
    params(Place, LabelQuery),
    responses(
        (status = 200, description = "The numbers", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 304, description = "As the `If-None-Match` says"),
        (status = 400, description = "A parameter makes no sense", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such image set, image, level or tile, or nothing published", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The container is damaged", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "It is no label image", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "It cannot be read now", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn labels(
    State(app): State<App>,
    Id(place): Id<Place>,
    headers: HeaderMap,
    Params(query): Params<LabelQuery>,
) -> Result<Response, Problem> {
    let ask = Ask::Labels {
        image: query.image,
        level: place.level as usize,
        row: place.row as usize,
        column: place.column as usize,
    };
    picture(&app, SubjectId(place.id), ask, &headers, query.v.is_some()).await
}

async fn picture(
    app: &App,
    id: SubjectId,
    ask: Ask,
    headers: &HeaderMap,
    is_versioned: bool,
) -> Result<Response, Problem> {
    let (_, path) = app.blocking(move |inner| container_of(inner, id)).await?;
    let (tag, answer) = app.published(path, ask, known(headers)).await?;
    Ok(respond(&tag, answer.as_deref(), is_versioned))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use viewer::Color;

    #[test]
    fn channels_are_written_short() {
        let channels: Vec<_> = list(Some("DAPI,a%2Cb:10:20.5,c::: ,d:::red"))
            .map(|text| channel(text.trim()))
            .collect();
        let simple = |image: &str| Channel {
            image: image.into(),
            limits: None,
            color: None,
        };
        assert_eq!(*channels[0].as_ref().unwrap(), simple("DAPI"));
        let limited = Channel {
            limits: Some((10.0, 20.5)),
            ..simple("a,b")
        };
        assert_eq!(*channels[1].as_ref().unwrap(), limited);
        assert_eq!(*channels[2].as_ref().unwrap(), simple("c"));
        let red = Channel {
            color: Some(Color(255, 0, 0)),
            ..simple("d")
        };
        assert_eq!(*channels[3].as_ref().unwrap(), red);
        for bad in [
            "a:1",
            "a:1:x",
            "a:1:inf",
            "a:1:2:rot",
            ":1:2",
            "a:1:2:red:x",
        ] {
            let problem = channel(bad).unwrap_err();
            assert_eq!(problem.code, "invalid_query", "{bad}");
        }
    }
}
