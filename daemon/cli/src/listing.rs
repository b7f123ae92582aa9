//! Lists that come in parts.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::args::CursorArgs;
use crate::console::Console;
use crate::error::Result;
use crate::http::Client;
use crate::wire::Page;

/// Most rows that the daemon gives at a time.
const MOST: u32 = 1000;

/// Rows as they came, and where the next ones start.
pub(crate) struct Listing {
    items: Vec<Value>,
    next: Option<i64>,
}

impl Listing {
    /// Asks until there are so many rows or no more.
    pub(crate) fn fetch(
        client: &Client,
        path: &str,
        filter: &[(&str, String)],
        cursor: CursorArgs,
    ) -> Result<Self> {
        let mut listing = Self {
            items: Vec::new(),
            next: cursor.after,
        };
        loop {
            let left = cursor
                .limit
                .saturating_sub(u32::try_from(listing.items.len()).unwrap_or(u32::MAX));
            let mut query = filter.to_vec();
            query.push(("limit", left.min(MOST).to_string()));
            if let Some(after) = listing.next {
                query.push(("after", after.to_string()));
            }
            let page: Page<Value> = client.get(path, &query)?.read()?;
            let got = u32::try_from(page.items.len()).unwrap_or(u32::MAX);
            listing.items.extend(page.items);
            listing.next = page.next;
            // A part without rows would make this go on for ever.
            if listing.next.is_none() || got == 0 || got >= left {
                return Ok(listing);
            }
        }
    }

    /// The rows as what they stand for.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<Vec<T>> {
        let rows = self.items.iter().map(|item| T::deserialize(item));
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The list as one part.
    pub(crate) fn value(&self) -> Value {
        json!({ "items": self.items, "next": self.next })
    }

    /// Says that there is more.
    pub(crate) fn note_rest(&self, console: &Console) {
        if let Some(next) = self.next {
            console.note(format!(
                "there are more: --after {next}, or a larger --limit"
            ));
        }
    }
}
