//! Backgrounds: what a channel shows where no cell is. Reproduces BatchLib's `ExtractBackground`, `BackgroundFromWells`,
//! `BackgroundFromMinWell` and `WriteBackgroundSubtractedImages`.

mod extract;
mod pixels;
mod reference;
mod subtract;

pub(super) use extract::EXTRACT;
pub(super) use reference::REFERENCE;
pub(super) use subtract::SUBTRACT;
