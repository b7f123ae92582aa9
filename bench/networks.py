"""A network over a folder of images: `wellspring run` with `predict.network` against Python's onnxruntime, the whole job on both sides.

usage: networks.py WELLSPRING [REPEATS] [THREADS]

Both read the same 16-bit TIFF files, standardise, run the same U-Net (0.5 million weights, random), cut the mask at 0.5, and write
image, mask and boundaries to one HDF5 file an image. One process, the same number of threads, interleaved; medians of wall and CPU
seconds, starting up and loading the model included. Three sides: Python, the built-in engine, and the configured library (the one
of the Python package). Needs numpy, h5py, tifffile and onnxruntime.
"""
import glob
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

try:
    import h5py
    import numpy as np
    import onnxruntime
    import tifffile
except ImportError as missing:
    sys.exit(f"skipped: {missing}")

repository = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
IMAGES, SIZE = 6, 1024

WORKFLOW = """name = "network"
version = "1"
[container]
scale_factors = [1]
[[job]]
id = "unet"
kind = "predict.network"
model = "unet.onnx"
input = "DAPI"
output = { masks = ["mask"], images = ["boundaries"] }
channels = ["mask", "boundaries"]
normalise = "standardise"
"""


def python_side(folder, model, out, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    os.makedirs(out)
    for path in sorted(glob.glob(os.path.join(folder, "*.tiff"))):
        raw = tifffile.imread(path)
        image = raw.astype("float32")
        image = (image - image.mean()) / max(image.std(), 1e-6)
        maps = session.run(None, {"input": image[None, None]})[0][0]
        with h5py.File(os.path.join(out, os.path.basename(path)[:-5] + ".h5"), "w") as f:
            for name, data in (("DAPI", raw), ("mask", (maps[0] > 0.5).astype("uint8")), ("boundaries", maps[1])):
                f.create_dataset(name, data=data, chunks=(256, 256), compression="gzip", compression_opts=4)


def timed(command, env=None):
    before, begin = os.times(), time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    wall, after = time.perf_counter() - begin, os.times()
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return wall, after.children_user + after.children_system - before.children_user - before.children_system


def blobs(rng):
    y, x = np.mgrid[:SIZE, :SIZE]
    image = rng.normal(200, 20, (SIZE, SIZE))
    for _ in range(150):
        cy, cx, r = rng.uniform(0, SIZE), rng.uniform(0, SIZE), rng.uniform(6, 12)
        image += rng.uniform(300, 2000) * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / (2 * r * r))
    return image.clip(0, 65535).astype("uint16")


if sys.argv[1] == "--python-side":
    python_side(*sys.argv[2:5], int(sys.argv[5]))
    sys.exit()

binary = os.path.abspath(sys.argv[1])
repeats = int(sys.argv[2]) if len(sys.argv) > 2 else 3
threads = int(sys.argv[3]) if len(sys.argv) > 3 else 1
library = sorted(glob.glob(os.path.join(os.path.dirname(onnxruntime.__file__), "capi", "libonnxruntime.so*")))
with tempfile.TemporaryDirectory() as tmp:
    source, model = os.path.join(tmp, "plate"), os.path.join(tmp, "unet.onnx")
    cargo = shutil.which("cargo") or os.path.expanduser("~/.cargo/bin/cargo")
    subprocess.run([cargo, "run", "-q", "--locked", "-p", "networks", "--example", "write_unet", model], check=True, cwd=repository)
    os.mkdir(source)
    rng = np.random.default_rng(1)
    for i in range(IMAGES):
        tifffile.imwrite(os.path.join(source, f"WellA{i + 1:02}_PointA{i + 1:02}_0000_ChannelDAPI_Seq{i:04}.tiff"), blobs(rng))
    workflow = os.path.join(tmp, "network.toml")
    with open(workflow, "w") as f:
        f.write(WORKFLOW)
    run = [binary, "run", "--json", "--naming", "batchlib", "--workers", "1", "--threads", str(threads), workflow, source, "-o"]
    sides = {
        "python": lambda out: timed([sys.executable, __file__, "--python-side", source, model, out, str(threads)]),
        "built-in": lambda out: timed([*run, out]),
    }
    if library:
        sides["library"] = lambda out: timed([*run, out, "--onnxruntime", library[-1]])
    times = {name: [] for name in sides}
    outs = {name: os.path.join(tmp, name) for name in sides}
    for _ in range(repeats):
        for name, side in sides.items():
            shutil.rmtree(outs[name], ignore_errors=True)
            times[name].append(side(outs[name]))
    # What is compared must be equal.
    differences = {}
    theirs = sorted(glob.glob(os.path.join(outs["python"], "*.h5")))
    for name in [n for n in sides if n != "python"]:
        ours = sorted(p for p in glob.glob(os.path.join(outs[name], "**", "*.h5"), recursive=True))
        assert len(ours) == len(theirs) == IMAGES, (ours, theirs)
        worst, pixels = 0.0, 0
        for a, b in zip(theirs, ours):
            with h5py.File(a) as a, h5py.File(b) as b:
                worst = max(worst, float(np.abs(a["boundaries"][:] - b["boundaries/s0"][:]).max()))
                pixels += int((a["mask"][:] != b["mask/s0"][:]).sum())
        differences[name] = {"boundaries_max": worst, "mask_pixels": pixels}
    megapixels = IMAGES * SIZE * SIZE / 1e6
    median = {n: [statistics.median(t[i] for t in times[n]) for i in (0, 1)] for n in sides}
    print(
        json.dumps(
            {
                "images": IMAGES, "megapixels": round(megapixels, 2), "threads": threads, "repeats": repeats, "onnxruntime": onnxruntime.__version__,
                "wall_s": {n: [round(t[0], 2) for t in times[n]] for n in sides},
                "cpu_s_per_megapixel": {n: round(median[n][1] / megapixels, 3) for n in sides},
                "wall_to_python": {n: round(median[n][0] / median["python"][0], 2) for n in sides},
                "cpu_to_python": {n: round(median[n][1] / median["python"][1], 2) for n in sides},
                "differences": differences,
            },
            indent=1,
        )
    )
