//! What a container has.

use image_io::container::Container;
use serde_json::{Value, json};
use viewer::{Answer, Refusal, TableFormat};

use crate::error::of_file;
use crate::look::{Look, first_shown, images, limits};

/// Images with how they are first shown, and tables with the label image that they speak of.
pub fn contents(container: &Container) -> Result<Answer, Refusal> {
    let described = images(container)?;
    let looks: Vec<(String, Look)> = described
        .iter()
        .map(|(name, info)| (name.clone(), Look::of(info)))
        .collect();
    let shown = first_shown(&looks);
    let mut list = Vec::new();
    for ((name, info), (_, look)) in described.iter().zip(&looks) {
        let limits = match look.is_labels {
            true => Value::Null,
            false => {
                let (low, high) = limits(container, name, info)?;
                json!([low, high])
            }
        };
        list.push(json!({
            "name": name,
            "kind": if look.is_labels { "labels" } else { "intensity" },
            "pixel_type": info.pixel_type.name(),
            "height": info.shape.0,
            "width": info.shape.1,
            "levels": info.levels.iter().map(|(h, w)| json!([h, w])).collect::<Vec<_>>(),
            "color": if look.is_labels { Value::Null } else { json!(look.color.hex()) },
            "shown": shown.contains(name),
            "limits": limits,
            "channel": look.channel,
        }));
    }
    let tables = container.tables().map_err(|error| of_file(&error))?;
    let tables: Vec<Value> = tables
        .iter()
        .map(|table| {
            let of = table.rsplit_once('/').map(|(image, _)| image);
            let of = of.filter(|image| {
                looks
                    .iter()
                    .any(|(name, look)| name == image && look.is_labels)
            });
            json!({ "name": table, "labels": of })
        })
        .collect();
    let contents = json!({ "images": list, "tables": tables });
    Ok(Answer {
        kind: TableFormat::Json.media_type().to_owned(),
        bytes: contents.to_string().into_bytes(),
        meta: Value::Null,
    })
}
