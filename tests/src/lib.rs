//! A small synthetic plate with known cells, for the demo and for black-box tests.

pub mod synthetic;
