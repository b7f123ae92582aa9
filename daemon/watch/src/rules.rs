//! Which paths do not exist for us.

use crate::{Error, Host, RootSpec};
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use std::path::Path;

/// The compiled `ignore` patterns and the depth limit of a root.
#[derive(Debug)]
pub(crate) struct Rules {
    set: GlobSet,
    patterns: Vec<String>,
    max_depth: usize,
}

impl Rules {
    pub fn new(spec: &RootSpec) -> Result<Self, Error> {
        let mut builder = GlobSetBuilder::new();
        let error = |pattern: &str| {
            let (root, pattern) = (spec.path.clone(), pattern.to_owned());
            |source| Error::Glob {
                root,
                pattern,
                source,
            }
        };
        for pattern in &spec.ignore {
            let bare = pattern.trim_end_matches('/');
            // As in .gitignore: a name matches everywhere, a path from the root.
            let anchored = if bare.contains('/') {
                bare.trim_start_matches('/').to_owned()
            } else {
                format!("**/{bare}")
            };
            let glob = GlobBuilder::new(&anchored)
                .literal_separator(true)
                .build()
                .map_err(error(pattern))?;
            builder.add(glob);
        }
        let set = builder.build().map_err(error(&spec.ignore.join(", ")))?;
        Ok(Self {
            set,
            patterns: spec.ignore.clone(),
            max_depth: spec.max_depth,
        })
    }

    /// The rule against this one path; folders above it are taken as allowed.
    pub fn excludes(&self, host: &dyn Host, root: i64, relative: &Path) -> Option<String> {
        if let Some(&index) = self.set.matches(relative).first() {
            return Some(format!(
                "ignore pattern {:?} of the watched folder",
                self.patterns[index]
            ));
        }
        host.ignore(root, relative)
    }

    /// The rule against this path or a folder above it.
    pub fn excludes_from_above(
        &self,
        host: &dyn Host,
        root: i64,
        relative: &Path,
    ) -> Option<String> {
        if !self.file_may_lie(relative) {
            return Some(format!(
                "more than {} folders deep (max_depth)",
                self.max_depth
            ));
        }
        let mut above: Vec<&Path> = relative
            .ancestors()
            .filter(|p| !p.as_os_str().is_empty())
            .collect();
        above.reverse();
        above
            .into_iter()
            .find_map(|path| self.excludes(host, root, path))
    }

    /// Whether a file may lie so deep.
    pub fn file_may_lie(&self, relative: &Path) -> bool {
        relative.components().count() <= self.max_depth
    }

    /// Whether files in this folder could count.
    pub fn folder_may_be_entered(&self, relative: &Path) -> bool {
        relative.components().count() < self.max_depth
    }
}
