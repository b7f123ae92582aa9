//! Mistakes in a job that can be seen before anything runs.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Component, Path};

use image_io::exchange::Axes;

use super::program;
use super::results::Found;
use super::template::{Name, Template};
use super::{Command, StackAxes, Write};
use crate::error::did_you_mean;
use crate::graph::Bindings;

/// What is wrong with the parameters, given the names that are bound to the ports.
pub(super) fn check(command: &Command, inputs: &Bindings, outputs: &Bindings) -> Vec<String> {
    let mut found = Vec::new();
    for (key, template) in command.templates() {
        for name in template.names() {
            if let Err(mistake) = known(command, inputs, name) {
                found.push(format!("{key} = `{}`: {mistake}", template.text()));
            }
        }
    }
    check_program(command, &mut found);
    check_outputs(command, outputs, &mut found);
    check_names(command, &mut found);
    check_regions(command, inputs, outputs, &mut found);
    if command.stack_axes == StackAxes::Yxc && command.write == Write::Tiff {
        found.push(
            "`stack_axes = \"yxc\"` does not go with TIFF, whose pages are the channels; write `write = \"hdf5\"`"
                .to_owned(),
        );
    }
    if command.success.is_empty() {
        found.push("`success` is empty: the job could never succeed".to_owned());
    }
    found
}

fn known(command: &Command, inputs: &Bindings, name: &Name) -> Result<(), String> {
    let all = || inputs.values().flatten().map(String::as_str);
    let images = || {
        inputs
            .get("images")
            .into_iter()
            .flatten()
            .map(String::as_str)
    };
    match name {
        Name::Input(of) if !all().any(|n| n == of) => Err(format!(
            "`{of}` is no input of the job{}",
            did_you_mean(of, all())
        )),
        Name::Original(of) if !images().any(|n| n == of) => Err(format!(
            "`{of}` is none of the job's input `images`{}",
            did_you_mean(of, images())
        )),
        Name::File(of) if !command.files.contains_key(of) => Err(format!(
            "there is no `{of}` in `files`{}",
            did_you_mean(of, command.files.keys().map(String::as_str))
        )),
        Name::Stack if images().next().is_none() => {
            Err("the job has no input `images` to stack".to_owned())
        }
        Name::Inputs if all().next().is_none() => Err("the job has no input".to_owned()),
        Name::Word("y0" | "y1" | "x0" | "x1" | "height" | "width") if all().next().is_none() => {
            Err("without an input the job does not know the size of the image".to_owned())
        }
        _ => Ok(()),
    }
}

fn check_program(command: &Command, found: &mut Vec<String>) {
    let text = command.program.text();
    if text.trim().is_empty() {
        found.push("`program` is empty".to_owned());
    }
    if command
        .program
        .names()
        .any(|name| !matches!(name, Name::File(_)))
    {
        found.push(format!(
            "program = `{text}`: only `{{files.NAME}}` can stand there, so that the key knows the program"
        ));
    }
}

fn check_outputs(command: &Command, outputs: &Bindings, found: &mut Vec<String>) {
    let mut names = BTreeSet::new();
    for (port, list) in outputs {
        for name in list {
            if !names.insert(name.as_str()) {
                found.push(format!("`{name}` is named twice among the outputs"));
            }
            match command.results.get(name) {
                Some(result) => check_result(name, result, *port == "tables", found),
                None => found.push(format!(
                    "where is the output `{name}`? Add `{name} = {{ file = \"…\" }}` to [job.results]"
                )),
            }
        }
    }
    if names.is_empty() {
        found.push("has no output".to_owned());
    }
    for name in command
        .results
        .keys()
        .filter(|n| !names.contains(n.as_str()))
    {
        found.push(format!(
            "results.{name}: the job has no output `{name}`{}",
            did_you_mean(name, names.iter().copied())
        ));
    }
}

