//! Perimeters (Benkrid and Crookes): each border pixel adds a length that depends on the border pixels around it.

use std::f64::consts::SQRT_2;

use ndarray::ArrayView2;

use super::objects::Objects;

/// How many border pixels of each length an object has: 1, sqrt(2), (1 + sqrt(2)) / 2.
type Counts = [u32; 4];

/// The length class of a code `1 + 2 · (border pixels by an edge) + 10 · (by a corner)`; class 0 adds nothing.
const CLASS: [u8; 50] = {
    let mut class = [0; 50];
    let (straight, diagonal, mixed) = ([5, 7, 15, 17, 25, 27], [21, 33], [13, 23]);
    let mut i = 0;
    while i < 6 {
        class[straight[i]] = 1;
        if i < 2 {
            class[diagonal[i]] = 2;
            class[mixed[i]] = 3;
        }
        i += 1;
    }
    class
};

/// The perimeter of each object: `skimage.measure.perimeter(object, neighborhood=4)`.
pub(super) fn perimeters(objects: &Objects, labels: ArrayView2<'_, u32>) -> Vec<f64> {
    let (height, width) = labels.dim();
    let labels = labels.as_standard_layout();
    let labels = labels.as_slice().expect("standard layout");
    let mut counts = vec![Counts::default(); objects.count()];
    // Border pixels of three lines, as the object's row + 1, with a closed pixel at each end.
    let [mut above, mut here, mut below] = [(); 3].map(|()| vec![0u32; width + 2]);
    if height > 0 {
        mark_border(objects, labels, (height, width), 0, &mut below);
    }
    for y in 0..height {
        std::mem::swap(&mut above, &mut here);
        std::mem::swap(&mut here, &mut below);
        below.fill(0);
        if y + 1 < height {
            mark_border(objects, labels, (height, width), y + 1, &mut below);
        }
        for (span, row) in objects.spans_of_line(y) {
            let own = row as u32 + 1;
            let counts = &mut counts[row];
            for x in span.start as usize..span.end as usize {
                if here[x + 1] == 0 {
                    continue;
                }
                let same = |line: &[u32], x: usize| usize::from(line[x] == own);
                let edges =
                    same(&above, x + 1) + same(&here, x) + same(&here, x + 2) + same(&below, x + 1);
                let corners =
                    same(&above, x) + same(&above, x + 2) + same(&below, x) + same(&below, x + 2);
                counts[CLASS[1 + 2 * edges + 10 * corners] as usize] += 1;
            }
        }
    }
    let length = |c: &Counts| {
        f64::from(c[1]) + f64::from(c[2]) * SQRT_2 + f64::from(c[3]) * f64::midpoint(1.0, SQRT_2)
    };
    counts.iter().map(length).collect()
}

/// Marks the pixels of a line that have one of their 4 neighbours outside the object.
fn mark_border(
    objects: &Objects,
    labels: &[u32],
    (height, width): (usize, usize),
    y: usize,
    line: &mut [u32],
) {
    let row_at = |y: usize| &labels[y * width..(y + 1) * width];
    for (span, row) in objects.spans_of_line(y) {
        let (start, end) = (span.start as usize, span.end as usize);
        let (own, label) = (row as u32 + 1, row_at(y)[start]);
        let marks = &mut line[start + 1..end + 1];
        if y == 0 || y + 1 == height {
            marks.fill(own);
            continue;
        }
        let (up, down) = (&row_at(y - 1)[start..end], &row_at(y + 1)[start..end]);
        for ((mark, &up), &down) in marks.iter_mut().zip(up).zip(down) {
            *mark = if up != label || down != label { own } else { 0 };
        }
        marks[0] = own;
        marks[end - start - 1] = own;
    }
}
