//! What must hold for any image: equality with the definition, at sizes where it can be computed.

use analysis::correct::{correct, divide_by_illumination, subtract_background};
use analysis::distance::edt_squared;
use analysis::gaussian::gaussian;
use analysis::histogram::{histogram, min_max, percentile, percentiles};
use analysis::morphology::{dilation, erosion, fill_holes, white_tophat};
use analysis::threshold::{LocalMethod, local, otsu};
use analysis::{Error, distance::edt};
use ndarray::{Array2, array};

use crate::images::{Random, image, speckle};

#[test]
fn percentiles_are_values_of_sorted_order() {
    let n = 200 * 300;
    let mut random = Random::new(5);
    // Planes that mislead a sample: ties, one outlier, sorted, two far apart values, infinities.
    let planes: Vec<Vec<f32>> = vec![
        (0..n).map(|_| random.next(3) as f32).collect(),
        (0..n).map(|i| if i == 777 { -5.0 } else { 1.0 }).collect(),
        (0..n).map(|i| i as f32).collect(),
        (0..n)
            .map(|i| if i % 20 == 0 { 0.0 } else { 1e30 })
            .collect(),
        (0..n)
            .map(|i| [f32::NEG_INFINITY, -0.0, 0.0, f32::INFINITY][i % 4])
            .collect(),
        (0..n)
            .map(|i| {
                if i < n / 20 {
                    random.next(1000) as f32
                } else {
                    1e6 + random.next(1000) as f32
                }
            })
            .collect(),
    ];
    for (number, values) in planes.into_iter().enumerate() {
        let mut sorted = values.clone();
        sorted.sort_by(f32::total_cmp);
        let plane = Array2::from_shape_vec((200, 300), values).unwrap();
        for rank in [0, 1, 59, 2999, 3000, 3001, 30_000, 56_999, 59_998, 59_999] {
            let q = 100.0 * rank as f64 / (n - 1) as f64;
            let position = q / 100.0 * (n - 1) as f64;
            let found = percentile(plane.view(), q).unwrap();
            let [low, high] =
                [position.floor(), position.ceil()].map(|at| f64::from(sorted[at as usize]));
            assert!(
                low == found
                    || (low..=high).contains(&found)
                    || found.is_nan() && low.is_infinite(),
                "plane {number}, rank {rank}: {found} is not between {low} and {high}"
            );
        }
    }
}

#[test]
fn not_a_number_is_not_hidden() {
    let mut plane = Array2::from_shape_fn((200, 300), |(y, x)| (y * x) as f32);
    assert_eq!(min_max(plane.view()).unwrap(), (0.0, 199.0 * 299.0));
    plane[[199, 299]] = f32::NAN;
    assert!(
        percentiles(plane.view(), &[1.0, 99.0])
            .unwrap()
            .iter()
            .all(|value| value.is_nan())
    );
    assert!(min_max(plane.view()).unwrap().0.is_nan());
    for result in [otsu(plane.view()).err(), histogram(plane.view()).err()] {
        assert!(result.unwrap().to_string().contains("finite"));
    }
    let ones = Array2::from_elem(plane.dim(), 1.0);
    let corrected = correct(plane.view(), ones.view(), 5.0).unwrap();
    assert!(corrected.background.is_nan() && corrected.plane.iter().all(|value| value.is_nan()));
}

#[test]
fn bad_arguments_are_errors() {
    let plane = array![[1.0_f32, 2.0]];
    let other = array![[1.0_f32], [2.0]];
    let shapes = Error::Shape {
        left: (1, 2),
        right: (2, 1),
    };
    assert_eq!(
        divide_by_illumination(plane.view(), other.view()),
        Err(shapes.clone())
    );
    assert_eq!(correct(plane.view(), other.view(), 5.0), Err(shapes));
    for q in [-1.0, 100.5, f64::NAN] {
        assert!(
            matches!(percentile(plane.view(), q), Err(Error::Parameter { .. })),
            "{q}"
        );
        assert!(subtract_background(plane.clone(), q).is_err(), "{q}");
    }
    let empty = Array2::<f32>::zeros((0, 3));
    assert!(matches!(
        percentile(empty.view(), 5.0),
        Err(Error::Empty(_))
    ));
    assert!(matches!(otsu(empty.view()), Err(Error::Empty(_))));
    assert!(matches!(min_max(empty.view()), Err(Error::Empty(_))));
    // 1 and the next number: 256 bins do not fit in between.
    assert!(histogram(array![[1.0_f32, 1.0_f32.next_up()]].view()).is_err());
    assert!(histogram(array![[f32::MIN, f32::MAX]].view()).is_err());
}

/// The definition of the distance transform.
fn brute_force(mask: &Array2<bool>) -> Array2<u32> {
    let background: Vec<(usize, usize)> = mask
        .indexed_iter()
        .filter(|&(_, &inside)| !inside)
        .map(|(at, _)| at)
        .collect();
    Array2::from_shape_fn(mask.dim(), |(y, x)| {
        let square =
            |&(by, bx): &(usize, usize)| (y.abs_diff(by).pow(2) + x.abs_diff(bx).pow(2)) as u32;
        background.iter().map(square).min().unwrap()
    })
}

#[test]
fn distances_are_those_of_the_definition() {
    let mut random = Random::new(7);
    for round in 0..60 {
        // From long spans in all directions (where the row scan gives way to the envelope) to dense speckle.
        let shape = (1 + random.next(90) as usize, 1 + random.next(200) as usize);
        let rarity = [2, 10, 100, 2000, 1 << 30][round % 5];
        let mut mask = Array2::from_shape_simple_fn(shape, || random.next(rarity) > 0);
        let hole = (
            random.next(shape.0 as u64) as usize,
            random.next(shape.1 as u64) as usize,
        );
        mask[hole] = false;
        assert_eq!(
            edt_squared(mask.view()).unwrap(),
            brute_force(&mask),
            "{shape:?}, one in {rarity}"
        );
    }
    // Holes in a few columns only: most columns have none.
    let mut mask = Array2::from_elem((120, 150), true);
    for y in 40..60 {
        mask[[y, 3]] = false;
        mask[[2 * y, 149]] = false;
    }
    assert_eq!(edt_squared(mask.view()).unwrap(), brute_force(&mask));
}

#[test]
fn a_mask_too_large_for_exact_squares_is_refused() {
    let mask = Array2::from_elem((1, 46_341), true);
    assert!(edt(mask.view()).unwrap_err().to_string().contains("46340"));
}

#[test]
fn threads_do_not_change_results() {
    let plane = image((600, 450), 21);
    let single = plane.mapv(f32::from);
    let mask = speckle((600, 450), 3);
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            (
                gaussian(single.view(), 1.0).unwrap(),
                gaussian(single.view(), 6.0).unwrap(),
                erosion(plane.view(), 7).unwrap(),
                dilation(single.view(), 2).unwrap(),
                white_tophat(plane.view(), 20).unwrap(),
                edt(mask.view()).unwrap(),
                fill_holes(mask.view()),
                local(single.view(), 15, LocalMethod::Mean, 0.0).unwrap(),
            )
        })
    };
    assert!(run(1) == run(3));
}
