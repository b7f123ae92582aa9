//! Position and size of each object, as BatchLib's tables have them.

use ndarray::ArrayView2;

use super::columns::{ColumnValues, Measurements, Shape};
use super::geometry;
use super::objects::Objects;

/// The columns, and those of [`super::objects`] that they are.
const COLUMNS: [(&str, &str); 7] = [
    ("anchor_y", "centroid_y"),
    ("anchor_x", "centroid_x"),
    ("bb_min_y", "bbox_min_y"),
    ("bb_min_x", "bbox_min_x"),
    ("bb_max_y", "bbox_max_y"),
    ("bb_max_x", "bbox_max_x"),
    ("size", "area"),
];

/// The table of BatchLib's SegmentationProperties: for each object of a label image (y, x) its centre (`anchor`), its bounding
/// box (the maxima are not inside any more) and its number of pixels, all in pixels.
///
/// The first row is the background, label 0, of which nothing is known (NaN); it is there even where no pixel is background.
/// Reproduces `skimage.measure.regionprops`, integers exactly, centres to 1e-12 (relative).
#[must_use]
pub fn properties(labels: ArrayView2<'_, u32>) -> Measurements {
    let objects = Objects::find(labels);
    let shapes = [Shape::Centroid, Shape::Bbox, Shape::Area];
    let measured = Measurements {
        columns: geometry::columns(&objects, labels, &shapes),
        labels: objects.labels,
    };
    let mut rows = vec![0];
    rows.extend(&measured.labels);
    let ids = rows.iter().map(|&label| label.into()).collect();
    let mut columns = vec![("label_id".to_owned(), ColumnValues::Int(ids))];
    for (name, measure) in COLUMNS {
        let of = measured.column(measure);
        let values = (0..measured.labels.len()).filter_map(|row| of?.get(row));
        let values = std::iter::once(f64::NAN).chain(values).collect();
        columns.push((name.to_owned(), ColumnValues::Float(values)));
    }
    Measurements {
        labels: rows,
        columns,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use ndarray::{Array2, array};

    use super::*;

    #[test]
    fn the_background_is_the_first_row_always() {
        let found = properties(array![[3, 3], [3, 9]].view());
        assert_eq!(found.labels, [0, 3, 9]);
        let row = |row| -> Vec<f64> {
            let values = found
                .columns
                .iter()
                .map(|(_, values)| values.get(row).unwrap());
            values.collect()
        };
        assert!(row(0)[1..].iter().all(|v| v.is_nan()) && row(0)[0] == 0.0);
        let third = 1.0 / 3.0;
        assert_eq!(row(1), [3.0, third, third, 0.0, 0.0, 2.0, 2.0, 3.0]);
        assert_eq!(row(2), [9.0, 1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 1.0]);
        for shape in [(0, 0), (3, 4)] {
            let found = properties(Array2::zeros(shape).view());
            assert_eq!(found.columns.len(), 8);
            assert!(found.columns.iter().all(|(_, values)| values.len() == 1));
        }
    }
}
