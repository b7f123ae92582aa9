//! Publishing: write aside, fsync, rename.
