"""Opens every container of the SBS plate with h5py and compares its raw pixels with the TIFF files, read by hand.

usage: sbs.py PLATE-FOLDER RESULTS-FOLDER
"""
import glob
import os
import struct
import sys

import h5py
import numpy as np


def read_tiff(path):
    """An uncompressed single-strip 8-bit TIFF, big-endian: enough for this plate, and independent of any TIFF library."""
    data = open(path, "rb").read()
    assert data[:2] == b"MM"
    (ifd,) = struct.unpack(">I", data[4:8])
    (n,) = struct.unpack(">H", data[ifd : ifd + 2])
    tags = {}
    for i in range(n):
        tag, kind, count, value = struct.unpack(">HHII", data[ifd + 2 + 12 * i : ifd + 14 + 12 * i])
        tags[tag] = value >> 16 if kind == 3 and count == 1 else value
    width, height, offset = tags[256], tags[257], tags[273]
    return np.frombuffer(data, np.uint8, width * height, offset).reshape(height, width)


plate, results = sys.argv[1:]
containers = sorted(glob.glob(os.path.join(results, "*.h5")))
assert len(containers) == 12, containers
for path in containers:
    well = os.path.basename(path)[4:7]
    with h5py.File(path, "r") as f:
        for channel, name in (("Channel1", "GFP"), ("Channel2", "DNA")):
            column = well[1:]
            tiff = read_tiff(os.path.join(plate, f"{channel}-{column}-{well[0]}-{column}.tif"))
            level = f[name]["s0"][()]
            assert level.dtype == np.uint8 and np.array_equal(level, tiff), (path, name)
            assert list(f[name].attrs["ScaleFactors"]) == [1, 2, 4, 8]
            for i in range(1, 4):
                h, w = level.shape
                level = level[: h // 2 * 2, : w // 2 * 2].reshape(h // 2, 2, w // 2, 2).mean((1, 3)).astype(level.dtype)
                assert np.array_equal(f[name][f"s{i}"][()], level), (path, name, i)
        labels = f["nucleus_segmentation"]["s0"][()]
        assert labels.dtype == np.uint32 and f["nucleus_segmentation"].attrs["Color"] == "Glasbey"
        cells = f["tables/nuclei/cells"][()].astype("U100")
        assert len(cells) == labels.max(), path
        areas = cells[:, list(f["tables/nuclei/columns"][()].astype("U100")).index("area")].astype(float)
        assert np.array_equal(areas, np.bincount(labels.ravel())[1:]), path
        assert np.array_equal(f["typed/nuclei/area"][()], areas), path
print(f"{len(containers)} containers equal")
