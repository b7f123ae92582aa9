//! Results, and whether those of both sides agree: a time counts only then.

use std::ops::Range;

use analysis::accelerator::PlaneBuf;
use analysis::pixel_features::{Feature, Selection};
use ndarray::{Array4, Axis, s};

/// ilastik's own rule for results of different machines: fewer than this share of the values may differ by `RULE_SMALL` or more,
/// none by `RULE_LARGE`.
const RULE_SHARE: f64 = 0.001;
const RULE_SMALL: f32 = 0.015;
const RULE_LARGE: f32 = 0.15;

pub enum Answer {
    Planes(Vec<PlaneBuf>),
    /// (column, z, y, x), cut along y.
    Columns(Vec<Array4<f32>>),
    Floats(Vec<f32>),
    Numbers(Vec<f64>),
}

/// How close two answers must be.
pub enum Closeness {
    Exact,
    /// Relative to the largest magnitude of all values.
    Relative(f32),
    /// Relative to the largest magnitude of each group.
    Columns(Vec<Group>, f32),
    /// ilastik's rule.
    Rule,
}

/// Columns that have a magnitude in common: those of one feature.
pub struct Group {
    columns: Range<usize>,
    /// Their magnitude if they have less: what rounding leaves of an image without structure.
    noise: f32,
}

/// The groups of an image of one channel whose largest value is `input`.
pub fn groups(selection: &Selection, flat: bool, input: f32) -> Vec<Group> {
    let columns = selection.columns(1, flat);
    columns
        .iter()
        .map(|column| Group {
            columns: column.first..column.first + column.count,
            noise: match column.feature {
                // Squares.
                Feature::StructureTensorEigenvalues => input * input * 1e-7,
                _ => input,
            },
        })
        .collect()
}

/// What is wrong, in words.
pub fn compared(ours: &Answer, reference: &Answer, closeness: &Closeness) -> Option<String> {
    match (ours, reference) {
        (Answer::Planes(ours), Answer::Planes(reference)) => planes(ours, reference, closeness),
        (Answer::Columns(ours), Answer::Columns(reference)) => columns(ours, reference, closeness),
        (Answer::Floats(ours), Answer::Floats(reference)) => values(ours, reference, closeness),
        (Answer::Numbers(ours), Answer::Numbers(reference)) => numbers(ours, reference),
        _ => Some("results of different kinds".to_owned()),
    }
}

fn planes(ours: &[PlaneBuf], reference: &[PlaneBuf], closeness: &Closeness) -> Option<String> {
    if ours.len() != reference.len() {
        return Some(format!("{} planes, not {}", ours.len(), reference.len()));
    }
    let pairs = ours.iter().zip(reference);
    pairs
        .map(|pair| match pair {
            (PlaneBuf::F32(a), PlaneBuf::F32(b)) if a.dim() == b.dim() => values(
                a.as_slice().unwrap_or_default(),
                b.as_slice().unwrap_or_default(),
                closeness,
            ),
            (a, b) => (a != b).then(|| "planes differ".to_owned()),
        })
        .find_map(|wrong| wrong)
}

/// The reference is in one piece. They are large: nothing is copied.
fn columns(
    ours: &[Array4<f32>],
    reference: &[Array4<f32>],
    closeness: &Closeness,
) -> Option<String> {
    let [reference] = reference else {
        return Some("a reference in pieces".to_owned());
    };
    if let ([ours], Closeness::Exact | Closeness::Relative(_) | Closeness::Rule) = (ours, closeness)
    {
        let (ours, reference) = (ours.as_slice(), reference.as_slice());
        return values(
            ours.unwrap_or_default(),
            reference.unwrap_or_default(),
            closeness,
        );
    }
    let Closeness::Columns(groups, by) = closeness else {
        return Some("strips of something else than features".to_owned());
    };
    groups.iter().find_map(|Group { columns, noise }| {
        let reference = reference.slice(s![columns.clone(), .., .., ..]);
        let largest = reference.iter().fold(*noise, |most, v| most.max(v.abs()));
        let allowed = by * largest;
        let (mut row, mut worst) = (0, 0f32);
        for strip in ours {
            let rows = row..row + strip.len_of(Axis(2));
            row = rows.end;
            let ours = strip.slice(s![columns.clone(), .., .., ..]);
            let reference = reference.slice(s![.., .., rows, ..]);
            worst = apart(&ours, &reference).fold(worst, f32::max);
        }
        let complete = row == reference.len_of(Axis(2));
        (!complete || worst > allowed)
            .then(|| format!("columns {columns:?}: {worst} apart, allowed {allowed}"))
    })
}

fn values(ours: &[f32], reference: &[f32], closeness: &Closeness) -> Option<String> {
    if ours.len() != reference.len() {
        return Some(format!("{} values, not {}", ours.len(), reference.len()));
    }
    let allowed = match closeness {
        Closeness::Exact | Closeness::Columns(..) => 0.0,
        Closeness::Relative(by) => by * magnitude(reference),
        Closeness::Rule => {
            let (share, worst) = deviation(ours, reference);
            let fine = share < RULE_SHARE && worst < RULE_LARGE;
            return (!fine).then(|| format!("{:.3} % differ, by {worst} at most", 100.0 * share));
        }
    };
    let worst = apart(ours, reference).fold(0f32, f32::max);
    (worst > allowed).then(|| format!("{worst} apart, allowed {allowed}"))
}

fn magnitude(values: &[f32]) -> f32 {
    values
        .iter()
        .fold(0f32, |most, value| most.max(value.abs()))
}

/// Differences; a number and no number are infinitely far apart.
fn apart<'a>(
    ours: impl IntoIterator<Item = &'a f32>,
    reference: impl IntoIterator<Item = &'a f32>,
) -> impl Iterator<Item = f32> {
    ours.into_iter().zip(reference).map(|(a, b)| match a - b {
        by if !by.is_nan() => by.abs(),
        _ if a.to_bits() == b.to_bits() => 0.0,
        _ => f32::INFINITY,
    })
}

/// The share of probabilities that differ noticeably, and the largest difference.
pub fn deviation(ours: &[f32], reference: &[f32]) -> (f64, f32) {
    let many = apart(ours, reference).filter(|&by| by >= RULE_SMALL);
    let many = many.count();
    let worst = apart(ours, reference).fold(0f32, f32::max);
    (many as f64 / ours.len().max(1) as f64, worst)
}

/// Measurements: to a millionth.
fn numbers(ours: &[f64], reference: &[f64]) -> Option<String> {
    if ours.len() != reference.len() {
        return Some(format!("{} numbers, not {}", ours.len(), reference.len()));
    }
    let mut pairs = ours.iter().zip(reference);
    pairs
        .find(|(a, b)| (*a - *b).abs() > 1e-6 * b.abs().max(1.0))
        .map(|(a, b)| format!("{a} instead of {b}"))
}
