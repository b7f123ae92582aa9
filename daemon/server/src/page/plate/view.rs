//! What the page of a plate shows, as its address says it.

use serde::Deserialize;

use crate::extract::{empty_is_none, short};
use crate::page::layout::Notice;
use crate::page::show::encode;

/// The word for a contrast of each picture's own.
const EACH: &str = "each";

/// How the wells are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    /// How far each is.
    #[default]
    State,
    /// A column of a table, as colours.
    HeatMap,
    /// A picture of each.
    Pictures,
}

impl Mode {
    pub(crate) const ALL: [(Self, &'static str, &'static str); 3] = [
        (Self::State, "state", "State"),
        (Self::HeatMap, "heatmap", "Heat map"),
        (Self::Pictures, "thumbnail", "Images"),
    ];

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::HeatMap => "heatmap",
            Self::Pictures => "thumbnail",
        }
    }
}

impl std::str::FromStr for Mode {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|(_, known, _)| *known == word);
        found
            .map(|(mode, ..)| *mode)
            .ok_or_else(|| format!("`{word}` is not one of state, heatmap, thumbnail"))
    }
}

/// What the address says.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Query {
    #[serde(default, deserialize_with = "empty_is_none")]
    pub mode: Option<Mode>,
    /// Selected wells.
    #[serde(default, deserialize_with = "short")]
    pub well: Option<String>,
    /// The column of a heat map: `table:column`.
    #[serde(default, deserialize_with = "short")]
    pub show: Option<String>,
    #[serde(default, deserialize_with = "empty_is_none")]
    pub low: Option<f64>,
    #[serde(default, deserialize_with = "empty_is_none")]
    pub high: Option<f64>,
    /// Which of a well's sites the pictures show, counted from 1.
    #[serde(default, deserialize_with = "empty_is_none")]
    pub site: Option<usize>,
    /// `each`: every picture has a contrast of its own instead of the plate's.
    #[serde(default, deserialize_with = "short")]
    pub contrast: Option<String>,
    #[serde(flatten)]
    pub notice: Notice,
}

impl Query {
    pub(crate) fn mode(&self) -> Mode {
        self.mode.unwrap_or_default()
    }

    /// Table and column of a heat map.
    pub(crate) fn shown(&self) -> Option<(String, String)> {
        let (table, column) = self.show.as_deref()?.split_once(':')?;
        (!table.is_empty() && !column.is_empty()).then(|| (table.to_owned(), column.to_owned()))
    }

    /// Whether every picture has a contrast of its own.
    pub(crate) fn own_contrast(&self) -> bool {
        self.contrast.as_deref() == Some(EACH)
    }

    /// The range of the colours, if there is a sensible one.
    pub(crate) fn range(&self) -> Option<(f64, f64)> {
        let (low, high) = (self.low?, self.high?);
        (low.is_finite() && high.is_finite() && low < high).then_some((low, high))
    }

    /// The address of the page in this or another mode, with what else is chosen; without wells.
    pub(crate) fn address(&self, plate: i64, mode: Mode) -> String {
        let mut pairs = Vec::new();
        if mode != Mode::State {
            pairs.push(("mode", mode.word().to_owned()));
        }
        if let Some(show) = self.show.clone().filter(|_| mode == Mode::HeatMap) {
            pairs.push(("show", show));
            let ends = self
                .range()
                .map(|(low, high)| [("low", low.to_string()), ("high", high.to_string())]);
            pairs.extend(ends.into_iter().flatten());
        }
        if let Some(site) = self.site.filter(|_| mode == Mode::Pictures) {
            pairs.push(("site", site.to_string()));
        }
        if self.own_contrast() && mode == Mode::Pictures {
            pairs.push(("contrast", EACH.to_owned()));
        }
        let query: Vec<_> = pairs
            .iter()
            .map(|(name, value)| format!("{name}={}", encode(value)))
            .collect();
        match query.is_empty() {
            true => format!("/plates/{plate}"),
            false => format!("/plates/{plate}?{}", query.join("&")),
        }
    }

    /// The same with wells.
    pub(crate) fn address_of(&self, plate: i64, mode: Mode, wells: &str) -> String {
        let address = self.address(plate, mode);
        if wells.is_empty() {
            return address;
        }
        let joint = if address.contains('?') { '&' } else { '?' };
        format!("{address}{joint}well={}", encode(wells))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_keep_what_belongs_to_the_mode() {
        let query = Query {
            mode: Some(Mode::HeatMap),
            show: Some("wells/default:n a".to_owned()),
            low: Some(0.5),
            high: Some(2.0),
            site: Some(3),
            contrast: Some("each".to_owned()),
            ..Query::default()
        };
        assert_eq!(query.address(7, Mode::State), "/plates/7");
        assert_eq!(
            query.address_of(7, Mode::State, "A01"),
            "/plates/7?well=A01"
        );
        assert_eq!(
            query.address_of(7, Mode::HeatMap, "A01,B02"),
            "/plates/7?mode=heatmap&show=wells%2Fdefault%3An%20a&low=0.5&high=2&well=A01,B02"
        );
        assert_eq!(
            query.address(7, Mode::Pictures),
            "/plates/7?mode=thumbnail&site=3&contrast=each"
        );
        assert_eq!(
            query.shown(),
            Some(("wells/default".to_owned(), "n a".to_owned()))
        );
    }

    #[test]
    fn odd_ranges_are_none() {
        let query = |low, high| Query {
            low,
            high,
            ..Query::default()
        };
        assert_eq!(query(Some(1.0), None).range(), None);
        assert_eq!(query(Some(2.0), Some(1.0)).range(), None);
        assert_eq!(query(Some(1.0), Some(f64::INFINITY)).range(), None);
        assert_eq!(query(Some(1.0), Some(2.0)).range(), Some((1.0, 2.0)));
    }
}
