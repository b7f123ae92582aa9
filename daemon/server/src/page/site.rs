//! The page of an image set: its image with label outlines, and its objects as a table. The script `site.js` makes the image one that
//! is panned and zoomed, and links it with the table and a scatter plot; without it a form does the same in steps.

mod address;
pub(super) mod contents;
mod drawing;
mod objects;
mod place;
mod scripts;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use queue::{PlateId, SubjectId};
use viewer::{Ask, Identity};

use self::address::Address;
use self::contents::Contents;
use self::drawing::Drawing;
use self::objects::{Objects, TableChoice};
use self::place::Place;
pub(super) use self::scripts::SCRIPTS;
use super::layout::Layout;
use super::render;
use crate::app::App;
use crate::extract::{Id, parse_query};
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "site.html")]
struct SitePage {
    layout: Layout,
    place: Place,
    /// What of the address is true for the next image set too: a query, or nothing.
    keep: String,
    /// Names the state of the container; empty before there is one.
    version: String,
    /// What can be looked at; `None` before anything is published, or if it cannot be read.
    shown: Option<Shown>,
    /// Why it cannot be read.
    problem: Option<Problem>,
}

/// What can be looked at.
struct Shown {
    /// For the script: the images with their levels.
    contents: String,
    height: usize,
    width: usize,
    drawing: Drawing,
    picture: Option<String>,
    /// Images of another size.
    others: Vec<String>,
    tables: Vec<TableChoice>,
    /// The chosen table; empty if there is none.
    table: String,
    /// Its label image; empty if it has none.
    labels: String,
    files: Vec<(&'static str, String)>,
    objects: Option<Objects>,
    /// Why the table cannot be read.
    problem: Option<Problem>,
    /// What the form of the image hands on, and what that of the table does.
    of_table: Vec<(String, String)>,
    of_image: Vec<(String, String)>,
    path: String,
}

pub(super) async fn page(
    State(app): State<App>,
    Id((plate, subject)): Id<(PlateId, SubjectId)>,
    RawQuery(text): RawQuery,
) -> Result<Response, Problem> {
    let path = format!("/plates/{plate}/sites/{subject}");
    let address = Address::new(path, parse_query(&text.unwrap_or_default())?);
    let place = app
        .blocking(move |inner| place::place(inner, plate, subject))
        .await?;
    let (version, shown) = match place.container.clone() {
        None => (String::new(), Ok(None)),
        Some(container) => {
            let looked = container.clone();
            let version = app
                .blocking(move |_| Identity::of(&looked))
                .await
                .map(|identity| identity.version());
            match version {
                Err(problem) => (String::new(), Err(problem)),
                Ok(version) => {
                    let shown = shown(&app, subject, container, &version, &address).await;
                    (version, shown)
                }
            }
        }
    };
    let (shown, problem) = match shown {
        Ok(shown) => (shown, None),
        Err(problem) => (None, Some(problem)),
    };
    let layout = Layout::new(&app, place.title(), "plates").live(address.with(&[]), Some(plate));
    // Not where one looks, nor at what.
    let here = ["y", "x", "zoom", "object", "after"].map(|name| (name, ""));
    let keep = address.with(&here);
    let keep = keep.strip_prefix(address.path()).unwrap_or_default();
    render(&SitePage {
        keep: keep.to_owned(),
        layout,
        place,
        version,
        shown,
        problem,
    })
}

async fn shown(
    app: &App,
    subject: SubjectId,
    container: std::path::PathBuf,
    version: &str,
    address: &Address,
) -> Result<Option<Shown>, Problem> {
    let json = told(app, container.clone(), Ask::Contents).await?;
    let contents: Contents = serde_json::from_slice(&json).map_err(|error| odd(&error))?;
    let text = String::from_utf8_lossy(&json).into_owned();
    let (contents, others) = contents.of_one_size();
    let (height, width) = contents.size().unwrap_or_default();
    let drawing = Drawing::new(&contents, address);
    let (tables, chosen) = objects::choices(&contents, address);
    let mut problem = None;
    let mut rows = None;
    if let Some(table) = &chosen {
        let ask = objects::ask(&table.name, address);
        match told(app, container, ask).await {
            Ok(json) => rows = Some(Objects::new(&json, address).map_err(|error| odd(&error))?),
            Err(error) => problem = Some(error),
        }
    }
    let table = chosen
        .as_ref()
        .map(|table| table.name.clone())
        .unwrap_or_default();
    Ok(Some(Shown {
        contents: text,
        height,
        width,
        picture: drawing.picture(subject.0, version),
        drawing,
        others,
        files: match table.is_empty() {
            true => Vec::new(),
            false => objects::files(subject.0, &table),
        },
        tables,
        labels: chosen.and_then(|table| table.labels).unwrap_or_default(),
        table,
        objects: rows,
        problem,
        of_table: address.others(Drawing::has_field),
        of_image: address.others(|name| ["table", "sort", "after", "object"].contains(&name)),
        path: address.path().to_owned(),
    }))
}

/// The content of an answer about a container.
async fn told(app: &App, container: std::path::PathBuf, ask: Ask) -> Result<Vec<u8>, Problem> {
    let (_, answer) = app.published(container, ask, None).await?;
    Ok(answer
        .map(|answer| answer.bytes.clone())
        .unwrap_or_default())
}

fn odd(error: &serde_json::Error) -> Problem {
    Problem::internal(format!("what the container has is told oddly: {error}"))
}
