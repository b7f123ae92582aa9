//! Why wells and images are outliers, with a letter for each reason.

use std::collections::BTreeSet;

use plate::WellName;

use super::{HeatMap, Style};

/// Most reasons that get a letter of their own.
const MOST: usize = 20;

/// The reasons of a picture in the order in which they are met, row by row, with the wells that they concern.
#[derive(Debug, Default, PartialEq)]
pub struct Reasons {
    list: Vec<(String, BTreeSet<WellName>)>,
}

impl Reasons {
    /// Collects them. Images count only where images are drawn.
    pub fn of(map: &HeatMap) -> Self {
        let mut reasons = Self::default();
        for (name, well) in &map.wells {
            for reason in of_well(map.style, well) {
                match reasons.list.iter_mut().find(|(r, _)| r == reason) {
                    Some((_, wells)) => drop(wells.insert(*name)),
                    None => reasons.list.push((reason.to_owned(), [*name].into())),
                }
            }
        }
        reasons
    }

    /// Letters of a well's reasons, each once.
    pub fn letters(&self, style: Style, well: &super::Well) -> Vec<char> {
        let mut letters = Vec::new();
        for reason in of_well(style, well) {
            let index = self.list.iter().position(|(r, _)| r == reason);
            let letter = letter(index.unwrap_or(MOST));
            if !letters.contains(&letter) {
                letters.push(letter);
            }
        }
        letters
    }

    /// Letter, reason and wells; those without a letter of their own as one.
    pub fn lines(&self) -> Vec<(char, String, BTreeSet<WellName>)> {
        let mut lines: Vec<_> = self
            .list
            .iter()
            .take(MOST)
            .enumerate()
            .map(|(i, (reason, wells))| (letter(i), reason.clone(), wells.clone()))
            .collect();
        let rest = self.list.get(MOST..).unwrap_or_default();
        if !rest.is_empty() {
            let wells = rest.iter().flat_map(|(_, w)| w.iter().copied()).collect();
            lines.push((
                letter(MOST),
                format!("one of {} other reasons", rest.len()),
                wells,
            ));
        }
        lines
    }
}

fn letter(index: usize) -> char {
    char::from(b'a' + index.min(MOST) as u8)
}

fn of_well(style: Style, well: &super::Well) -> Vec<&str> {
    let images = match style {
        Style::PerWell => &[][..],
        Style::PerImage => &well.images,
    };
    let of_images = images.iter().filter_map(|i| i.outlier.as_deref());
    well.outlier
        .as_deref()
        .into_iter()
        .chain(of_images)
        .collect()
}
