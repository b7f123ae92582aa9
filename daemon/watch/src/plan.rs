//! How a root will be watched, judged from its file system alone.

use crate::host::ActiveMode;
use crate::{FsKind, Mode, RootSpec};

/// The mode for a root on such a file system, and why. Native watching can still fail for want of watches.
#[must_use]
pub fn planned_mode(spec: &RootSpec, kind: &FsKind) -> (ActiveMode, String) {
    let name = &kind.name;
    match spec.mode {
        Mode::Poll => (
            ActiveMode::Poll,
            format!("polling was asked for; {}", polling(spec)),
        ),
        Mode::Auto if kind.needs_polling() => (
            ActiveMode::Poll,
            format!(
                "{name} does not report the changes of all its writers; {}",
                polling(spec)
            ),
        ),
        Mode::Native if kind.needs_polling() => (
            ActiveMode::Native,
            format!(
                "native watching was asked for, but {name} does not report the changes of all its writers: those are \
                 found by the scan every {:?}",
                spec.rescan_interval
            ),
        ),
        Mode::Native => (
            ActiveMode::Native,
            format!("native watching was asked for, on {name}"),
        ),
        Mode::Auto => (ActiveMode::Native, format!("{name} reports changes")),
    }
}

/// What polling means for this root.
pub(crate) fn polling(spec: &RootSpec) -> String {
    format!("the folder is listed every {:?}", spec.poll_interval)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mode_follows_the_file_system_unless_it_is_chosen() {
        let kind = |name: &str, magic, network| FsKind {
            name: name.into(),
            magic,
            network,
        };
        let local = kind("ext4", 0xef53, false);
        let remote = [
            kind("nfs", 0x6969, true),
            kind("smb2", 0xfe53_4d42, true),
            kind("fuse", 0x6573_5546, true),
            kind("overlay", 0x794c_7630, false),
        ];
        let plan = |mode, kind: &FsKind| {
            let spec = RootSpec {
                mode,
                ..RootSpec::new(1, "/r")
            };
            planned_mode(&spec, kind)
        };
        assert_eq!(plan(Mode::Auto, &local).0, ActiveMode::Native);
        for kind in &remote {
            let (mode, why) = plan(Mode::Auto, kind);
            assert_eq!(mode, ActiveMode::Poll);
            assert!(
                why.contains(&kind.name) && why.contains("every 5s"),
                "{why}"
            );
            let (mode, why) = plan(Mode::Native, kind);
            assert_eq!(mode, ActiveMode::Native);
            assert!(why.contains("the scan every 600s"), "{why}");
        }
        assert_eq!(plan(Mode::Poll, &local).0, ActiveMode::Poll);
    }
}
