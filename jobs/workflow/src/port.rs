//! What a job kind takes and gives.

use serde::Serialize;

/// What a named value holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Holds {
    /// A plane of intensities.
    Image,
    /// A plane of true and false; stored as uint8 0 and 1.
    Mask,
    /// A label image, uint32, 0 = background.
    Labels,
    /// An object table.
    Table,
    /// Images of the whole plate, one a channel (an illumination function).
    PlateImages,
    /// Tables of the whole plate.
    PlateTables,
}

/// One input or output of a job kind.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Port {
    /// Its name in `input = { name = "…" }`.
    pub name: &'static str,
    /// What it holds.
    pub holds: Holds,
    /// Whether it takes a list of names.
    pub many: bool,
    /// Whether it may be left out.
    pub optional: bool,
    /// Whether a list has a length of its own; otherwise an output list has as many names as the first input.
    pub unpaired: bool,
    /// Whether a plate job reads it from the containers of the image sets, not from the acquisition.
    pub stored: bool,
    /// One line of documentation.
    pub about: &'static str,
}

impl Port {
    /// A port for exactly one value.
    #[must_use]
    pub const fn one(name: &'static str, holds: Holds, about: &'static str) -> Self {
        Self {
            name,
            holds,
            many: false,
            optional: false,
            unpaired: false,
            stored: false,
            about,
        }
    }

    /// A port for one or more values.
    #[must_use]
    pub const fn many(name: &'static str, holds: Holds, about: &'static str) -> Self {
        Self {
            name,
            holds,
            many: true,
            optional: false,
            unpaired: false,
            stored: false,
            about,
        }
    }

    /// The same port, but its list has a length of its own.
    #[must_use]
    pub const fn unpaired(mut self) -> Self {
        self.unpaired = true;
        self
    }

    /// The same port of a plate job, but read from the containers of the image sets.
    #[must_use]
    pub const fn stored(mut self) -> Self {
        self.stored = true;
        self
    }

    /// The same port, but it may be left out.
    #[must_use]
    pub const fn optional(mut self) -> Self {
        self.optional = true;
        self
    }
}
