"""StarDist's own package on the images of dsb2018/test: CPU seconds a megapixel of its network and of its suppression and painting, for
comparison with the example `nuclei_bench`. One thread. Needs ../shared and a Python with stardist, tensorflow, onnxruntime and tifffile;
what is missing is skipped, and said so.

The network has StarDist's shape and random weights, because only its ONNX file is there: the time is the same. Suppression and painting get the
outputs of the trained network.
"""
import glob
import json
import os
import sys
import tempfile
import time

for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ[name] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
shared = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../shared")
folder = os.path.join(shared, "models/stardist_dsb2018")
images = sorted(glob.glob(os.path.join(shared, "data/dsb2018/test/images/*.tif")))
if not images:
    sys.exit("skipped: ../shared is absent")
try:
    import numpy as np
    import onnxruntime
    import tifffile
    from stardist.geometry import polygons_to_label
    from stardist.nms import non_maximum_suppression
except ImportError as error:
    print(f"skipped: {error}. On the machine of the changelog's figures the package takes 1.42 CPU s a megapixel warm (network, suppression, painting), and 5 s to import")
    sys.exit(0)
with open(os.path.join(folder, "model.json")) as file:
    sidecar = json.load(file)


def normalise(image):
    low, high = np.percentile(image, [1, 99.8])
    return (image - low) / (high - low + 1e-20)


planes = [normalise(tifffile.imread(path).astype(np.float32)).astype(np.float32) for path in images]
megapixels = sum(plane.size for plane in planes) / 1e6
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(os.path.join(folder, "model.onnx"), options)
seconds = {"onnxruntime": 0.0, "suppression": 0.0, "painting": 0.0}
objects = 0
for plane in planes:
    height, width = plane.shape
    padded = np.pad(plane, ((0, -height % 16), (0, -width % 16)), mode="reflect")
    begin = time.process_time()
    prob, dist = session.run(["prob", "dist"], {session.get_inputs()[0].name: padded[None, ..., None]})
    seconds["onnxruntime"] += time.process_time() - begin
    prob, dist = prob[0, ..., 0], np.maximum(1e-3, dist[0])
    begin = time.process_time()
    points, scores, rays = non_maximum_suppression(dist, prob, grid=(2, 2), prob_thresh=sidecar["prob_thresh"], nms_thresh=sidecar["nms_thresh"])
    seconds["suppression"] += time.process_time() - begin
    begin = time.process_time()
    polygons_to_label(rays, points, prob=scores, shape=plane.shape)
    seconds["painting"] += time.process_time() - begin
    objects += len(points)
try:
    begin = time.process_time()
    from stardist.models import Config2D, StarDist2D
    config = sidecar["config"]
    keys = ["n_rays", "grid", "unet_n_depth", "unet_kernel_size", "unet_n_filter_base", "unet_n_conv_per_depth", "unet_pool", "net_conv_after_unet"]
    shape = {key: tuple(config[key]) if isinstance(config[key], list) else config[key] for key in keys}
    with tempfile.TemporaryDirectory() as tmp:
        model = StarDist2D(Config2D(**shape), name="network", basedir=tmp)
        model.predict(planes[0])
        loading = time.process_time() - begin
        begin = time.process_time()
        for plane in planes:
            model.predict(plane)
        seconds["tensorflow"] = time.process_time() - begin
    print(f"stardist package: {loading:.1f} CPU s to import and build")
except ImportError as error:
    print(f"the network of the package is skipped: {error}")
for name, spent in seconds.items():
    print(f"stardist package, {name}: {spent / megapixels:.3f} CPU s / megapixel")
print(f"{objects} objects in {len(planes)} images, {megapixels:.2f} megapixels, one thread")
