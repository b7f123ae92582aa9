//! Files that are never images, whatever the scheme: the leftovers of file systems, copy programs and instruments, and our results.

use std::path::{Component, Path};

/// The rule for files without an image's extension (manifests, tables, logs).
pub const NOT_AN_IMAGE: &str = "not an image file";

/// Names of files and folders that systems leave on shares, in lower case.
const NAMES: [(&str, &str); 9] = [
    ("thumbs.db", "Thumbs.db (Windows)"),
    ("desktop.ini", "desktop.ini (Windows)"),
    ("$recycle.bin", "$RECYCLE.BIN (Windows)"),
    (
        "system volume information",
        "System Volume Information (Windows)",
    ),
    ("@eadir", "@eaDir (Synology)"),
    ("#recycle", "#recycle (Synology)"),
    ("#snapshot", "#snapshot (Synology)"),
    ("__macosx", "__MACOSX (zip of a Mac)"),
    ("lost+found", "lost+found"),
];

/// Endings of files that some program is still writing, in lower case.
const ENDINGS: [(&str, &str); 9] = [
    (".tmp", "*.tmp (being written)"),
    (".temp", "*.temp (being written)"),
    (".part", "*.part (being copied)"),
    (".partial", "*.partial (being copied)"),
    (".filepart", "*.filepart (being copied by WinSCP)"),
    (".crdownload", "*.crdownload (being downloaded)"),
    (".download", "*.download (being downloaded)"),
    (".swp", "*.swp (editor)"),
    ("~", "*~ (backup copy)"),
];

/// The rule by which a path is junk, or `None`.
///
/// Looks at each component: what lies in a hidden folder or in `@eaDir` is junk too. Case does not matter.
#[must_use]
pub fn junk_rule(relative: &Path) -> Option<&'static str> {
    // Bytes, not text: each event of a watcher passes here, and names need not be UTF-8.
    let mut components = relative
        .components()
        .filter_map(|component| match component {
            Component::Normal(name) => Some(name.as_encoded_bytes()),
            _ => None,
        });
    let file = components.next_back()?;
    components
        .find_map(name_rule)
        .or_else(|| name_rule(file))
        .or_else(|| file_rule(file))
}

/// Rules for files and folders.
fn name_rule(name: &[u8]) -> Option<&'static str> {
    match name {
        [b'.', ..] => Some(".* (hidden file or folder)"),
        [b'~', ..] => Some("~* (temporary file)"),
        // Results, with a folder a group and a file a block.
        [.., b'.', b'n' | b'N', b'5'] => Some("*.n5 (N5 container)"),
        _ => {
            let junk = NAMES
                .iter()
                .find(|(junk, _)| name.eq_ignore_ascii_case(junk.as_bytes()))?;
            Some(junk.1)
        }
    }
}

/// Rules for files only.
fn file_rule(name: &[u8]) -> Option<&'static str> {
    let ends_with = |ending: &str| {
        let start = name.len().checked_sub(ending.len());
        start.is_some_and(|start| name[start..].eq_ignore_ascii_case(ending.as_bytes()))
    };
    if let Some((_, rule)) = ENDINGS.iter().find(|(ending, _)| ends_with(ending)) {
        return Some(rule);
    }
    // MetaXpress writes a small copy beside each image.
    let thumbnail = name
        .windows(6)
        .any(|part| part.eq_ignore_ascii_case(b"_thumb"));
    thumbnail.then_some("*_thumb* (thumbnail)")
}

/// Whether a name ends like an image that we read: `.tif`, `.tiff` (so also `.ome.tif`) or `.png`, in either case.
#[must_use]
pub fn is_image_name(path: &Path) -> bool {
    path.extension().is_some_and(|ext| {
        ["tif", "tiff", "png"]
            .iter()
            .any(|image| ext.eq_ignore_ascii_case(image))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn junk_is_named_by_its_rule() {
        for (path, rule) in [
            (".DS_Store", ".* (hidden file or folder)"),
            ("a/._x.tif", ".* (hidden file or folder)"),
            (".Trashes/x.tif", ".* (hidden file or folder)"),
            ("p/@eaDir/x.tif", "@eaDir (Synology)"),
            ("p/Thumbs.DB", "Thumbs.db (Windows)"),
            ("~x.tif", "~* (temporary file)"),
            ("x.tif~", "*~ (backup copy)"),
            ("x.tif.filepart", "*.filepart (being copied by WinSCP)"),
            ("x.TMP", "*.tmp (being written)"),
            ("p/x.n5", "*.n5 (N5 container)"),
            ("p/x.N5/DNA/s0/0/1.tif", "*.n5 (N5 container)"),
            (
                "P_E07_s1_w1_thumb4BFD4018-E675-475E-B5AB-2E959E6B6DA1.tif",
                "*_thumb* (thumbnail)",
            ),
        ] {
            assert_eq!(junk_rule(Path::new(path)), Some(rule), "{path}");
        }
        for path in [
            "a/x.tif",
            "./x.tif",
            "../x.tif",
            "thumbs/x.tif",
            "my_thumbs/x.tif",
            "part/x.tif",
            "x.tmp/y.tif",
            "n5/y.tif",
            "x.n5.tif",
            "",
        ] {
            assert_eq!(junk_rule(Path::new(path)), None, "{path}");
        }
    }

    #[test]
    fn images_by_extension() {
        for name in ["a.tif", "a.TIFF", "a.ome.tif", "a.PNG"] {
            assert!(is_image_name(Path::new(name)), "{name}");
        }
        for name in ["a.xml", "a", "tif", ".tif", "a.tif.gz", "a.HTD"] {
            assert!(!is_image_name(Path::new(name)), "{name}");
        }
    }
}
