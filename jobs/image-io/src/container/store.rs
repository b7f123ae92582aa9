//! What the formats of a container have in common: all that [`super::Container`] and [`super::ContainerWriter`] ask of one.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::ops::Range;
use std::path::Path;

use super::{Attribute, ImageOptions, VisibleType};
use crate::table::Table;
use crate::{PixelType, Pixels, Result};

/// A container that is open for reading.
pub(super) trait Store: Debug + Send + Sync {
    /// Names of all images, sorted.
    fn images(&self) -> Result<Vec<String>>;

    /// Where a level of an image is: `<name>/s<level>`, or `<name>` itself for an image without levels. `None` without it.
    fn level(&self, name: &str, level: usize) -> Result<Option<String>>;

    /// Whether there is a dataset at a path.
    fn has_dataset(&self, path: &str) -> Result<bool>;

    /// Height, width and type of a dataset that is a plane of numbers.
    fn plane(&self, path: &str) -> Result<((usize, usize), PixelType)>;

    /// Reads a dataset that is a plane of numbers.
    fn read_plane(&self, path: &str) -> Result<Pixels>;

    /// Reads the rectangle of these rows and columns, which lies inside the plane.
    fn read_region(&self, path: &str, rows: Range<usize>, columns: Range<usize>) -> Result<Pixels>;

    /// Names of all tables, sorted.
    fn tables(&self) -> Result<Vec<String>>;

    /// Reads a table that is there: the typed form where that is up to date, else the text form.
    fn read_table(&self, name: &str) -> Result<Table>;

    /// All attributes of a group or dataset, sorted by name; `None` if there is no such object. `/` is the root.
    fn attributes(&self, object: &str) -> Result<Option<Vec<(String, Attribute)>>>;
}

/// A container in the making, in memory. Names and shapes were checked, and nothing is added twice.
pub(super) trait Assembly: Send {
    /// Whether a part of a path can be a name in this format.
    fn is_name(&self, part: &str) -> bool;

    /// Adds an image with its levels.
    fn add_image(&mut self, name: &str, pixels: &Pixels, options: &ImageOptions) -> Result<()>;

    /// Adds both forms of a table.
    fn add_table(&mut self, name: &str, table: &Table, visible: VisibleType) -> Result<()>;

    /// Gives a group that was added here a second path.
    fn alias(&mut self, existing: &str, alias: &str) -> Result<()>;

    /// Sets an attribute of the root.
    fn set_attribute(&mut self, name: &str, value: &Attribute) -> Result<()>;

    /// Carries over what `previous` holds beside the paths in `replaced`, publishes, and tells the size in bytes.
    fn commit(self: Box<Self>, previous: Option<&Path>, replaced: &BTreeSet<String>)
    -> Result<u64>;
}
