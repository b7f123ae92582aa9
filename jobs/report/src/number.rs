//! Numbers as people read them, written the same way on every machine.

/// At most four significant digits, without trailing zeros: `1.235`, `12340`, `-0.0012`, `1.2e-5`, `nan`.
#[must_use]
pub fn short(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    // Through the text of four digits, so that 9999.6 becomes 10000 and not a number of another length.
    let scientific = format!("{value:.3e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if !(-4..7).contains(&exponent) {
        return format!("{}e{exponent}", trimmed(digits));
    }
    let decimals = usize::try_from(3 - exponent).unwrap_or(0);
    let rounded: f64 = scientific.parse().unwrap_or(value);
    trimmed(&format!("{rounded:.decimals$}")).to_owned()
}

/// A coordinate with at most two decimals.
pub(crate) fn coordinate(value: f64) -> String {
    let text = format!("{value:.2}");
    match trimmed(&text) {
        "-0" => "0".to_owned(),
        text => text.to_owned(),
    }
}

fn trimmed(text: &str) -> &str {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_digits_without_zeros_at_the_end() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (1.2345, "1.234"),
            (1.2355, "1.236"),
            (-0.0012, "-0.0012"),
            (9999.6, "10000"),
            (12_344.0, "12340"),
            (1_234_567.0, "1235000"),
            (12_345_678.0, "1.235e7"),
            (0.000_012, "1.2e-5"),
            (f64::NAN, "nan"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(short(value), text, "{value}");
        }
    }

    #[test]
    fn coordinates_are_short() {
        for (value, text) in [(1.0, "1"), (-0.001, "0"), (2.345, "2.35"), (10.5, "10.5")] {
            assert_eq!(coordinate(value), text);
        }
    }
}
