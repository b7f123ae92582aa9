//! Cells as text, written and read as NumPy and BatchLib do.

use super::Values;

/// Bytes of a cell in a container (NumPy type `S100`).
pub const CELL_BYTES: usize = 100;

/// Writes a number as NumPy's `str`: the shortest text that reads back equal, `0.0`, `1e-05`, `1e+16`, `nan`, `inf`.
#[must_use]
pub fn float_text(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let size = value.abs();
    let positional = size == 0.0 || (1e-4..1e16).contains(&size);
    let mut text = if positional {
        format!("{value:?}")
    } else {
        format!("{value:e}")
    };
    let digits = text
        .split('e')
        .next()
        .unwrap_or_default()
        .bytes()
        .filter(u8::is_ascii_digit)
        .count();
    if digits >= TIE_DIGITS {
        let even = if positional {
            even_at_ties(&text, value)
        } else {
            format!("{value:.*e}", digits - 1)
        };
        if even.parse() == Ok(value) {
            text = even;
        }
    }
    if positional {
        return text;
    }
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = exponent
        .strip_prefix('-')
        .map_or(('+', exponent), |e| ('-', e));
    format!("{digits}e{sign}{exponent:0>2}")
}

/// With fewer digits no number lies exactly between two texts that both read back as it.
const TIE_DIGITS: usize = 15;

/// The same number of decimals, but rounded to even where two texts are equally near, as NumPy and Python do.
fn even_at_ties(text: &str, value: f64) -> String {
    let decimals = text.split_once('.').map_or(0, |(_, d)| d.len());
    format!("{value:.decimals$}")
}

/// The text of one cell, at most [`CELL_BYTES`] bytes long (cut between characters). `as_float` writes whole numbers with
/// a decimal point.
#[must_use]
#[allow(clippy::cast_precision_loss)]
pub fn cell(values: &Values, row: usize, as_float: bool) -> String {
    match values {
        Values::Int(v) if as_float => float_text(v[row] as f64),
        Values::Int(v) => v[row].to_string(),
        Values::Float(v) => float_text(v[row]),
        Values::Text(v) => {
            let mut end = v[row].len().min(CELL_BYTES);
            while !v[row].is_char_boundary(end) {
                end -= 1;
            }
            v[row][..end].to_owned()
        }
    }
}

/// Reads a column as BatchLib's `read_table`: whole numbers if all cells are, else real numbers if all are, else text.
#[must_use]
pub fn parse_column(cells: &[&str]) -> Values {
    fn all<T: std::str::FromStr>(cells: &[&str]) -> Option<Vec<T>> {
        cells.iter().map(|c| c.trim().parse().ok()).collect()
    }
    if let Some(ints) = all(cells) {
        return Values::Int(ints);
    }
    if let Some(floats) = all(cells) {
        return Values::Float(floats);
    }
    Values::Text(cells.iter().map(|c| (*c).to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_look_like_numpys() {
        for (value, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1_234_567.125, "1234567.125"),
            (4.223_618_090_452_261, "4.223618090452261"),
            // Exactly between ...312 and ...313.
            (3_248_361.0 / 32_768.0, "99.13211059570312"),
            (-351_878_757.0 / 4_096.0, "-85907.89965820312"),
            (1e-4, "0.0001"),
            (1e-5, "1e-05"),
            (-1.5e-7, "-1.5e-07"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.25e300, "1.25e+300"),
            (f64::NAN, "nan"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(float_text(value), text);
        }
    }

    #[test]
    fn columns_are_whole_then_real_then_text() {
        assert_eq!(parse_column(&["1", "-2"]), Values::Int(vec![1, -2]));
        assert_eq!(parse_column(&["1", "2.5"]), Values::Float(vec![1.0, 2.5]));
        assert!(
            matches!(parse_column(&["nan", "1"]), Values::Float(v) if v[0].is_nan() && (v[1] - 1.0).abs() < 1e-12)
        );
        assert_eq!(
            parse_column(&["1", "none"]),
            Values::Text(vec!["1".to_owned(), "none".to_owned()])
        );
        assert_eq!(parse_column(&[]), Values::Int(vec![]));
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        let text = "x".repeat(99) + "é";
        assert_eq!(cell(&Values::Text(vec![text]), 0, false), "x".repeat(99));
    }
}
