//! Carries what is not replaced over from the previous container, without recompressing it.

use std::collections::{BTreeSet, HashMap};

use super::ffi::link::{self, Kind, Link};
use super::ffi::types::Shared;
use super::ffi::{Failure, Handle, attribute, dataset};

/// No object of a container lies this deep.
const DEEPEST: usize = 32;
/// No container has so many objects; a group that holds itself under many names has more than can be walked.
const MOST_OBJECTS: usize = 100_000;

/// Copies all objects and attributes of `from` to `to`, except the paths in `replaced` and what is there already.
///
/// Objects are copied one by one into the new file, so what was replaced leaves no dead space behind.
pub(super) fn carry_over(
    from: &Handle,
    to: &Handle,
    replaced: &BTreeSet<String>,
    shared: &Shared,
) -> Result<(), Failure> {
    let mut carry = Carry {
        from,
        to,
        replaced,
        shared,
        copied: HashMap::new(),
        visited: 0,
    };
    carry.attributes("/")?;
    carry.group("")
}

struct Carry<'a> {
    from: &'a Handle,
    to: &'a Handle,
    replaced: &'a BTreeSet<String>,
    shared: &'a Shared,
    /// Where an object with several names was copied to, by identity.
    copied: HashMap<[u8; 16], String>,
    visited: usize,
}

impl Carry<'_> {
    /// Copies the members of the group at `path`, which exists on both sides.
    fn group(&mut self, path: &str) -> Result<(), Failure> {
        let group = link::open_group(self.from, if path.is_empty() { "/" } else { path })?;
        for (name, kind) in link::links(&group)? {
            let path = format!("{path}/{name}");
            if self.replaced.contains(&path) {
                continue;
            }
            match kind {
                Link::Hard => self.object(&path)?,
                _ if link::exists(self.to, &path)? => {}
                Link::Soft => link::link_soft(
                    self.to,
                    &link::soft_target(self.from, &path)?,
                    &path,
                    self.shared,
                )?,
                Link::External => {
                    return Err(Failure(format!(
                        "`{path}` is a link to another file, which cannot be carried over"
                    )));
                }
            }
        }
        Ok(())
    }

    fn object(&mut self, path: &str) -> Result<(), Failure> {
        if path.matches('/').count() > DEEPEST {
            return Err(Failure(format!(
                "`{path}` lies too deep, or a group holds itself"
            )));
        }
        self.visited += 1;
        if self.visited > MOST_OBJECTS {
            return Err(Failure(format!(
                "it has more than {MOST_OBJECTS} objects, or a group holds itself"
            )));
        }
        let object = link::object(self.from, path)?;
        let below = format!("{path}/");
        let partly = self
            .replaced
            .range(below.clone()..)
            .next()
            .is_some_and(|p| p.starts_with(&below));
        let exists = link::exists(self.to, path)?;
        // Groups of groups are taken apart, because only then a second name of a table is recognised.
        if object.kind == Kind::Group && (partly || exists || self.has_groups(path)?) {
            if !exists {
                link::create_group(self.to, path, self.shared)?;
            }
            self.attributes(path)?;
            return self.group(path);
        }
        if exists {
            return Ok(());
        }
        if object.links > 1 {
            if let Some(first) = self.copied.get(&object.identity) {
                return link::link_hard(self.to, first, path, self.shared);
            }
            self.copied.insert(object.identity, path.to_owned());
        }
        self.lies_in_this_file(path, object.kind)?;
        link::copy(self.from, path, self.to, path, self.shared)
    }

    /// Refuses values that lie in other files: copying would bring the content of any file into the container.
    fn lies_in_this_file(&self, path: &str, kind: Kind) -> Result<(), Failure> {
        let open = |path: &str| {
            dataset::open(self.from, path)
                .map(drop)
                .map_err(|Failure(why)| Failure(format!("`{path}`: {why}")))
        };
        match kind {
            Kind::Dataset => open(path),
            Kind::Other => Ok(()),
            Kind::Group => {
                for (name, link) in link::links(&link::open_group(self.from, path)?)? {
                    let member = format!("{path}/{name}");
                    if link == Link::Hard && link::object(self.from, &member)?.kind == Kind::Dataset
                    {
                        open(&member)?;
                    }
                }
                Ok(())
            }
        }
    }

    fn has_groups(&self, path: &str) -> Result<bool, Failure> {
        let group = link::open_group(self.from, path)?;
        for (name, kind) in link::links(&group)? {
            if kind == Link::Hard && link::object(&group, &name)?.kind == Kind::Group {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Copies the attributes that the new object does not have.
    fn attributes(&self, path: &str) -> Result<(), Failure> {
        let (from, to) = (
            link::open_object(self.from, path)?,
            link::open_object(self.to, path)?,
        );
        for name in attribute::names(&from)? {
            if !attribute::exists(&to, &name)? {
                attribute::copy(&from, &to, &name, self.shared)?;
            }
        }
        Ok(())
    }
}
