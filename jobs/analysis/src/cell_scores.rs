//! Scores of an antibody screen: how differently infected cells and control cells of one image or well look in a channel.
//!
//! Reproduces `batchlib.analysis.cell_level_analysis` of BatchLib (commit 713bc34), all columns within 1e-9 of the numbers that
//! its formulas give in float64. All intensities are those above the background.

mod statistics;

pub use statistics::{Population, Quantity, median, quantile};

/// What is compared: a statistic of the infected cells with one of the control cells.
struct Comparison {
    /// As it stands in the column's name, without the quantity.
    name: &'static str,
    /// Statistic of the one population.
    first: &'static str,
    /// Statistic of the other.
    second: &'static str,
}

const COMPARISONS: [Comparison; 4] = [
    Comparison {
        name: "mean",
        first: "mean",
        second: "mean",
    },
    Comparison {
        name: "q0.5",
        first: "q0.5",
        second: "q0.5",
    },
    Comparison {
        name: "q0.7_vs_q0.3",
        first: "q0.7",
        second: "q0.3",
    },
    Comparison {
        name: "q0.3_vs_q0.7",
        first: "q0.3",
        second: "q0.7",
    },
];

/// The statistics of each population that become columns, in their order.
const STATISTICS: [&str; 7] = ["q0.5", "mad", "q0.3", "q0.7", "q0.1", "q0.9", "mean"];

/// A test of whether two samples differ: probability of a difference at least as large by chance.
pub type Test = fn(&[f64], &[f64]) -> f64;

/// How p-values are computed; BatchLib's own are always NaN.
#[derive(Clone, Copy, Debug)]
pub struct Tests {
    /// Beside differences of means.
    pub of_means: Test,
    /// Beside differences of medians.
    pub of_medians: Test,
}

/// The columns of one channel, in BatchLib's order: for sums and means of cells `ratio_of_…`, `dos_of_…` (difference over sum),
/// `diff_of_…`, `pvalue_of_…` of each comparison and `robust_z_score_…`, then the statistics of both populations. What is not
/// defined (no cells, division by zero) is NaN. Comparisons of two different quantiles have no p-value.
#[must_use]
pub fn columns(
    channel: &str,
    infected: &Population,
    control: &Population,
    tests: Option<Tests>,
) -> Vec<(String, f64)> {
    let mut out = Vec::new();
    for quantity in [Quantity::Sums, Quantity::Means] {
        let (i, c) = (infected.of(quantity), control.of(quantity));
        for comparison in &COMPARISONS {
            let key = format!("{}_of_{}", comparison.name, quantity.name());
            let (first, second) = (comparison.first, comparison.second);
            let ratio = divide(i.statistic(second), c.statistic(first));
            let difference = i.statistic(first) - c.statistic(second);
            let sum = i.statistic(first) + c.statistic(second);
            let p = match (tests, comparison.name) {
                (Some(tests), "mean") => (tests.of_means)(i.values(), c.values()),
                (Some(tests), "q0.5") => (tests.of_medians)(i.values(), c.values()),
                _ => f64::NAN,
            };
            for (name, value) in [
                ("ratio", ratio),
                ("dos", divide(difference, sum)),
                ("diff", difference),
                ("pvalue", p),
            ] {
                out.push((format!("{channel}_{name}_of_{key}"), value));
            }
        }
        let z = divide(
            i.statistic("q0.5") - c.statistic("q0.5"),
            c.statistic("mad"),
        );
        out.push((format!("{channel}_robust_z_score_{}", quantity.name()), z));
    }
    for (name, population) in [("infected", infected), ("control", control)] {
        let prefix = format!("{channel}_{name}");
        let (pixels, sum) = (population.pixels(), population.sum());
        out.push((format!("{prefix}_n_pixels"), pixels));
        out.push((format!("{prefix}_sum_over_pixels"), sum));
        out.push((format!("{prefix}_mean_over_pixels"), divide(sum, pixels)));
        for quantity in [Quantity::Sums, Quantity::Means] {
            let values = population.of(quantity);
            for statistic in STATISTICS {
                out.push((
                    format!("{prefix}_{statistic}_of_cell_{}", quantity.name()),
                    values.statistic(statistic),
                ));
            }
        }
    }
    out
}

/// A quotient; NaN where the divisor is zero, for which NumPy gives infinity or NaN and BatchLib an exception.
fn divide(a: f64, b: f64) -> f64 {
    if b == 0.0 { f64::NAN } else { a / b }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn population(means: &[f64], sizes: &[f64]) -> Population {
        let sums = means.iter().zip(sizes).map(|(m, s)| m * s).collect();
        Population::new(sums, means.to_vec(), sizes.to_vec())
    }

    fn value(columns: &[(String, f64)], name: &str) -> f64 {
        let found = columns.iter().find(|(n, _)| n == name);
        found.map_or(f64::NEG_INFINITY, |(_, v)| *v)
    }

    #[test]
    fn ratios_compare_the_populations() {
        let infected = population(&[40.0, 60.0, 80.0], &[10.0, 10.0, 10.0]);
        let control = population(&[10.0, 20.0, 30.0, 40.0], &[5.0; 4]);
        let columns = columns("serum", &infected, &control, None);
        assert_eq!(columns.len(), 2 * (16 + 1) + 2 * (3 + 14));
        let is = |name: &str, expected: f64| {
            let found = value(&columns, name);
            assert!((found - expected).abs() < 1e-12, "{name}: {found}");
        };
        is("serum_ratio_of_q0.5_of_means", 60.0 / 25.0);
        is("serum_ratio_of_mean_of_means", 60.0 / 25.0);
        is("serum_dos_of_q0.5_of_means", 35.0 / 85.0);
        is("serum_diff_of_q0.5_of_means", 35.0);
        // The ratio takes the second statistic of the infected cells, the differences the first.
        is("serum_ratio_of_q0.7_vs_q0.3_of_means", 52.0 / 31.0);
        is("serum_diff_of_q0.7_vs_q0.3_of_means", 68.0 - 19.0);
        is("serum_robust_z_score_means", 35.0 / 10.0);
        is("serum_infected_n_pixels", 30.0);
        is("serum_infected_mean_over_pixels", 60.0);
        is("serum_control_mad_of_cell_means", 10.0);
        is("serum_control_q0.1_of_cell_means", 13.0);
        assert!(value(&columns, "serum_pvalue_of_mean_of_means").is_nan());
    }

    #[test]
    fn nobody_infected_gives_no_ratio() {
        let nobody = population(&[], &[]);
        let control = population(&[1.0, 2.0], &[1.0, 1.0]);
        let columns = columns("serum", &nobody, &control, None);
        for name in [
            "serum_ratio_of_q0.5_of_means",
            "serum_robust_z_score_sums",
            "serum_infected_mean_over_pixels",
        ] {
            assert!(value(&columns, name).is_nan(), "{name}");
        }
        assert!(value(&columns, "serum_infected_n_pixels").abs() < f64::EPSILON);
    }
}
