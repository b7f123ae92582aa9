//! A device in this very process: for commands that end by themselves, and whose crash costs nobody else anything.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use analysis::accelerator::Accelerator;
use analysis::pixel_classification::Classifier;
use ndarray::{Array4, ArrayView4};

use crate::error::Result;
use crate::gpu::{Gpu, Options, lock};
use crate::kernels::classify::Loaded;

/// The device, with the classifiers that it was given. Nothing else is kept there.
pub struct Local {
    gpu: Gpu,
    loaded: Mutex<HashMap<u64, Arc<Loaded>>>,
    refused: Mutex<BTreeSet<String>>,
}

impl std::fmt::Debug for Local {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Local").field(&self.gpu).finish()
    }
}

impl Local {
    /// Opens the adapter that `wanted` means, `auto` or a part of its name.
    ///
    /// # Errors
    /// There is none, or its driver refuses.
    pub fn open(wanted: &str) -> Result<Self> {
        Ok(Self::new(Gpu::open(wanted, Options::default())?))
    }

    /// A device that is open already.
    #[must_use]
    pub fn new(gpu: Gpu) -> Self {
        Self {
            gpu,
            loaded: Mutex::default(),
            refused: Mutex::default(),
        }
    }

    /// Why something was not done, each reason once.
    #[must_use]
    pub fn refused(&self) -> Vec<String> {
        lock(&self.refused).iter().cloned().collect()
    }

    fn tell<T>(&self, result: Result<T>) -> Option<T> {
        result
            .inspect_err(|error| {
                lock(&self.refused).insert(error.to_string());
            })
            .ok()
    }

    fn load(&self, classifier: &Classifier) -> Result<Arc<Loaded>> {
        let mut loaded = lock(&self.loaded);
        if let Some(known) = loaded.get(&classifier.id()) {
            return Ok(Arc::clone(known));
        }
        let new = Arc::new(Loaded::new(&self.gpu, classifier)?);
        loaded.insert(classifier.id(), Arc::clone(&new));
        Ok(new)
    }
}

impl Accelerator for Local {
    fn name(&self) -> String {
        self.gpu.adapter().name.clone()
    }

    fn probabilities(
        &self,
        classifier: &Classifier,
        image: ArrayView4<'_, f32>,
    ) -> Option<Array4<f32>> {
        let found = self
            .load(classifier)
            .and_then(|loaded| loaded.probabilities(&self.gpu, image));
        self.tell(found)
    }
}
