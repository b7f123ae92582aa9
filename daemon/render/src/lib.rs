//! Reads published containers for the daemon's pages: pictures, tiles, label numbers, tables, heat maps.
//!
//! Runs in a process of its own, `wellspring render`, which the crate `viewer` starts and asks. Pictures are made from the
//! pyramid level that is nearest in size; images are planes in (y, x) order.

mod contents;
mod encode;
mod error;
mod heat_map;
mod label;
mod look;
mod open;
mod picture;
mod table;

use viewer::{Answer, Ask, Question, Refusal};

use open::Opened;

/// Answers questions, and keeps the last containers open.
#[derive(Debug, Default)]
pub struct Renderer {
    opened: Opened,
}

impl Renderer {
    /// Answers one question.
    ///
    /// # Errors
    /// The container or what is asked of it is missing, damaged, or does not fit the question.
    pub fn answer(&mut self, question: &Question) -> Result<Answer, Refusal> {
        let file = self.opened.open(&question.path)?;
        match &question.ask {
            Ask::Contents => contents::contents(&file.container),
            Ask::Picture {
                part,
                channels,
                overlays,
                encoding,
            } => picture::picture(&file.container, *part, channels, overlays, *encoding),
            Ask::Labels {
                image,
                level,
                row,
                column,
            } => label::tile(&file.container, image, *level, *row, *column),
            Ask::Table {
                name,
                columns,
                sort,
                descending,
                from,
                limit,
                format,
            } => {
                let order = sort.as_deref().map(|column| (column, *descending));
                let table = file.table(name)?;
                table::rows(&table, name, columns, order, (*from, *limit), *format)
            }
            Ask::HeatMap {
                plate,
                format,
                table,
                column,
                sites,
                range,
                form,
            } => {
                let name = table;
                let table = file.table(name)?;
                heat_map::heat_map(&table, (plate, name, column), *format, sites, *range, *form)
            }
        }
    }
}
