//! Containers that lead to other files.
//!
//! One test in a process of its own: the first file that is read makes the library forget how to make links to other files.
#![allow(clippy::unwrap_used, missing_docs)]

use std::path::Path;

use image_io::container::{Container, ContainerWriter, ImageOptions, inspect, read_dataset_2d};
use image_io::{Error, ErrorClass, Pixels};
use ndarray::Array2;

/// Adds an image to a copy of the container, which carries everything else over.
fn carry(path: &Path) -> Result<(), Error> {
    let target = path.with_extension("next.h5");
    std::fs::copy(path, &target).unwrap();
    let mut writer = ContainerWriter::create(&target, Some(&target))?;
    let pixels = Pixels::U8(Array2::zeros((4, 4)));
    writer.add_image("new", &pixels, &ImageOptions::default())?;
    writer.commit().map(drop)
}

#[test]
fn no_other_file_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret.h5");
    let file = hdf5::File::create(&secret).unwrap();
    file.new_dataset::<u8>().shape((4, 4)).create("s0").unwrap();
    drop(file);
    let text = folder.path().join("secret.txt");
    std::fs::write(&text, "root:x:0:0:root:/root:/bin/bash\n").unwrap();
    let text = text.to_str().unwrap();

    let path = folder.path().join("a.h5");
    let file = hdf5::File::create(&path).unwrap();
    let linked = file.create_group("linked").unwrap();
    linked
        .link_external(secret.to_str().unwrap(), "s0", "s0")
        .unwrap();
    file.link_external(secret.to_str().unwrap(), "/", "whole")
        .unwrap();
    let soft = file.create_group("soft").unwrap();
    soft.link_soft("/linked/s0", "s0").unwrap();
    for name in ["stored", "group/s0"] {
        if let Some((group, _)) = name.split_once('/') {
            file.create_group(group).unwrap();
        }
        file.new_dataset::<u8>()
            .shape((4, 8))
            .external(text, 0, 32)
            .create(name)
            .unwrap();
    }
    drop((file, linked, soft));

    let container = Container::open(&path).unwrap();
    for name in ["linked", "whole", "soft", "stored", "group"] {
        let error = container.read_image(name, 0).unwrap_err();
        assert!(error.to_string().contains("a.h5"), "{name}: {error}");
        assert_eq!(error.class(), ErrorClass::Permanent, "{name}: {error}");
    }
    for name in ["linked/s0", "whole/s0", "stored", "group/s0"] {
        let error = read_dataset_2d(&path, name).unwrap_err();
        assert_eq!(error.class(), ErrorClass::Permanent, "{name}: {error}");
    }
    let said = container.read_image("stored", 0).unwrap_err().to_string();
    assert!(said.contains("in another file"), "{said}");
    // Listing tells that there is something, and no more.
    let listed = format!("{:?}", inspect(&path).unwrap());
    assert!(
        listed.contains("stored") && !listed.contains("root:x:0"),
        "{listed}"
    );
    // Carrying over would copy the content of the other file.
    let said = carry(&path).unwrap_err().to_string();
    assert!(said.contains("another file"), "{said}");

    // Values of another file through a leaf group only.
    let path = folder.path().join("b.h5");
    let file = hdf5::File::create(&path).unwrap();
    let group = file.create_group("image").unwrap();
    group
        .new_dataset::<u8>()
        .shape((4, 8))
        .external(text, 0, 32)
        .create("s0")
        .unwrap();
    drop((file, group));
    let said = carry(&path).unwrap_err().to_string();
    assert!(
        said.contains("image/s0") && said.contains("in another file"),
        "{said}"
    );
}
