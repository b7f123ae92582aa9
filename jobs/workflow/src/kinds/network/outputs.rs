//! Which channel of the network goes to which output of the job.

use crate::error::{Failure, did_you_mean};

/// Channels by output, in the order of the ports' names.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Places {
    pub images: Vec<usize>,
    pub masks: Vec<usize>,
}

fn wrong(message: String) -> Failure {
    Failure::permanent(
        "bad-channels",
        message,
        "correct `channels` and the names of the outputs in the workflow; `wellspring model check FILE` shows what comes out",
    )
}

/// Finds the channel of each output: by name where the channels have names, else in order, which is clear for one port only.
pub(super) fn places(
    names: &[String],
    count: usize,
    images: &[String],
    masks: &[String],
) -> Result<Places, Failure> {
    if names.is_empty() {
        if !images.is_empty() && !masks.is_empty() {
            return Err(wrong(
                "it has `images` and `masks`, so the network's channels need names: list them in `channels`".to_owned(),
            ));
        }
        let wanted = images.len().max(masks.len());
        if wanted != count {
            return Err(wrong(format!(
                "the network gives {count} channels, the job has {wanted} outputs; name the channels in `channels` to take some of them"
            )));
        }
        return Ok(Places {
            images: (0..images.len()).collect(),
            masks: (0..masks.len()).collect(),
        });
    }
    if names.len() != count {
        return Err(wrong(format!(
            "{} names are given for the network's {count} channels: {}",
            names.len(),
            names.join(", ")
        )));
    }
    // One channel needs no name: there is nothing to choose.
    let find = |output: &String| match names {
        [_] => Ok(0),
        _ => names.iter().position(|n| n == output).ok_or_else(|| {
            wrong(format!(
                "output `{output}` is none of the network's channels {}{}",
                names.join(", "),
                did_you_mean(output, names.iter().map(String::as_str))
            ))
        }),
    };
    Ok(Places {
        images: images.iter().map(find).collect::<Result<_, _>>()?,
        masks: masks.iter().map(find).collect::<Result<_, _>>()?,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn list(names: &[&str]) -> Vec<String> {
        names.iter().map(|&n| n.to_owned()).collect()
    }

    #[test]
    fn channels_go_where_their_names_say() {
        let two = list(&["mask", "boundaries"]);
        let found = places(&two, 2, &list(&["boundaries"]), &list(&["mask"])).unwrap();
        assert_eq!((found.images, found.masks), (vec![1], vec![0]));
        let found = places(&[], 2, &list(&["a", "b"]), &[]).unwrap();
        assert_eq!(found.images, [0, 1]);
        let one = list(&["foreground"]);
        assert_eq!(
            places(&one, 1, &list(&["x"]), &list(&["y"])).unwrap().masks,
            [0]
        );
    }

    #[test]
    fn mistakes_are_told() {
        let two = list(&["mask", "boundaries"]);
        for (names, count, images, masks, said) in [
            (
                &two,
                3,
                list(&["mask"]),
                list(&[]),
                "2 names are given for the network's 3",
            ),
            (
                &two,
                2,
                list(&["boundary"]),
                list(&[]),
                "did you mean `boundaries`?",
            ),
            (
                &Vec::new(),
                2,
                list(&["a"]),
                list(&[]),
                "gives 2 channels, the job has 1",
            ),
            (&Vec::new(), 2, list(&["a"]), list(&["b"]), "need names"),
        ] {
            let failure = places(names, count, &images, &masks).unwrap_err();
            assert!(failure.message.contains(said), "{}", failure.message);
        }
    }
}
