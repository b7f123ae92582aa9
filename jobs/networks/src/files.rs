//! The files that a model's results depend on, without loading it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use crate::onnx::{MAX_BYTES, read, weight_files};
use crate::sidecar;

type Known = HashMap<PathBuf, (u64, Option<SystemTime>, Vec<String>)>;

/// The model, its sidecar and what is read with that, and its files of weights. Files that are not there are named all the
/// same; what a damaged model would name is left out.
#[must_use]
pub fn files(model: &Path, given: Option<&Path>) -> Vec<PathBuf> {
    let mut all = vec![model.to_owned()];
    if let Some(found) = sidecar::find(model, given) {
        all.extend(sidecar::companions(&found));
        all.push(found);
    }
    all.extend(weights(model).iter().map(|name| model.with_file_name(name)));
    all
}

/// Names of the files of weights, remembered by the model's size and time of change: this is asked before every pass.
fn weights(model: &Path) -> Vec<String> {
    static KNOWN: Mutex<Option<Known>> = Mutex::new(None);
    let Ok(metadata) = std::fs::metadata(model) else {
        return Vec::new();
    };
    let stamp = (metadata.len(), metadata.modified().ok());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let known = known.get_or_insert_with(HashMap::new);
    if let Some((size, time, names)) = known.get(model)
        && (*size, *time) == stamp
    {
        return names.clone();
    }
    let names = read(model, MAX_BYTES)
        .ok()
        .and_then(|bytes| weight_files(&bytes).ok())
        .unwrap_or_default();
    known.insert(model.to_owned(), (stamp.0, stamp.1, names.clone()));
    names
}
