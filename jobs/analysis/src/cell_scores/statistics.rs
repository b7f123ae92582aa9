//! Statistics of the cells of one population.

/// What is measured of each cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// Sum of its pixels.
    Sums,
    /// Mean of its pixels.
    Means,
}

impl Quantity {
    /// The word in column names.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sums => "sums",
            Self::Means => "means",
        }
    }
}

/// Values of cells, sorted.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    sorted: Vec<f64>,
    mean: f64,
}

impl Sample {
    fn new(mut values: Vec<f64>) -> Self {
        #[allow(clippy::cast_precision_loss)]
        let mean = if values.is_empty() {
            f64::NAN
        } else {
            values.iter().sum::<f64>() / values.len() as f64
        };
        values.sort_unstable_by(f64::total_cmp);
        Self {
            sorted: values,
            mean,
        }
    }

    /// The values, sorted.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.sorted
    }

    /// `mean`, `mad` (median of absolute distances from the median), or a quantile such as `q0.5`; NaN without values.
    pub(super) fn statistic(&self, name: &str) -> f64 {
        match name {
            "mean" => self.mean,
            "mad" => {
                let middle = quantile(&self.sorted, 0.5);
                let distances = self.sorted.iter().map(|v| (v - middle).abs()).collect();
                median(distances)
            }
            _ => {
                let at = name.strip_prefix('q').and_then(|q| q.parse().ok());
                at.map_or(f64::NAN, |q| quantile(&self.sorted, q))
            }
        }
    }
}

/// The infected cells, or the control cells, of one image or well in one channel.
#[derive(Clone, Debug, Default)]
pub struct Population {
    sums: Sample,
    means: Sample,
    sizes: Sample,
    sum: f64,
    pixels: f64,
}

impl Population {
    /// Cells with the sum and the mean of their pixels, both above the background, and their numbers of pixels.
    #[must_use]
    pub fn new(sums: Vec<f64>, means: Vec<f64>, sizes: Vec<f64>) -> Self {
        Self {
            sum: sums.iter().sum(),
            pixels: sizes.iter().sum(),
            sums: Sample::new(sums),
            means: Sample::new(means),
            sizes: Sample::new(sizes),
        }
    }

    /// Number of cells.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sums.sorted.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The values of one quantity.
    #[must_use]
    pub fn of(&self, quantity: Quantity) -> &Sample {
        match quantity {
            Quantity::Sums => &self.sums,
            Quantity::Means => &self.means,
        }
    }

    /// Median number of pixels of a cell.
    #[must_use]
    pub fn median_size(&self) -> f64 {
        quantile(&self.sizes.sorted, 0.5)
    }

    /// Mean number of pixels of a cell.
    #[must_use]
    pub fn mean_size(&self) -> f64 {
        self.sizes.mean
    }

    /// Number of pixels of all cells.
    #[must_use]
    pub fn pixels(&self) -> f64 {
        self.pixels
    }

    /// Sum of all pixels above the background.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.sum
    }
}

/// Quantile of sorted values, interpolated: `numpy.quantile`, method `linear`. NaN without values.
#[must_use]
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)]
pub fn quantile(sorted: &[f64], q: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return f64::NAN;
    };
    let at = q.clamp(0.0, 1.0) * last as f64;
    let below = (at.floor() as usize).min(last);
    let above = (below + 1).min(last);
    let (a, b, t) = (sorted[below], sorted[above], at - below as f64);
    // As NumPy: from the nearer end, so that equal neighbours give themselves.
    if t < 0.5 {
        a + (b - a) * t
    } else {
        b - (b - a) * (1.0 - t)
    }
}

/// Median of values without NaN: `numpy.median`. NaN without values.
#[must_use]
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    quantile(&values, 0.5)
}
