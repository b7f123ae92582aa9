#!/usr/bin/env python3
"""Writes the reference values of tests/filters: what numpy, scipy and scikit-image 0.26 make of small images.

usage: filters.py [FOLDER OF PLATE IMAGES]

The images come from the generator below, which tests/filters/images.rs repeats; so only results are stored: checksums
(CRC-32 of the little-endian pixels) where equality is expected, some of
the pixels in base64 where a tolerance is allowed.
With the folder of the ExampleSBS plate, it also writes the values for two of its images (640x640, 8 bit).
"""
import base64
import json
import os
import sys
import warnings
import zlib

import numpy as np
from scipy import ndimage as ndi
from skimage import exposure, filters, morphology

warnings.simplefilter("ignore")
HERE = os.path.dirname(os.path.abspath(__file__))
QS = [0, 0.1, 1, 5, 50, 63.7, 99, 99.8, 100]
SHAPES = [(1, 1), (1, 17), (17, 1), (37, 53), (5, 200), (64, 64), (200, 210)]


class Random:
    """Knuth's MMIX generator, the upper 31 bits."""

    def __init__(self, seed):
        self.state = seed

    def next(self, below):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 33) % below


def image(shape, seed):
    """Bright round spots on a noisy background, uint16."""
    height, width = shape
    random = Random(seed)
    plane = np.zeros(shape, np.int64)
    y, x = np.mgrid[:height, :width]
    for _ in range(1 + height * width // 120):
        cy, cx = random.next(height), random.next(width)
        square = (2 + random.next(6)) ** 2
        peak = 1000 + random.next(20000)
        away = (y - cy) ** 2 + (x - cx) ** 2
        plane += np.where(away < square, peak * (square - away) // square, 0)
    noise = np.array([200 + random.next(800) for _ in range(height * width)]).reshape(shape)
    return np.minimum(plane + noise, 65535).astype(np.uint16)


def speckle(shape, seed):
    """A random mask, two thirds foreground: full of holes."""
    random = Random(seed)
    return np.array([random.next(3) > 0 for _ in range(shape[0] * shape[1])]).reshape(shape)


def crc(array):
    array = np.ascontiguousarray(array)
    return zlib.crc32(array.astype(array.dtype.newbyteorder("<")).tobytes())


def values(array):
    step = max(5, array.size // 400 | 1)
    return base64.b64encode(array.ravel()[::step].tobytes()).decode()


def number(value):
    """As text, because not every JSON reader returns the exact number."""
    return repr(float(value))


def thresholds(plane):
    found = {}
    for name in ("otsu", "li", "triangle", "yen"):
        found[name] = number(getattr(filters, "threshold_" + name)(plane))
    return found


def statistics(plane):
    counts, centers = exposure.histogram(plane, source_range="image")
    return {
        "percentile": [number(np.percentile(plane, q)) for q in QS],
        "percentiles": [number(v) for v in np.percentile(plane, QS)],
        "histogram": crc(counts.astype(np.uint64)),
        "bins": len(counts),
        "first center": number(centers[0]),
        "last center": number(centers[-1]),
        **thresholds(plane),
    }


def smoothed(plane):
    found = {}
    for sigma in (0, 1, 2.5, 7):
        found[f"nearest {sigma}"] = values(filters.gaussian(plane, sigma=sigma, preserve_range=True))
    for mode in ("reflect", "mirror"):
        found[f"{mode} 1.5"] = values(ndi.gaussian_filter(plane, 1.5, mode=mode))
    found["anisotropic"] = values(ndi.gaussian_filter(plane, (4, 0.7), mode="nearest", truncate=3))
    return found


def binary(mask):
    found = {}
    for outside in (0, 1):
        for iterations in (1, 2, 5):
            for name in ("erosion", "dilation", "opening", "closing"):
                function = getattr(ndi, "binary_" + name)
                found[f"{name} cross {iterations} outside {outside}"] = crc(
                    function(mask, iterations=iterations, **({"border_value": outside}))
                )
    for radius in (1, 2, 3, 8):
        for name in ("erosion", "dilation", "opening", "closing"):
            function = getattr(morphology, "binary_" + name)
            found[f"{name} disk {radius}"] = crc(function(mask, morphology.disk(radius)))
    found["fill holes"] = crc(ndi.binary_fill_holes(mask))
    for connectivity in (1, 2):
        objects = morphology.remove_small_objects(mask, max_size=9, connectivity=connectivity)
        holes = morphology.remove_small_holes(mask, max_size=4, connectivity=connectivity)
        found[f"small objects {connectivity}"] = crc(objects)
        found[f"small holes {connectivity}"] = crc(holes)
    # What min_size=9 meant before 0.26; 0.26 itself takes it for max_size=9.
    found["old small objects"] = crc(morphology.remove_small_objects(mask, max_size=8))
    distance = ndi.distance_transform_edt(mask)
    found["distance"] = crc(distance)
    found["distance squared"] = crc(np.rint(distance**2).astype(np.uint32))
    return found


def grey(plane):
    found = {}
    for radius in (0, 1, 3, 10):
        for name in ("erosion", "dilation", "opening", "closing", "white_tophat"):
            found[f"{name} {radius}"] = crc(getattr(morphology, name)(plane, morphology.disk(radius)))
    return found


def synthetic():
    cases = []
    for index, shape in enumerate(SHAPES):
        seed = index + 1
        u16 = image(shape, seed)
        u8 = np.minimum(u16 // 90, 255).astype(np.uint8)
        f32 = (u16.astype(np.float32) - 700) / np.float32(7)
        blobs, holes = u16 > 2500, speckle(shape, seed)
        case = {"shape": shape, "seed": seed}
        case["image"] = [number(crc(plane)) for plane in (u8, u16, f32, holes)]
        for name, plane in (("u8", u8), ("u16", u16), ("f32", f32)):
            case[f"statistics {name}"] = statistics(plane)
            case[f"grey {name}"] = grey(plane)
        # A narrow range far from 0: the edges of the histogram's bins are rounded a lot.
        case["statistics fine"] = statistics(np.float32(5000) + f32 / np.float32(64))
        for name, mask in (("blobs", blobs), ("holes", holes), ("none", blobs & False), ("all", blobs | True)):
            case[f"binary {name}"] = binary(mask)
        case["smooth f32"] = smoothed(f32)
        case["smooth f64"] = {"distance": values(filters.gaussian(ndi.distance_transform_edt(blobs), sigma=1))}
        case["local"] = {
            name: values(filters.threshold_local(f32, 11, method=name, offset=2.5))
            for name in ("gaussian", "mean", "median")
        }
        case["correct"] = corrected(u16)
        cases.append(case)
    return cases


def corrected(u16):
    random = Random(99)
    illumination = np.array([np.float32(0.5) + np.float32(random.next(1 << 20)) / np.float32(1 << 20) for _ in range(u16.size)])
    illumination = illumination.reshape(u16.shape)
    divided = u16.astype(np.float32) / illumination
    background = np.percentile(divided, 5)
    mean = np.zeros(u16.shape, np.float32)
    for seed in range(10, 14):
        mean = mean + image(u16.shape, seed).astype(np.float32)
    function = filters.gaussian(mean / 4, sigma=50, preserve_range=True)
    return {
        "flat field": crc((u16.astype(np.float32) - np.float32(100)) / illumination + np.float32(100)),
        "divided": crc(divided),
        "background": number(background),
        "subtracted": crc(np.maximum(divided - background, 0)),
        "illumination": values(function / function.mean()),
    }


def plate(folder):
    import tifffile

    found = {}
    for name in ("Channel1-05-A-05.tif", "Channel2-01-A-01.tif"):
        u8 = tifffile.imread(os.path.join(folder, name))
        f32 = u8.astype(np.float32)
        function = filters.gaussian(f32, sigma=50, preserve_range=True)
        function = (function / function.mean()).astype(np.float32)
        x = f32 / function
        background = np.percentile(x, 5)
        nuclei = np.maximum(x - background, 0)
        smooth = filters.gaussian(nuclei, sigma=1, preserve_range=True)
        threshold = filters.threshold_otsu(smooth)
        filled = ndi.binary_fill_holes(smooth > threshold)
        mask = morphology.remove_small_objects(filled, max_size=30)
        distance = ndi.distance_transform_edt(mask)
        found[name] = {
            "image": crc(u8),
            "illumination": crc(function),
            "background": number(background),
            "corrected": crc(nuclei),
            "smooth": crc(smooth),
            "otsu": number(threshold),
            "filled": crc(filled),
            "mask": crc(mask),
            "distance": crc(distance),
            "smooth distance": crc(filters.gaussian(distance, sigma=1, preserve_range=True)),
            "percentiles": [number(v) for v in np.percentile(smooth, QS)],
            "tophat u8": crc(morphology.white_tophat(u8, morphology.disk(5))),
            "tophat f32": crc(morphology.white_tophat(smooth, morphology.disk(5))),
            "opened mask": crc(ndi.binary_opening(mask, iterations=2)),
            "eroded mask": crc(morphology.binary_erosion(mask, morphology.disk(3))),
            **thresholds(smooth),
            "u8": thresholds(u8),
        }
    return found


def write(name, data):
    with open(os.path.join(HERE, name), "w") as file:
        json.dump(data, file, indent=0)
        file.write("\n")


write("filters.json", synthetic())
if len(sys.argv) > 1:
    write("filters_plate.json", plate(sys.argv[1]))
