//! Which file system a path lies on, and whether it reports changes.

use std::io;
use std::path::Path;

/// A file system as statfs(2) names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FsKind {
    /// Usual name, or the magic number in hex where we have none.
    pub name: String,
    /// The magic number, `f_type` of statfs(2).
    pub magic: u64,
    /// Whether other machines, or a process of any kind (FUSE), may write behind the kernel's back. Its clock need not
    /// be ours, and its inode numbers may change with a remount.
    pub network: bool,
}

impl FsKind {
    /// Whether inotify misses writers here, so that `Mode::Auto` polls: network file systems, and overlays, which do not
    /// report what is written to a lower layer.
    #[must_use]
    pub const fn needs_polling(&self) -> bool {
        self.network || self.magic == OVERLAYFS
    }
}

const OVERLAYFS: u64 = 0x794c_7630;

/// Magic number, name, network: `linux/magic.h`, and the headers of the cluster file systems.
const TABLE: &[(u64, &str, bool)] = &[
    (0x6969, "nfs", true),
    (0x517b, "smb", true),
    (0xff53_4d42, "cifs", true),
    (0xfe53_4d42, "smb2", true),
    (0x6573_5546, "fuse", true),
    (0x00c3_6400, "ceph", true),
    (0x0102_1997, "9p", true),
    (OVERLAYFS, "overlay", false),
    (0x0bd0_0bd0, "lustre", true),
    (0x4750_4653, "gpfs", true),
    (0x1983_0326, "beegfs", true),
    (0x0116_1970, "gfs2", true),
    (0x7461_636f, "ocfs2", true),
    (0x2003_0528, "orangefs", true),
    (0x5346_414f, "openafs", true),
    (0x6b41_4653, "afs", true),
    (0x7375_7245, "coda", true),
    (0x786f_4256, "vboxsf", true),
    (0x7c7c_6673, "prlfs", true),
    (0xaad7_aaea, "panfs", true),
    (0xef53, "ext4", false),
    (0x5846_5342, "xfs", false),
    (0x9123_683e, "btrfs", false),
    (0x2fc1_2fc1, "zfs", false),
    (0x0102_1994, "tmpfs", false),
    (0xf2f5_2010, "f2fs", false),
    (0xca45_1a4e, "bcachefs", false),
    (0x4d44, "vfat", false),
    (0x2011_bab0, "exfat", false),
    (0x7366_746e, "ntfs", false),
    (0x5346_544e, "ntfs", false),
    (0x482b, "hfsplus", false),
    (0x1501_3346, "udf", false),
    (0x9660, "iso9660", false),
    (0x7371_7368, "squashfs", false),
];

/// Asks which file system a path lies on.
///
/// # Errors
/// When statfs(2) fails: the path does not exist, may not be looked at, or its server does not answer.
pub fn fs_kind(path: &Path) -> io::Result<FsKind> {
    let stat = rustix::fs::statfs(path)?;
    // The kernel's word is 32 bits wide; sign extension on some platforms must not make another number of it.
    #[allow(clippy::cast_sign_loss, clippy::unnecessary_cast)]
    let magic = (stat.f_type as u64) & 0xffff_ffff;
    Ok(from_magic(magic))
}

fn from_magic(magic: u64) -> FsKind {
    TABLE.iter().find(|entry| entry.0 == magic).map_or_else(
        || FsKind {
            name: format!("{magic:#x}"),
            magic,
            network: false,
        },
        |&(_, name, network)| FsKind {
            name: name.into(),
            magic,
            network,
        },
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn proc_is_local_and_unnamed() {
        let kind = fs_kind(Path::new("/proc")).unwrap();
        assert_eq!(
            (kind.name.as_str(), kind.magic, kind.network),
            ("0x9fa0", 0x9fa0, false)
        );
        assert!(!kind.needs_polling());
    }

    #[test]
    fn file_systems_that_hide_writers_are_polled() {
        for magic in [
            0x6969,
            0x517b,
            0xff53_4d42,
            0xfe53_4d42,
            0x6573_5546,
            0x00c3_6400,
            0x0102_1997,
            0x794c_7630,
        ] {
            assert!(from_magic(magic).needs_polling(), "{magic:#x}");
        }
        for magic in [0xef53, 0x5846_5342, 0x9123_683e, 0x0102_1994] {
            assert!(!from_magic(magic).needs_polling(), "{magic:#x}");
        }
        assert!(
            !from_magic(OVERLAYFS).network,
            "the clock of an overlay is ours"
        );
    }

    #[test]
    fn no_magic_number_stands_twice() {
        let mut all: Vec<u64> = TABLE.iter().map(|entry| entry.0).collect();
        all.sort_unstable();
        assert!(all.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn a_missing_path_is_an_error() {
        assert_eq!(
            fs_kind(Path::new("/no/such/path")).unwrap_err().kind(),
            io::ErrorKind::NotFound
        );
    }
}
