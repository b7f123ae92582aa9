//! Containers: everything that is read of one.

use image_io::container::{Container, inspect};

use super::{put, with_folder};

/// Lists, describes and reads all that is there, as far as it goes.
pub(super) fn run(input: &[u8]) {
    // A real file: the library opens it by its name.
    with_folder(|folder| {
        let path = folder.join("input.h5");
        put(&path, input);
        // Listing as text and as JSON, as the command does.
        if let Ok(found) = inspect(&path) {
            assert!(serde_json::to_string(&found).is_ok());
        }
        let Ok(container) = Container::open(&path) else {
            return;
        };
        for name in container.images().unwrap_or_default().iter().take(20) {
            let Ok(info) = container.image_info(name) else {
                continue;
            };
            for level in 0..info.levels.len().min(4) {
                if let Ok(pixels) = container.read_image(name, level) {
                    assert_eq!(pixels.shape(), info.levels[level]);
                }
            }
        }
        for name in container.tables().unwrap_or_default().iter().take(20) {
            if let Ok(table) = container.read_table(name) {
                assert!(table.columns.len() < 1 << 20);
            }
        }
    });
}
