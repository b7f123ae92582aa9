//! What stands beyond the border of a plane.

/// The rule for pixels beyond the border, in scipy's names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// `a a a | a b c d | d d d`: scikit-image's default for `gaussian`.
    #[default]
    Nearest,
    /// `c b a | a b c d | d c b`: scipy's default, and that of local thresholds.
    Reflect,
    /// `d c b | a b c d | c b a`.
    Mirror,
}

impl Mode {
    /// The index inside `0..len` whose value stands at `index`, for any distance beyond the border.
    pub(crate) fn resolve(self, index: isize, len: usize) -> usize {
        let n = len.cast_signed();
        let inside = match self {
            Self::Nearest => index.clamp(0, n - 1),
            Self::Reflect => {
                let folded = index.rem_euclid(2 * n);
                folded.min(2 * n - 1 - folded)
            }
            Self::Mirror if n == 1 => 0,
            Self::Mirror => {
                let folded = index.rem_euclid(2 * n - 2);
                folded.min(2 * n - 2 - folded)
            }
        };
        inside.cast_unsigned()
    }
}

#[cfg(test)]
mod tests {
    use super::Mode;

    fn line(mode: Mode, len: usize) -> Vec<usize> {
        (-6..10).map(|i| mode.resolve(i, len)).collect()
    }

    #[test]
    fn repeats_as_scipy_documents() {
        assert_eq!(
            line(Mode::Nearest, 4),
            [0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 3, 3, 3, 3, 3, 3]
        );
        assert_eq!(
            line(Mode::Reflect, 4),
            [2, 3, 3, 2, 1, 0, 0, 1, 2, 3, 3, 2, 1, 0, 0, 1]
        );
        assert_eq!(
            line(Mode::Mirror, 4),
            [0, 1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1, 2, 3]
        );
        for mode in [Mode::Nearest, Mode::Reflect, Mode::Mirror] {
            assert_eq!(line(mode, 1), [0; 16]);
        }
    }
}
