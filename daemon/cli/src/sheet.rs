//! Rows of values: a table on a terminal, lines with tabs elsewhere.

use comfy_table::{Color, ContentArrangement, LineStyle, Table, TableStyle};

use crate::words::{harmless, short};

/// Longest text in a cell of a table, characters; lines have all of it.
const LONGEST: usize = 240;

/// Blanks between columns and a line below the header: what a person can copy from.
const STYLE: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('-').junction(' '));

/// How a value is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Just a value.
    Plain,
    /// All is well.
    Good,
    /// Something is going on.
    Busy,
    /// Someone should look at it.
    Bad,
}

impl Tone {
    /// The tone of a state of whatever.
    pub(crate) fn of(state: &str) -> Self {
        match state {
            "succeeded" | "done" | "online" => Self::Good,
            "failed" | "quarantined" | "done_with_failures" | "offline" | "crashed" | "blocked" => {
                Self::Bad
            }
            "running" | "retrying" | "arriving" | "stale" => Self::Busy,
            _ => Self::Plain,
        }
    }

    pub(crate) const fn color(self) -> Option<Color> {
        match self {
            Self::Plain => None,
            Self::Good => Some(Color::DarkGreen),
            Self::Busy => Some(Color::DarkYellow),
            Self::Bad => Some(Color::DarkRed),
        }
    }
}

/// A value.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    /// The name of a state, in its tone.
    pub(crate) fn state(state: &str) -> Self {
        Self {
            text: state.to_owned(),
            tone: Tone::of(state),
        }
    }

    /// A number that should be zero.
    pub(crate) fn bad(number: u64) -> Self {
        Self {
            text: number.to_string(),
            tone: if number == 0 { Tone::Plain } else { Tone::Bad },
        }
    }
}

impl<T: ToString> From<T> for Cell {
    fn from(value: T) -> Self {
        Self {
            text: value.to_string(),
            tone: Tone::Plain,
        }
    }
}

/// Rows of values below a header.
#[derive(Clone, Debug)]
pub(crate) struct Sheet {
    header: Vec<&'static str>,
    rows: Vec<(Vec<Cell>, Option<String>)>,
    hints: bool,
}

impl Sheet {
    pub(crate) fn new(header: &[&'static str]) -> Self {
        Self {
            header: header.to_vec(),
            rows: Vec::new(),
            hints: false,
        }
    }

    /// Rows may have advice: below the last cell in a table, one more column in lines.
    pub(crate) fn with_hints(mut self) -> Self {
        self.hints = true;
        self
    }

    pub(crate) fn row(&mut self, cells: Vec<Cell>) {
        self.row_with_hint(cells, None);
    }

    pub(crate) fn row_with_hint(&mut self, cells: Vec<Cell>, hint: Option<String>) {
        debug_assert_eq!(cells.len(), self.header.len());
        self.rows
            .push((cells, hint.filter(|hint| !hint.is_empty())));
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// One line a row, values separated by tabs, no header.
    pub(crate) fn lines(&self) -> String {
        let mut out = String::new();
        for (cells, hint) in &self.rows {
            let mut values: Vec<String> = cells.iter().map(|cell| harmless(&cell.text)).collect();
            if self.hints {
                values.push(harmless(hint.as_deref().unwrap_or_default()));
            }
            out.push_str(&values.join("\t"));
            out.push('\n');
        }
        out
    }

    /// A table that fits into so many columns of the terminal.
    pub(crate) fn table(&self, colour: bool, width: Option<u16>) -> String {
        let mut table = Table::new();
        table
            .load_style(STYLE)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .force_no_tty()
            .set_header(self.header.clone());
        if let Some(width) = width {
            table.set_width(width);
        }
        if colour {
            table.enforce_styling();
        }
        for (cells, hint) in &self.rows {
            let last = cells.len().saturating_sub(1);
            table.add_row(cells.iter().enumerate().map(|(at, cell)| {
                let mut text = short(&harmless(&cell.text), LONGEST);
                if let Some(hint) = hint.as_deref().filter(|_| at == last) {
                    text.push_str("\nhint: ");
                    text.push_str(&short(&harmless(hint), LONGEST));
                }
                let shown = comfy_table::Cell::new(text);
                match cell.tone.color().filter(|_| colour) {
                    Some(color) => shown.fg(color),
                    None => shown,
                }
            }));
        }
        format!("{}\n", table.trim_fmt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet() -> Sheet {
        let mut sheet = Sheet::new(&["ID", "STATE", "ERROR"]).with_hints();
        sheet.row(vec![1.into(), Cell::state("succeeded"), "".into()]);
        sheet.row_with_hint(
            vec![
                2.into(),
                Cell::state("failed"),
                "the file\tends\nearly".into(),
            ],
            Some("copy it again".to_owned()),
        );
        sheet
    }

    #[test]
    fn lines_have_one_value_a_column() {
        assert_eq!(
            sheet().lines(),
            "1\tsucceeded\t\t\n2\tfailed\tthe file ends early\tcopy it again\n"
        );
    }

    #[test]
    fn tables_have_a_header_and_advice_below() {
        let table = sheet().table(false, Some(60));
        let lines: Vec<_> = table.lines().collect();
        assert_eq!(lines.len(), 5, "{table}");
        assert!(
            lines[0].contains("ID") && lines[0].contains("ERROR"),
            "{table}"
        );
        assert!(
            lines[3].contains("failed") && lines[3].contains("the file ends early"),
            "{table}"
        );
        assert!(lines[4].trim() == "hint: copy it again", "{table}");
        assert!(!table.contains('\u{1b}'));
    }

    #[test]
    fn tables_fit_the_terminal() {
        let mut sheet = Sheet::new(&["ID", "ERROR"]);
        sheet.row(vec![
            1.into(),
            "many words that do not fit into one line of a small terminal".into(),
        ]);
        let table = sheet.table(false, Some(30));
        assert!(
            table.lines().all(|line| line.chars().count() <= 30),
            "{table}"
        );
        assert!(table.lines().count() > 3, "{table}");
    }

    #[test]
    fn only_asked_for_colours_are_there() {
        let red = sheet().table(true, Some(60));
        assert!(red.contains("\u{1b}["), "{red}");
    }
}
