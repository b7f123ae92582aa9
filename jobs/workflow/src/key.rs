//! Task keys: what a result depends on. Equal key, equal result: the task is not run again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The ingredients of a task key, kept beside it so that `explain` can say which one differed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ingredients {
    /// Content of the inputs: hash of the image files that the task reads.
    pub inputs: String,
    /// Keys of the upstream tasks by job id.
    pub upstream: BTreeMap<String, String>,
    /// The job kind.
    pub kind: String,
    /// The kind's version.
    pub kind_version: u32,
    /// The parameters, defaults filled in, in canonical JSON.
    pub parameters: String,
    /// Names bound to the job's ports and the container settings that shape its output.
    pub wiring: String,
    /// Hashes of model and corrector files by path.
    pub files: BTreeMap<String, String>,
}

/// A task key: 128 bits of BLAKE3 over the ingredients, in hex.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TaskKey(pub String);

impl Ingredients {
    /// The key of these ingredients.
    #[must_use]
    pub fn key(&self) -> TaskKey {
        let mut hasher = blake3::Hasher::new();
        let mut field = |text: &str| {
            // Lengths first, so that no two lists of fields run together to the same bytes.
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        };
        field(&self.inputs);
        for (job, key) in &self.upstream {
            field(job);
            field(key);
        }
        field("|");
        field(&self.kind);
        field(&self.kind_version.to_string());
        field(&self.parameters);
        field(&self.wiring);
        for (path, hash) in &self.files {
            field(path);
            field(hash);
        }
        TaskKey(hasher.finalize().to_hex()[..32].to_owned())
    }

    /// Names of the ingredients that differ from `other`, for `explain`.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let mut out = Vec::new();
        if self.inputs != other.inputs {
            out.push("the input images have other content".to_owned());
        }
        if self.kind != other.kind || self.kind_version != other.kind_version {
            out.push(format!(
                "job kind `{}` version {} instead of `{}` version {}",
                self.kind, self.kind_version, other.kind, other.kind_version
            ));
        }
        if self.parameters != other.parameters {
            out.push(format!(
                "parameters {} instead of {}",
                self.parameters, other.parameters
            ));
        }
        if self.wiring != other.wiring {
            out.push(format!(
                "inputs and outputs {} instead of {}",
                self.wiring, other.wiring
            ));
        }
        for (job, key) in &self.upstream {
            if other.upstream.get(job) != Some(key) {
                out.push(format!("result of upstream job `{job}` changed"));
            }
        }
        for job in other
            .upstream
            .keys()
            .filter(|j| !self.upstream.contains_key(*j))
        {
            out.push(format!("upstream job `{job}` is gone"));
        }
        if self.files != other.files {
            out.push("a model or corrector file changed".to_owned());
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Ingredients {
        Ingredients {
            inputs: "abc".into(),
            upstream: BTreeMap::from([("a".into(), "k1".into())]),
            kind: "filter.gaussian".into(),
            kind_version: 1,
            parameters: "{\"sigma\":1.0}".into(),
            wiring: "{}".into(),
            files: BTreeMap::new(),
        }
    }

    #[test]
    fn every_ingredient_changes_the_key() {
        let base = sample();
        let mut variants = vec![];
        for i in 0..6 {
            let mut v = base.clone();
            match i {
                0 => v.inputs.push('x'),
                1 => drop(v.upstream.insert("a".into(), "k2".into())),
                2 => v.kind_version = 2,
                3 => v.parameters = "{\"sigma\":2.0}".into(),
                4 => v.wiring = "{\"x\":1}".into(),
                _ => drop(v.files.insert("m".into(), "h".into())),
            }
            variants.push(v);
        }
        for v in &variants {
            assert_ne!(v.key(), base.key());
            assert_eq!(v.differences(&base).len(), 1, "{:?}", v.differences(&base));
        }
        assert_eq!(sample().key(), base.key());
    }
}
