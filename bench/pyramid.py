"""h5py with gzip 4 writing the pyramids of three 2048 x 2048 planes, for comparison with the example `pyramid_bench`."""
import json
import os
import statistics
import tempfile
import time

import h5py
import numpy as np
from skimage.transform import downscale_local_mean

random = np.random.default_rng(1)
y, x = np.mgrid[:2048, :2048]
cells = sum(4000 * np.exp(-(((y - cy) ** 2 + (x - cx) ** 2) / 200)) for cy, cx in random.uniform(0, 2048, (60, 2)))
image = random.poisson(cells + 200).astype(np.uint16)
planes = {"u16": image, "f32": (image / 1.37).astype(np.float32), "labels u32": (cells > 500).astype(np.uint32)}


def write(path, plane):
    with h5py.File(path, "w") as f:
        level = plane
        for i in range(5):
            if i:
                level = level[1::2, 1::2] if plane.dtype == np.uint32 else downscale_local_mean(level, (2, 2)).astype(plane.dtype)
            f.create_dataset(f"s{i}", data=level, chunks=tuple(min(256, n) for n in level.shape), compression="gzip")


with tempfile.TemporaryDirectory() as tmp:
    for name, plane in planes.items():
        times = []
        for _ in range(5):
            path = os.path.join(tmp, "x.h5")
            begin = time.perf_counter()
            write(path, plane)
            times.append((time.perf_counter() - begin) * 1e3)
        print(json.dumps({"writer": "h5py gzip 4", "plane": name, "ms": round(statistics.median(times), 1), "bytes": os.path.getsize(path)}))