fn check_result(name: &str, result: &Found, is_table: bool, found: &mut Vec<String>) {
    let file = result.file.text();
    let outside = result.file.names().any(|n| !matches!(n, Name::Word(_)))
        || Path::new(file)
            .components()
            .any(|part| !matches!(part, Component::Normal(_) | Component::CurDir))
        || file.is_empty();
    if outside {
        found.push(format!(
            "results.{name}.file = `{file}`: name a file below the working folder, without `{{dir}}` and `..`; outputs are taken from nowhere else"
        ));
    }
    let of_images = [
        ("dataset", result.dataset.is_some()),
        ("axes", result.axes.is_some()),
        ("channel", result.channel.is_some()),
        ("type", result.pixel_type.is_some()),
    ];
    for (key, _) in of_images.iter().filter(|(_, set)| is_table && *set) {
        found.push(format!("results.{name}.{key}: a table has none"));
    }
    if !is_table && result.id.is_some() {
        found.push(format!("results.{name}.id: only a table has columns"));
    }
    if let Some(Err(mistake)) = result.axes.as_ref().map(|a| a.parse::<Axes>()) {
        found.push(format!("results.{name}.axes: {mistake}"));
    }
    if let Some(wanted) = &result.pixel_type
        && !image_io::PixelType::ALL.iter().any(|t| t.name() == wanted)
    {
        let names = image_io::PixelType::ALL.map(|t| t.name());
        found.push(format!(
            "results.{name}.type: there is no type `{wanted}`{}; there are {}",
            did_you_mean(wanted, names),
            names.join(", ")
        ));
    }
}

fn check_names(command: &Command, found: &mut Vec<String>) {
    for name in command.texts.keys() {
        let taken = name == "in" || name.starts_with("stack.");
        if name.contains(['/', '\0']) || ["", ".", ".."].contains(&name.as_str()) || taken {
            found.push(format!(
                "texts: `{name}` cannot be the name of a file in the working folder"
            ));
        }
    }
    for name in command.env.keys() {
        if name.is_empty() || name.contains(['=', '\0']) {
            found.push(format!("env: `{name}` cannot be the name of a variable"));
        }
    }
}

fn check_regions(
    command: &Command,
    inputs: &Bindings,
    outputs: &Bindings,
    found: &mut Vec<String>,
) {
    if command.parallel == 0 {
        found.push("`parallel` is 0: nothing would ever run".to_owned());
    }
    let Some([height, width]) = command.region else {
        if command.overlap > 0 {
            found.push("`overlap` means nothing without `region`".to_owned());
        }
        return;
    };
    if height == 0 || width == 0 {
        found.push("`region` must have pixels".to_owned());
    } else if 2 * command.overlap.min(usize::MAX / 2) > height.min(width) {
        found.push(format!(
            "`overlap` = {} is more than half of a region; make the regions larger",
            command.overlap
        ));
    }
    if inputs.values().flatten().next().is_none() {
        found.push(
            "`region`: without an input the job does not know the size of the image".to_owned(),
        );
    }
    if outputs.contains_key("labels") && command.overlap == 0 {
        found.push(
            "objects that `region` cuts can only be put together with an `overlap`: give it the diameter of the largest object, in pixels"
                .to_owned(),
        );
    }
    if outputs.contains_key("tables") {
        found.push(
            "`region` does not go with `tables`, whose rows would be those of cut objects; measure the stitched labels with `measure.objects`"
                .to_owned(),
        );
    }
}

/// What is missing on this machine.
pub(super) fn warnings(command: &Command) -> Vec<String> {
    let mut found: Vec<String> = command
        .files
        .iter()
        .filter(|(_, path)| !path.is_file())
        .map(|(name, path)| format!("files.{name}: there is no file `{}`", path.display()))
        .collect();
    let of_env = command
        .env
        .get("PATH")
        .map_or_else(|| Some(program::PATH.to_owned()), Template::plain);
    let written = command.program.plain().map(OsString::from).or_else(|| {
        let filled = command.program.fill(|name| {
            let path = match name {
                Name::File(of) => command.files.get(of),
                _ => None,
            };
            Ok(path.cloned().unwrap_or_default().into_os_string())
        });
        filled.ok()
    });
    if let (Some(program), Some(search)) = (written, of_env) {
        let search = OsString::from(search);
        if let Err(missing) = program::find(&program, &search) {
            found.push(program::describe(&program, &search, &missing));
        }
    }
    found
}
