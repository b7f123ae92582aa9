//! Several z-slices become one plane.

use config::Projection;
use image_io::Pixels;
use ndarray::{Array2, Zip};

use crate::error::Failure;

/// Projects slices of equal shape and type onto one plane; one slice is passed through untouched.
///
/// `max` takes the brightest value, `mean` the arithmetic mean (float32), `middle` the slice number `n / 2`;
/// `none` allows one slice only.
///
/// # Errors
/// No slices, slices of different shape or type, or several slices without a projection.
pub fn project(mut slices: Vec<Pixels>, how: Projection) -> Result<Pixels, Failure> {
    let different = |a: &Pixels, b: &Pixels| {
        Failure::permanent(
            "z-slices-differ",
            format!(
                "z-slices differ: {:?} {} and {:?} {}",
                a.shape(),
                a.pixel_type().name(),
                b.shape(),
                b.pixel_type().name()
            ),
            "check the acquisition: all slices of a site must have one size and type",
        )
    };
    if slices.len() <= 1 {
        return slices.pop().ok_or_else(|| {
            Failure::permanent(
                "no-slices",
                "no z-slice of the channel was given",
                "check the file names with `wellspring names test`",
            )
        });
    }
    if let Some(other) = slices
        .iter()
        .find(|s| s.shape() != slices[0].shape() || s.pixel_type() != slices[0].pixel_type())
    {
        return Err(different(&slices[0], other));
    }
    match how {
        Projection::None => Err(Failure::permanent(
            "several-z-slices",
            format!(
                "a channel has {} z-slices, and the workflow does not say what to do with them",
                slices.len()
            ),
            "write `projection = \"max\"` (or mean, middle) under [z] in the workflow",
        )),
        Projection::Middle => Ok(slices.swap_remove(slices.len() / 2)),
        Projection::Mean => Ok(Pixels::F32(mean(&slices))),
        Projection::Max => {
            let mut rest = slices.into_iter();
            let Some(mut out) = rest.next() else {
                return Err(Failure::permanent(
                    "no-slices",
                    "no z-slice was given",
                    "report this",
                ));
            };
            for slice in rest {
                max_into(&mut out, &slice);
            }
            Ok(out)
        }
    }
}

#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
fn mean(slices: &[Pixels]) -> Array2<f32> {
    let mut sum = Array2::<f64>::zeros(slices[0].shape());
    for slice in slices {
        Zip::from(&mut sum)
            .and(&slice.to_f32())
            .for_each(|s, &v| *s += f64::from(v));
    }
    let n = slices.len() as f64;
    sum.mapv(|v| (v / n) as f32)
}

fn max_into(out: &mut Pixels, slice: &Pixels) {
    macro_rules! arms {
        ($($kind:ident),*) => {
            match (out, slice) {
                $((Pixels::$kind(a), Pixels::$kind(b)) => Zip::from(a).and(b).for_each(|a, &b| if b > *a { *a = b }),)*
                _ => {}
            }
        };
    }
    arms!(U8, U16, U32, U64, I8, I16, I32, I64, F32, F64);
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn projections() {
        let slices = || {
            vec![
                Pixels::U8(array![[1, 9]]),
                Pixels::U8(array![[4, 2]]),
                Pixels::U8(array![[7, 1]]),
            ]
        };
        assert_eq!(
            project(slices(), Projection::Max),
            Ok(Pixels::U8(array![[7, 9]]))
        );
        assert_eq!(
            project(slices(), Projection::Mean),
            Ok(Pixels::F32(array![[4.0, 4.0]]))
        );
        assert_eq!(
            project(slices(), Projection::Middle),
            Ok(Pixels::U8(array![[4, 2]]))
        );
        assert!(
            project(slices(), Projection::None).is_err_and(|e| e.remedy.contains("projection"))
        );
    }

    #[test]
    fn slices_of_different_shape_are_refused() {
        let error = project(
            vec![Pixels::U8(array![[1, 9]]), Pixels::U8(array![[4]])],
            Projection::Max,
        );
        assert!(error.is_err_and(|e| e.code == "z-slices-differ"));
    }
}
