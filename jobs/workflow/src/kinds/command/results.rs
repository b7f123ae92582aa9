//! What a program left behind, read and checked.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use image_io::exchange::{Axes, Wanted, read_plane};
use image_io::table::Table;
use image_io::{Pixels, with_pixels};
use ndarray::Array2;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::template::Template;
use super::{labels, table};
use crate::error::{Failure, FailureClass};
use crate::port::Holds;

/// Where an output is found.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Found {
    /// The file, from the working folder.
    pub file: Template,
    /// Path of the dataset in an HDF5 file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
    /// Letters of the axes of an HDF5 or npy array, for example `yxc`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub axes: Option<String>,
    /// Index along the axis `c`, or the plane of a TIFF or PNG, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<usize>,
    /// Type that the values must have, for example `float32`.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub pixel_type: Option<String>,
    /// Column of a table that holds the labels of the objects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// An output of one run of the program.
#[derive(Clone, Debug)]
pub(super) enum Output {
    Image(Pixels),
    Mask(Array2<bool>),
    Labels(Array2<u32>),
    Table(Table),
}

/// Most names of files that a message lists.
const LISTED: usize = 12;

impl Found {
    /// Reads the output `name` from `folder`; `file` is the filled-in template.
    pub fn take(
        &self,
        (name, holds): (&str, Holds),
        (folder, file): (&Path, &OsStr),
        shape: Option<(usize, usize)>,
    ) -> Result<Output, Failure> {
        let parts = Path::new(file).components();
        let plain = parts
            .clone()
            .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        let relative: &Path = &parts
            .filter(|p| *p != Component::CurDir)
            .collect::<PathBuf>();
        if !plain || relative.as_os_str().is_empty() {
            return Err(bad(
                name,
                &format!("`{}` leads out of the working folder", relative.display()),
            ));
        }
        let path = folder.join(relative);
        // Follows no link: what was there before the program ran is no output of it.
        match image_io::acquisition::open_below(folder, relative) {
            Ok(file) if file.metadata().is_ok_and(|m| m.is_file()) => {}
            Ok(_) => return Err(bad(name, &format!("`{}` is no file", relative.display()))),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Err(Failure::permanent(
                    "no-output",
                    format!(
                        "output `{name}`: the program wrote no `{}`; {}",
                        relative.display(),
                        listing(folder)
                    ),
                    "compare `file` in [job.results] with what the program writes, and read the attempt's log",
                ));
            }
            Err(e) => {
                return Err(bad(name, &format!("`{}`: {e}", relative.display())));
            }
        }
        if holds == Holds::Table {
            return table::read(&path, self.id.as_deref())
                .map(Output::Table)
                .map_err(|e| bad(name, &format!("`{}`: {e}", relative.display())));
        }
        let axes: Option<Axes> = match &self.axes {
            Some(axes) => Some(axes.parse().map_err(|e: String| bad(name, &e))?),
            None => None,
        };
        let wanted = Wanted {
            dataset: self.dataset.as_deref(),
            axes: axes.as_ref(),
            channel: self.channel,
            shape,
        };
        let pixels = read_plane(&path, &wanted).map_err(|e| {
            // The remedies of this error are for acquisition files, not for the outputs of programs.
            let class = Failure::from_class(e.class());
            Failure {
                class,
                ..bad(name, &e.to_string())
            }
        })?;
        let found = pixels.pixel_type().name();
        if let Some(wanted) = self.pixel_type.as_deref().filter(|t| *t != found) {
            return Err(bad(
                name,
                &format!("`{}` holds {found}, not {wanted}", relative.display()),
            ));
        }
        match holds {
            Holds::Mask => Ok(Output::Mask(nonzero(&pixels))),
            Holds::Labels => labels::whole(&pixels)
                .map(Output::Labels)
                .map_err(|e| bad(name, &format!("`{}`: {e}", relative.display()))),
            _ => Ok(Output::Image(pixels)),
        }
    }
}

fn bad(name: &str, what: &str) -> Failure {
    Failure {
        class: FailureClass::Permanent,
        ..Failure::permanent(
            "bad-output",
            format!("output `{name}`: {what}"),
            "correct the program or [job.results] in the workflow; the attempt's log tells what the program did",
        )
    }
}

#[allow(clippy::float_cmp)]
fn nonzero(pixels: &Pixels) -> Array2<bool> {
    fn zero<T: Default>(_: T) -> T {
        T::default()
    }
    with_pixels!(pixels, a => a.mapv(|v| v != zero(v)))
}

/// What is in the working folder, for messages.
fn listing(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .map(|e| {
            let name = e.file_name();
            let is_folder = e.file_type().is_ok_and(|t| t.is_dir());
            format!("`{}{}`", name.display(), if is_folder { "/" } else { "" })
        })
        .collect();
    names.sort();
    let more = names.len().saturating_sub(LISTED);
    names.truncate(LISTED);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!("in its working folder are {}{more}", names.join(", "))
}

impl Output {
    /// As an item of the pass; a table is none.
    pub fn into_item(self) -> Result<crate::Item, Table> {
        Ok(match self {
            Self::Image(pixels) => crate::Item::Image(Arc::new(pixels)),
            Self::Mask(mask) => crate::Item::Mask(Arc::new(mask)),
            Self::Labels(labels) => crate::Item::Labels(Arc::new(labels)),
            Self::Table(table) => return Err(table),
        })
    }
}
