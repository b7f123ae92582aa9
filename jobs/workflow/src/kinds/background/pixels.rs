//! Pixels of many image sets, read from their containers as often as they are asked for.

use std::borrow::Cow;

use analysis::pooled::Parts;
use image_io::container::Container;
use rayon::prelude::*;

use crate::error::Failure;
use crate::plate_context::{PlateIo, PlateMember};

/// Pixels that stay in memory between two looks at them, in bytes; more are read from the containers again each time.
pub(super) const IN_MEMORY: usize = 512 << 20;
/// Image sets that are read at a time.
const AT_A_TIME: usize = 4;

/// The pixels of one channel in some image sets: all of them, or those of the background.
pub(super) struct PixelsOf<'a> {
    members: Vec<&'a PlateMember>,
    channel: &'a str,
    background: Option<&'a str>,
    /// All of them, where they are few enough.
    held: Option<Vec<Cow<'a, [f32]>>>,
}

impl<'a> PixelsOf<'a> {
    /// `background`: the label image whose label 0 is meant; without one all pixels are.
    pub(super) fn new(
        members: Vec<&'a PlateMember>,
        channel: &'a str,
        background: Option<&'a str>,
    ) -> Result<Self, Failure> {
        let mut all = Self {
            members,
            channel,
            background,
            held: None,
        };
        all.hold()?;
        Ok(all)
    }

    /// The same of pixels that were read before.
    pub(super) fn at_hand(pixels: Vec<&'a [f32]>) -> Self {
        Self {
            members: Vec::new(),
            channel: "",
            background: None,
            held: Some(pixels.into_iter().map(Cow::Borrowed).collect()),
        }
    }

    /// Reads what is kept in memory, if it is few enough.
    fn hold(&mut self) -> Result<(), Failure> {
        let mut held = Vec::with_capacity(self.members.len());
        let mut bytes = 0;
        for some in self.members.chunks(AT_A_TIME) {
            for pixels in self.read(some) {
                let pixels = pixels?;
                bytes += pixels.len() * size_of::<f32>();
                held.push(Cow::Owned(pixels));
            }
            if bytes > IN_MEMORY {
                return Ok(());
            }
        }
        self.held = Some(held);
        Ok(())
    }

    fn read(&self, members: &[&PlateMember]) -> Vec<Result<Vec<f32>, Failure>> {
        let channel = [self.channel];
        let read = |member: &&PlateMember| {
            let mut pixels = read(member, &channel, self.background)?;
            Ok(pixels.channels.swap_remove(0))
        };
        members.par_iter().map(read).collect()
    }
}

impl Parts for PixelsOf<'_> {
    type Error = Failure;

    fn each(&self, take: &mut dyn FnMut(&[f32])) -> Result<(), Failure> {
        if let Some(held) = &self.held {
            held.iter().for_each(|pixels| take(pixels));
            return Ok(());
        }
        for some in self.members.chunks(AT_A_TIME) {
            for pixels in self.read(some) {
                take(&pixels?);
            }
        }
        Ok(())
    }
}

/// The pixels of one image set.
pub(super) struct ImagePixels {
    /// By channel, in the order asked for.
    pub channels: Vec<Vec<f32>>,
    /// Number of all its pixels, whether they are wanted or not.
    pub all: usize,
}

impl ImagePixels {
    /// What they take in memory.
    pub(super) fn bytes(&self) -> usize {
        self.channels.iter().map(Vec::len).sum::<usize>() * size_of::<f32>()
    }
}

/// The pixels of some channels in one image set. With `background` only those are taken where the label image is 0.
pub(super) fn read(
    member: &PlateMember,
    channels: &[impl AsRef<str>],
    background: Option<&str>,
) -> Result<ImagePixels, Failure> {
    let container = Container::open(&member.container)?;
    let labels = background
        .map(|name| labels_of(&container, name))
        .transpose()?;
    let mut pixels = ImagePixels {
        channels: Vec::with_capacity(channels.len()),
        all: 0,
    };
    for channel in channels.iter().map(AsRef::as_ref) {
        let plane = container.read_image(channel, 0)?.to_f32();
        pixels.all = plane.len();
        let Some(labels) = &labels else {
            pixels.channels.push(plane.into_iter().collect());
            continue;
        };
        if labels.dim() != plane.dim() {
            return Err(Failure::permanent(
                "bad-parameter",
                format!(
                    "`{channel}` of `{}` has {:?} pixels, its label image {:?}",
                    member.name,
                    plane.dim(),
                    labels.dim()
                ),
                "name images of one size",
            ));
        }
        let outside = plane.iter().zip(labels).filter(|(_, label)| **label == 0);
        pixels
            .channels
            .push(outside.map(|(value, _)| *value).collect());
    }
    Ok(pixels)
}

fn labels_of(container: &Container, name: &str) -> Result<ndarray::Array2<u32>, Failure> {
    container.read_image(name, 0)?.to_labels().ok_or_else(|| {
        Failure::permanent(
            "not-labels",
            format!("`{name}` holds values that are no labels"),
            "name a label image",
        )
    })
}

/// The image sets of a plate that the job can read.
pub(super) fn readable<'a>(io: &PlateIo<'_>, members: &'a [PlateMember]) -> Vec<&'a PlateMember> {
    members.iter().filter(|m| io.failed(m).is_none()).collect()
}
