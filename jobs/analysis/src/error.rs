//! What can be wrong with the arguments of an operation.

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Arguments that an operation cannot work with. Always permanent: trying again cannot help.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Two planes that belong together differ in size.
    #[error("shapes differ: {left:?} and {right:?} (height, width)")]
    Shape {
        /// The first plane's (height, width).
        left: (usize, usize),
        /// The second plane's (height, width).
        right: (usize, usize),
    },
    /// A parameter outside its range.
    #[error("`{name}` is {value}, but must be {expected}")]
    Parameter {
        /// The parameter's name.
        name: &'static str,
        /// The value given.
        value: String,
        /// What is allowed.
        expected: &'static str,
    },
    /// An image that a filter's kernel does not fit into.
    #[error(
        "an image of {extent:?} (z, y, x) is too small for sigma {sigma}, which needs {needed} pixels"
    )]
    TooSmall {
        /// The image's lengths (z, y, x).
        extent: [usize; 3],
        /// The least length.
        needed: usize,
        /// Standard deviation of the filter, in pixels.
        sigma: f64,
    },
    /// A statistic of no pixels.
    #[error("{0} of an empty plane is not defined")]
    Empty(&'static str),
}
