//! The inputs as files in the working folder.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use image_io::Pixels;
use image_io::exchange::{write_plane, write_stack};
use ndarray::Array2;

use super::regions::Region;
use super::template::Name;
use super::{Command, StackAxes};
use crate::context::JobIo;
use crate::error::Failure;

/// The folder of the inputs' files in the working folder.
const FOLDER: &str = "in";

/// What the templates of a job ask for, read.
pub(super) struct Inputs {
    /// Planes that are handed over as files of their own.
    single: BTreeMap<String, Arc<Pixels>>,
    /// Planes of the stack, in order.
    stack: Vec<Arc<Pixels>>,
    /// Acquisition files by channel.
    pub originals: BTreeMap<String, PathBuf>,
    /// Height and width of the image set, if the job has an input.
    pub shape: Option<(usize, usize)>,
}

impl Inputs {
    /// Reads what is asked for, and the first input for its size.
    pub fn gather(command: &Command, io: &mut JobIo<'_>) -> Result<Self, Failure> {
        let names: BTreeSet<Name> = command
            .templates()
            .flat_map(|(_, template)| template.names().cloned().collect::<Vec<_>>())
            .collect();
        let images = io.names("images");
        let others = [io.names("masks"), io.names("labels")].concat();
        let all: Vec<String> = images.iter().chain(&others).cloned().collect();
        let mut single = BTreeMap::new();
        for name in &all {
            if names.contains(&Name::Inputs) || names.contains(&Name::Input(name.clone())) {
                single.insert(name.clone(), plane(io, name)?);
            }
        }
        let mut stack = Vec::new();
        if names.contains(&Name::Stack) {
            for name in &images {
                stack.push(plane(io, name)?);
            }
        }
        let mut originals = BTreeMap::new();
        for name in &images {
            if names.contains(&Name::Original(name.clone())) {
                originals.insert(name.clone(), io.original(name)?);
            }
        }
        let shape = match all.first() {
            Some(first) => Some(io.image_named(first)?.shape()),
            None => None,
        };
        let other = single
            .iter()
            .map(|(name, plane)| (name.as_str(), plane))
            .chain(stack.iter().map(|plane| ("stack", plane)))
            .find(|(_, plane)| Some(plane.shape()) != shape);
        if let (Some((name, plane)), Some(first)) = (other, all.first()) {
            return Err(Failure::permanent(
                "shape-mismatch",
                format!(
                    "`{name}` has {:?} pixels and `{first}` {:?}: inputs of one program must have one size",
                    plane.shape(),
                    shape.unwrap_or_default()
                ),
                "check the acquisition: all channels of a site must have one size",
            ));
        }
        Ok(Self {
            single,
            stack,
            originals,
            shape,
        })
    }

    /// Writes them, only the region's part of each.
    pub fn write(
        &self,
        command: &Command,
        folder: &Path,
        region: Option<&Region>,
    ) -> Result<(), Failure> {
        let format = command.write.format();
        let part = |plane: &Arc<Pixels>| match region.filter(|r| r.count > 1) {
            Some(region) => Arc::new(plane.crop(region.rows.clone(), region.columns.clone())),
            None => Arc::clone(plane),
        };
        let inputs = folder.join(FOLDER);
        std::fs::create_dir(&inputs).map_err(|source| image_io::Error::Io {
            path: inputs.clone(),
            action: "create",
            source,
        })?;
        for (name, plane) in &self.single {
            write_plane(&input_file(command, folder, name), &part(plane), format)?;
        }
        if !self.stack.is_empty() {
            let parts: Vec<Arc<Pixels>> = self.stack.iter().map(part).collect();
            let planes: Vec<&Pixels> = parts.iter().map(AsRef::as_ref).collect();
            let last = command.stack_axes == StackAxes::Yxc;
            write_stack(&stack_file(command, folder), &planes, format, last)?;
        }
        Ok(())
    }
}

/// The folder of the inputs' files.
pub(super) fn inputs_folder(folder: &Path) -> PathBuf {
    folder.join(FOLDER)
}

/// The file of one input.
pub(super) fn input_file(command: &Command, folder: &Path, name: &str) -> PathBuf {
    let extension = command.write.format().extension();
    inputs_folder(folder).join(format!("{name}.{extension}"))
}

/// The file of all images.
pub(super) fn stack_file(command: &Command, folder: &Path) -> PathBuf {
    folder.join(format!("stack.{}", command.write.format().extension()))
}

/// Labels with 16 bits where that is enough: many programs read no more.
fn plane(io: &mut JobIo<'_>, name: &str) -> Result<Arc<Pixels>, Failure> {
    let plane = io.image_named(name)?;
    let is_labels = io.names("labels").iter().any(|n| n == name);
    Ok(match &*plane {
        Pixels::U32(labels) if is_labels => narrow(labels).map_or(plane, Arc::new),
        _ => plane,
    })
}

fn narrow(labels: &Array2<u32>) -> Option<Pixels> {
    let fits = labels.iter().all(|l| u16::try_from(*l).is_ok());
    fits.then(|| Pixels::U16(labels.mapv(|l| u16::try_from(l).unwrap_or(u16::MAX))))
}
