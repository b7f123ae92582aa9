//! Named places in the code at which tests kill the process, hang it, or make a write fail.
//!
//! Without the feature `inject` a point is nothing: an empty function that the compiler removes. With it, the environment
//! variable `WELLSPRING_FAULTS` names a folder of [plans](Plan). A file there with a point's name is taken by the first process
//! that comes to the point, by renaming it, so that exactly one process acts on it, exactly once.

#[cfg(feature = "inject")]
mod inject;
mod plan;
mod point;

pub use plan::{Action, Mistake, Plan, Role};
pub use point::{Occasion, Point};

/// Names the folder of plans.
pub const VARIABLE: &str = "WELLSPRING_FAULTS";

/// The file in that folder to which a line is appended for every fault, before it happens.
pub const HITS: &str = "hits";

/// Whether faults are compiled in.
pub const ENABLED: bool = cfg!(feature = "inject");

/// A place where the process may die or hang. An error that is planned here is not returned to anyone.
#[inline]
pub fn point(point: Point) {
    #[cfg(feature = "inject")]
    drop(inject::reach(point));
    #[cfg(not(feature = "inject"))]
    let _ = point;
}

/// A place where, beside that, a write may fail.
///
/// # Errors
/// The error that is planned for this point; none without the feature `inject`.
#[inline]
pub fn write_point(point: Point) -> std::io::Result<()> {
    #[cfg(feature = "inject")]
    return inject::reach(point);
    #[cfg(not(feature = "inject"))]
    {
        let _ = point;
        Ok(())
    }
}
