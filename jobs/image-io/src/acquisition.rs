//! Reads what microscopes write.
