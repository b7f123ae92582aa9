//! Plates and roots by id or name.

use crate::error::{Error, Exit, Result};
use crate::http::Client;
use crate::wire::{Page, Plate, Root};

/// The plate with this id or name. A name of digits only is found too, unless it is the id of another plate.
pub(crate) fn plate(client: &Client, name: &str) -> Result<Plate> {
    if let Ok(id) = name.parse::<u32>() {
        match client.get(&format!("/api/v1/plates/{id}"), &[]) {
            Ok(answer) => return answer.read(),
            Err(error) if error.exit == Exit::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    let mut same = named(client, name)?;
    match (same.pop(), same.is_empty()) {
        (Some(plate), true) => Ok(plate),
        (Some(plate), false) => {
            same.push(plate);
            let ids: Vec<_> = same.iter().map(|plate| format!("{} ({})", plate.id, plate.directory)).collect();
            let message = format!("{} plates are called `{name}`: {}", same.len(), ids.join(", "));
            Err(Error::new(Exit::Usage, message).hint("give the id of the one you mean"))
        }
        (None, _) => Err(Error::new(Exit::NotFound, format!("there is no plate `{name}`"))
            .hint("see `wellspring plates list`; a new folder is a plate as soon as its first image is whole")),
    }
}

/// The id of the plate with this id or name.
pub(crate) fn plate_id(client: &Client, name: &str) -> Result<i64> {
    plate(client, name).map(|plate| plate.id)
}

/// All plates that are called so.
fn named(client: &Client, name: &str) -> Result<Vec<Plate>> {
    let mut found = Vec::new();
    let mut after = None;
    loop {
        // The daemon looks for names that contain the text.
        let mut query = vec![("q", name.to_owned()), ("limit", "1000".to_owned())];
        query.extend(after.map(|id: i64| ("after", id.to_string())));
        let page: Page<Plate> = client.get("/api/v1/plates", &query)?.read()?;
        let empty = page.items.is_empty();
        found.extend(
            page.items
                .into_iter()
                .filter(|plate| plate.name == name || plate.key == name),
        );
        after = page.next;
        if after.is_none() || empty {
            return Ok(found);
        }
    }
}

/// The root with this id, name or path.
pub(crate) fn root(client: &Client, name: &str) -> Result<Root> {
    let page: Page<Root> = client.get("/api/v1/roots", &[])?.read()?;
    let path = name.trim_end_matches('/');
    let is = |root: &&Root| {
        root.id.to_string() == name || root.name == name || (!path.is_empty() && root.path == path)
    };
    let mut same = page.items.iter().filter(is);
    match (same.next(), same.next()) {
        (Some(root), None) => Ok(root.clone()),
        (Some(_), Some(_)) => Err(Error::new(
            Exit::Usage,
            format!("more than one root is called `{name}`"),
        )
        .hint("give its path, or its id as in `wellspring roots list`")),
        (None, _) => Err(
            Error::new(Exit::NotFound, format!("there is no root `{name}`"))
                .hint("see `wellspring roots list` for ids, names and paths"),
        ),
    }
}
