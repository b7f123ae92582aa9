//! Small networks of our own: tiled as un-tiled, padding, batches, grids, channels last.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;
#[path = "common/net.rs"]
mod net;

use std::path::PathBuf;

use common::difference;
use ndarray::{Array2, Array3, ArrayD, Axis, IxDyn, s};
use net::{Net, ints};
use networks::{Blend, Error, Model, Options, Plan, predict, tile};
use proptest::prelude::*;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn put(&self, name: &str, net: &Net) -> PathBuf {
        let path = self.0.path().join(name);
        net.write(&path);
        path
    }
}

fn image(height: usize, width: usize, seed: usize) -> Array2<f32> {
    Array2::from_shape_fn((height, width), |(y, x)| {
        ((y * 31 + x * 17 + seed * 7 + (y * x) % 13) % 29) as f32 / 29.0
    })
}

/// A plan that runs everything whole.
fn whole() -> Plan {
    Plan {
        tile: Some(1 << 14),
        ..Plan::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    /// With the halo that the graph asks for, tiles of any size give what the whole image gives.
    #[test]
    fn tiled_equals_untiled(height in 1usize..150, width in 1usize..150, size in 8usize..60, batch in 1usize..4, seed in 0usize..1000) {
        let folder = Folder::new();
        let model = Model::open(&folder.put("u.onnx", &Net::u_net(2, 3)), &Options::default()).unwrap();
        let planes = [image(height, width, seed), image(height, width, seed + 1)];
        let views = [planes[0].view(), planes[1].view()];
        let expected = predict(&model, &views, &whole()).unwrap();
        prop_assert_eq!(expected.dim(), (3, height, width));
        let plan = Plan { tile: Some(size), batch, ..Plan::default() };
        let tiled = predict(&model, &views, &plan).unwrap();
        prop_assert!(difference(&expected, &tiled) < 1e-5);
    }
}

#[test]
fn the_graph_tells_multiple_and_reach() {
    let folder = Folder::new();
    let model = Model::open(
        &folder.put("u.onnx", &Net::u_net(1, 1)),
        &Options::default(),
    )
    .unwrap();
    let description = model.description();
    assert_eq!(description.multiple, [4, 4]);
    assert!(!description.sees_whole_image);
    // It must not be less than what really counts: a pixel changes nothing farther away than the reach.
    let reach = description.reach.unwrap();
    let plain = image(96, 96, 3);
    let before = predict(&model, &[plain.view()], &whole()).unwrap();
    let mut farthest = 0;
    for at in [(48, 48), (49, 48), (50, 51), (51, 49)] {
        let mut changed = plain.clone();
        changed[at] += 5.0;
        let after = predict(&model, &[changed.view()], &whole()).unwrap();
        for (((_, y, x), a), b) in after.indexed_iter().zip(&before) {
            if a != b {
                farthest = farthest.max(y.abs_diff(at.0)).max(x.abs_diff(at.1));
            }
        }
    }
    println!("reach {reach}, seen {farthest}");
    assert!(
        farthest <= reach && reach <= 2 * farthest + 4,
        "reach {reach}, seen {farthest}"
    );
}

#[test]
fn too_small_a_halo_is_not_exact_but_always_the_same() {
    let folder = Folder::new();
    let model = Model::open(
        &folder.put("u.onnx", &Net::u_net(1, 1)),
        &Options::default(),
    )
    .unwrap();
    let plane = image(200, 170, 1);
    let plan = |blend| Plan {
        tile: Some(48),
        halo: Some([4, 4]),
        blend,
        ..Plan::default()
    };
    let expected = predict(&model, &[plane.view()], &whole()).unwrap();
    let cropped = predict(&model, &[plane.view()], &plan(Blend::Crop)).unwrap();
    let again = predict(&model, &[plane.view()], &plan(Blend::Crop)).unwrap();
    assert_eq!(cropped, again);
    let off = difference(&expected, &cropped);
    assert!(off > 1e-4, "{off}");
    let feathered = predict(&model, &[plane.view()], &plan(Blend::Feather)).unwrap();
    assert_eq!(
        feathered,
        predict(&model, &[plane.view()], &plan(Blend::Feather)).unwrap()
    );
    // A step between neighbours is spread over what they share.
    let steepest = |maps: &Array3<f32>| {
        let off = maps - &expected;
        let (above, below) = (off.slice(s![0, ..-1, ..]), off.slice(s![0, 1.., ..]));
        (&below - &above)
            .mapv(f32::abs)
            .iter()
            .copied()
            .fold(0.0, f32::max)
    };
    assert!(steepest(&feathered) < steepest(&cropped));
}

#[test]
fn mixed_tiles_weigh_one_together() {
    let folder = Folder::new();
    let mut net = Net::new(&[0, 1, 0, 0]);
    let last = net.conv("input", (1, 2), 1);
    net.output(&last, "output", &[0, 2, 0, 0]);
    let model = Model::open(&folder.put("point.onnx", &net), &Options::default()).unwrap();
    let plane = image(130, 97, 4);
    let expected = predict(&model, &[plane.view()], &whole()).unwrap();
    for (tile, halo) in [(16, 3), (20, 9), (33, 0), (40, 40)] {
        let plan = Plan {
            tile: Some(tile),
            halo: Some([halo; 2]),
            blend: Blend::Feather,
            ..Plan::default()
        };
        let mixed = predict(&model, &[plane.view()], &plan).unwrap();
        assert!(
            difference(&expected, &mixed) < 1e-6,
            "tile {tile}, overlap {halo}"
        );
    }
}

#[test]
fn coarser_grids_and_several_outputs_are_joined() {
    let folder = Folder::new();
    let mut net = Net::new(&[0, 1, 0, 0]);
    let top = net.conv("input", (1, 3), 3);
    let down = net.pool(&top);
    let coarse = net.conv(&down, (3, 5), 3);
    net.output(&coarse, "dist", &[0, 5, 0, 0]);
    net.output(&top, "fine", &[0, 3, 0, 0]);
    let model = Model::open(&folder.put("two.onnx", &net), &Options::default()).unwrap();
    assert_eq!(model.description().outputs[0].grid, [2, 2]);
    let plane = image(75, 61, 9).insert_axis(Axis(0));
    let at_once = tile::run(&model, plane.view(), &whole()).unwrap();
    assert_eq!(at_once[0].data.dim(), (5, 38, 31));
    assert_eq!(at_once[1].data.dim(), (3, 75, 61));
    let plan = Plan {
        tile: Some(16),
        batch: 3,
        ..Plan::default()
    };
    for (a, b) in at_once
        .iter()
        .zip(tile::run(&model, plane.view(), &plan).unwrap())
    {
        assert_eq!((&a.name, a.grid), (&b.name, b.grid));
        assert!(difference(&a.data, &b.data) < 1e-5);
    }
    // One value a pixel is promised by `predict`; the first output is coarser.
    let flat = plane.index_axis(Axis(0), 0);
    let error = predict(&model, &[flat], &whole()).unwrap_err();
    assert!(error.to_string().contains("grid of 2 x 2"), "{error}");
    let fine = Plan {
        output: Some("fine".to_owned()),
        ..whole()
    };
    assert_eq!(predict(&model, &[flat], &fine).unwrap().dim(), (3, 75, 61));
}

#[test]
fn channels_last_give_the_same() {
    let folder = Folder::new();
    let first = Model::open(
        &folder.put("first.onnx", &Net::u_net(2, 2)),
        &Options::default(),
    )
    .unwrap();
    let mut net = Net::u_net(2, 2);
    // The same network between two transpositions, as exporters from TensorFlow write it.
    net.graph.input[0] = net::value("input", rten_onnx::onnx::DataType::FLOAT, &[0, 0, 0, 2]);
    let turned = net.node("Transpose", &["input"], vec![ints("perm", &[0, 3, 1, 2])]);
    let node = net.graph.node.pop().unwrap();
    for user in net.graph.node.iter_mut().filter(|n| n.input[0] == "input") {
        user.input[0].clone_from(&turned);
    }
    net.graph.node.insert(0, node);
    let back = net.graph.node.last_mut().unwrap();
    back.op_type = Some("Transpose".to_owned());
    back.attribute = vec![ints("perm", &[0, 2, 3, 1])];
    net.graph.output[0] = net::value("output", rten_onnx::onnx::DataType::FLOAT, &[0, 0, 0, 2]);
    let last = Model::open(&folder.put("last.onnx", &net), &Options::default()).unwrap();
    assert_eq!(last.description().input.axes.to_string(), "byxc");
    assert_eq!(last.description().multiple, first.description().multiple);
    let planes = [image(70, 50, 1), image(70, 50, 2)];
    let views = [planes[0].view(), planes[1].view()];
    let a = predict(&first, &views, &whole()).unwrap();
    let b = predict(&last, &views, &whole()).unwrap();
    assert!(difference(&a, &b) < 1e-6);
}

#[test]
fn a_network_of_one_size_gets_tiles_of_that_size() {
    let folder = Folder::new();
    let mut net = Net::new(&[1, 1, 32, 32]);
    let a = net.conv("input", (1, 2), 3);
    net.output(&a, "output", &[1, 2, 32, 32]);
    let fixed = Model::open(&folder.put("fixed.onnx", &net), &Options::default()).unwrap();
    net.graph.input[0] = net::value("input", rten_onnx::onnx::DataType::FLOAT, &[0, 1, 0, 0]);
    net.graph.output[0] = net::value("output", rten_onnx::onnx::DataType::FLOAT, &[0, 2, 0, 0]);
    let free = Model::open(&folder.put("free.onnx", &net), &Options::default()).unwrap();
    assert_eq!(fixed.description().fixed, Some([32, 32]));
    for (height, width) in [(32, 32), (100, 75), (33, 200)] {
        let plane = image(height, width, 5);
        let expected = predict(&free, &[plane.view()], &whole()).unwrap();
        let tiled = predict(&fixed, &[plane.view()], &Plan::default()).unwrap();
        // Padded farther than the network needs, the right and lower border sees mirrored pixels instead of none.
        let (h, w) = (height - 1, width - 1);
        let d = difference(
            &expected.slice(s![.., ..h, ..w]).to_owned(),
            &tiled.slice(s![.., ..h, ..w]).to_owned(),
        );
        assert!(d < 1e-5, "{height} x {width}: {d}");
    }
}

#[test]
fn a_network_that_looks_at_the_whole_image_says_so() {
    let folder = Folder::new();
    let mut net = Net::new(&[0, 1, 0, 0]);
    let a = net.conv("input", (1, 2), 3);
    let (scale, bias) = (net.floats(&[2], &[1.0, 1.0]), net.floats(&[2], &[0.0, 0.0]));
    let b = net.node("InstanceNormalization", &[&a, &scale, &bias], vec![]);
    net.output(&b, "output", &[0, 2, 0, 0]);
    let model = Model::open(&folder.put("norm.onnx", &net), &Options::default()).unwrap();
    assert!(model.description().sees_whole_image);
}

#[test]
fn a_model_is_opened_once_until_a_file_changes() {
    let folder = Folder::new();
    let path = folder.put("u.onnx", &Net::u_net(1, 1));
    let first = Model::open(&path, &Options::default()).unwrap();
    assert!(std::sync::Arc::ptr_eq(
        &first,
        &Model::open(&path, &Options::default()).unwrap()
    ));
    std::fs::write(path.with_extension("toml"), "name = \"mine\"\n").unwrap();
    let told = Model::open(&path, &Options::default()).unwrap();
    assert_eq!(told.description().name.as_deref(), Some("mine"));
    assert!(std::sync::Arc::ptr_eq(
        &told,
        &Model::open(&path, &Options::default()).unwrap()
    ));
    Net::u_net(1, 2).write(&path);
    let other = Model::open(&path, &Options::default()).unwrap();
    assert_eq!(other.description().outputs[0].channels, Some(2));
}

#[test]
fn what_does_not_fit_is_told() {
    let folder = Folder::new();
    let model = Model::open(
        &folder.put("u.onnx", &Net::u_net(2, 1)),
        &Options::default(),
    )
    .unwrap();
    let (a, b) = (image(40, 40, 1), image(40, 41, 2));
    let said = |error: Error| error.to_string();
    assert!(
        said(predict(&model, &[a.view()], &whole()).unwrap_err())
            .contains("takes 2 channels, not 1")
    );
    assert!(
        said(predict(&model, &[a.view(), b.view()], &whole()).unwrap_err()).contains("one size")
    );
    let absent = Plan {
        output: Some("prob".to_owned()),
        ..whole()
    };
    assert!(
        said(predict(&model, &[a.view(), a.view()], &absent).unwrap_err())
            .contains("it has output")
    );
    let odd = ArrayD::zeros(IxDyn(&[1, 2, 8]));
    assert!(said(model.run(odd).unwrap_err()).contains("`bcyx`"));
    // A convolution without padding gives less than it takes.
    let mut net = Net::new(&[0, 1, 0, 0]);
    let weights = net.floats(&[1, 1, 3, 3], &[0.1; 9]);
    let conv = net.node(
        "Conv",
        &["input", &weights],
        vec![ints("kernel_shape", &[3, 3])],
    );
    net.output(&conv, "output", &[0, 1, 0, 0]);
    let small = Model::open(&folder.put("valid.onnx", &net), &Options::default()).unwrap();
    let error = predict(&small, &[a.view()], &whole()).unwrap_err();
    assert!(
        matches!(error, Error::Output { .. }) && error.to_string().contains("[1, 1, 38, 38]"),
        "{error}"
    );
}
