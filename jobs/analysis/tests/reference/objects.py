#!/usr/bin/env python3
"""Writes the reference values of tests/objects: what scipy, scikit-image 0.26 and centrosome make of small images.

usage: objects.py [FOLDER OF PLATE IMAGES]
       objects.py live FOLDER OF PLATE IMAGES, FOLDER FOR THE RESULTS, NUMBER OF FIELDS

The images come from the generator below, which tests/filters/images.rs repeats; so only results are stored: checksums
(CRC-32 of the little-endian pixels) where equality is expected, nine digits where a tolerance is allowed.
With the folder of the ExampleSBS plate, it also writes the values for some of its fields (640x640, 8 bit).
`live` stores nothing here: it runs the usual pipeline on the plate and leaves its planes and times for a test to compare.
"""
import json
import os
import sys
import time
import warnings
import zlib

import numpy as np
from scipy import ndimage as ndi
from skimage.feature import peak_local_max
from skimage.filters import gaussian, threshold_otsu
from skimage.measure import label, regionprops_table
from skimage.morphology import h_maxima, reconstruction, remove_small_objects
from skimage.segmentation import clear_border, relabel_sequential, watershed

warnings.simplefilter("ignore")
HERE = os.path.dirname(os.path.abspath(__file__))
SHAPES = [(1, 1), (1, 19), (23, 1), (2, 2), (37, 53), (5, 120), (64, 64), (97, 71)]
FIELDS = ["01-A-01", "05-A-05", "12-A-12"]
SHAPE_PROPS = {
    "label_id": "label", "area": "area", "bbox_min_y": "bbox-0", "bbox_min_x": "bbox-1", "bbox_max_y": "bbox-2",
    "bbox_max_x": "bbox-3", "centroid_y": "centroid-0", "centroid_x": "centroid-1", "eccentricity": "eccentricity",
    "axis_major_length": "axis_major_length", "axis_minor_length": "axis_minor_length", "orientation": "orientation",
    "perimeter": "perimeter", "extent": "extent", "equivalent_diameter": "equivalent_diameter_area",
    "area_convex": "area_convex", "solidity": "solidity", "feret_diameter_max": "feret_diameter_max",
    "euler_number": "euler_number",
}  # fmt: skip


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


def crc(array, dtype=None):
    array = np.ascontiguousarray(array, dtype)
    return zlib.crc32(array.astype(array.dtype.newbyteorder("<")).tobytes())


def labels(array):
    return crc(array, np.uint32)


def markers(peaks, shape):
    out = np.zeros(shape, np.int32)
    out[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    return out


def components(blobs, holes, plateaus):
    found = {}
    for name, mask in (("blobs", blobs), ("holes", holes)):
        for c in (1, 2):
            numbered, count = label(mask, connectivity=c, return_num=True)
            assert c == 2 or (numbered == ndi.label(mask)[0]).all()
            found[f"label {name} {c}"] = labels(numbered)
            found[f"count {name} {c}"] = count
            found[f"remove small {name} {c}"] = crc(remove_small_objects(mask, max_size=5, connectivity=c))
    for c in (1, 2):
        found[f"regions {c}"] = labels(label(plateaus, connectivity=c))
    parts = label(holes, connectivity=1)
    found["remove small labels"] = labels(remove_small_objects(parts, max_size=3))
    for buffer in (0, 1):
        if buffer < min(blobs.shape):
            found[f"clear border {buffer}"] = labels(clear_border(parts, buffer))
    found["relabel"] = labels(relabel_sequential(parts % 5 * 1000 + parts % 3)[0])
    return found


def peaks(planes, blobs, plateaus):
    found = {}
    for name, plane in planes.items():
        for distance in (0, 1, 2, 5):
            at = peak_local_max(plane, min_distance=distance, labels=label(blobs), exclude_border=False)
            found[f"{name} {distance} by blob"] = labels(at)
        at = peak_local_max(plane, min_distance=3, labels=plateaus, exclude_border=1, num_peaks_per_label=2)
        found[f"{name} 3 by plateau"] = labels(at)
        at = peak_local_max(plane, min_distance=2, exclude_border=False, threshold_rel=0.2, num_peaks=7)
        found[f"{name} 2 everywhere"] = labels(at)
        for h in (1, 900):
            found[f"{name} h {h}"] = crc(h_maxima(plane, float(h)).astype(bool))
        for c in (1, 2):
            footprint = ndi.generate_binary_structure(2, c)
            found[f"{name} reconstruction {c}"] = crc(reconstruction(plane - 700, plane, footprint=footprint))
    return found


def watersheds(planes, blobs, holes):
    found = {}
    for name, plane in planes.items():
        points = markers(peak_local_max(plane, labels=label(blobs), exclude_border=False), plane.shape)
        areas = label(plane % 16 == 3, connectivity=1)
        for marker, seeds in (("points", points), ("areas", areas)):
            for where, mask in (("blobs", blobs), ("holes", holes), ("everywhere", None)):
                for c in (1, 2):
                    flooded = watershed(-plane, seeds, mask=mask, connectivity=c)
                    found[f"{name} {marker} {where} {c}"] = labels(flooded)
    return found


def propagated(u16, seeds, holes):
    from centrosome.propagate import propagate

    unit = (u16 / np.float32(65536)).astype(np.float32)
    found = {}
    for weight in (0.001, 0.05, 10):
        for name, mask in (("everywhere", holes | True), ("holes", holes)):
            found[f"{name} {weight}"] = labels(propagate(unit, seeds.astype(np.int32), mask, weight)[0])
    return found


def table(objects, channels):
    """The columns as text: nine digits."""

    def quartile(mask, values):
        return np.quantile(values[mask], 0.25)

    def integrated(mask, values):
        return values[mask].sum()

    names = {prop.split("-")[0] for prop in SHAPE_PROPS.values()}
    of_channel = ("mean", "max", "min", "std", "median")
    names |= {f"intensity_{name}" for name in of_channel} | {"centroid_weighted"}
    stack = np.stack(list(channels.values()), -1).astype(np.float64)
    found = regionprops_table(objects, stack, properties=sorted(names), extra_properties=(quartile, integrated))
    columns = {ours: found[theirs] for ours, theirs in SHAPE_PROPS.items()}
    for i, channel in enumerate(channels):
        for name in of_channel:
            columns[f"{channel}_{name}"] = found[f"intensity_{name}-{i}"]
        columns[f"{channel}_sum"] = found[f"integrated-{i}"]
        columns[f"{channel}_quantile_0.25"] = found[f"quartile-{i}"]
        for axis, name in enumerate("yx"):
            columns[f"{channel}_centroid_weighted_{name}"] = found[f"centroid_weighted-{axis}-{i}"]
    return {name: " ".join(f"{v:.9g}" for v in values) for name, values in columns.items()}


def synthetic():
    cases = []
    for index, shape in enumerate(SHAPES):
        seed = index + 1
        u16 = image(shape, seed)
        blobs, holes = u16 > 2500, speckle(shape, seed)
        plateaus = u16.astype(np.int64) // 1500
        planes = {"f32": u16.astype(np.float32), "f64": u16 / 7.0, "plateaus": plateaus.astype(np.float32)}
        case = {"shape": shape, "seed": seed, "image": crc(u16)}
        case["components"] = components(blobs, holes, plateaus)
        case["peaks"] = peaks(planes, blobs, plateaus)
        case["watershed"] = watersheds(planes, blobs, holes)
        seeds = markers(peak_local_max(planes["f32"], labels=label(blobs), exclude_border=False), shape)
        case["propagate"] = propagated(u16, seeds, holes)
        nuclei = watershed(-planes["f32"], seeds, mask=blobs)
        other = image(shape, seed + 100)
        if nuclei.any() and u16.size < 5000:
            case["table"] = table(nuclei, {"a": u16, "b": other})
            case["table of parts"] = table(plateaus, {"a": u16})
        cases.append(case)
    return cases


def illumination(folder, channel, fields):
    import tifffile

    planes = [tifffile.imread(os.path.join(folder, f"Channel{channel}-{f}.tif")).astype(np.float32) for f in fields]
    smooth = gaussian(sum(planes[1:], planes[0]) / len(planes), sigma=50, preserve_range=True)
    function = (smooth / smooth.mean()).astype(np.float32)
    planes = [plane / function for plane in planes]
    return [np.maximum(plane - np.percentile(plane, 5), 0) for plane in planes]


def nuclei_mask(nuclei):
    smooth = gaussian(nuclei, sigma=1, preserve_range=True)
    filled = ndi.binary_fill_holes(smooth > threshold_otsu(smooth))
    return remove_small_objects(filled, max_size=30)


def plate(folder):
    from centrosome.propagate import propagate

    found = {}
    for field, marker, nuclei in zip(FIELDS, illumination(folder, 1, FIELDS), illumination(folder, 2, FIELDS)):
        mask = nuclei_mask(nuclei)
        distance = gaussian(ndi.distance_transform_edt(mask), sigma=1, preserve_range=True)
        at = peak_local_max(distance, min_distance=5, labels=label(mask), exclude_border=False)
        segmented = watershed(-distance, markers(at, mask.shape), mask=mask)
        raised = h_maxima(distance, 0.5).astype(bool)
        cells = gaussian(marker, sigma=2, preserve_range=True)
        found[field] = {
            "marker": crc(marker),
            "nuclei": crc(nuclei),
            "mask": crc(mask),
            "distance": crc(distance),
            "number": len(at),
            "peaks": labels(at),
            "segmented": labels(segmented),
            "h maxima": crc(raised),
            "segmented by h": labels(watershed(-distance, label(raised), mask=mask)),
            "peaks of f32": labels(
                peak_local_max(distance.astype(np.float32), min_distance=5, labels=label(mask), exclude_border=False)
            ),
            "cells": labels(watershed(-cells, segmented)),
            "cells 8": labels(watershed(-cells, segmented, connectivity=2)),
            "cells of whole numbers": labels(watershed(-np.round(cells), segmented)),
            "grown": labels(propagate(marker / np.float32(256), segmented.astype(np.int32), mask | True, 0.05)[0]),
            "inner": labels(clear_border(segmented)),
        }
        if field == FIELDS[0]:
            found[field]["table"] = table(segmented, {"GFP": marker, "DNA": nuclei})
    return found


def live(folder, out, count):
    fields = sorted(name[9:-4] for name in os.listdir(folder) if name.startswith("Channel2-"))[: int(count)]
    times = {}

    def timed(name, function, repeat=2):
        best = 1e9
        for _ in range(repeat):
            start = time.process_time()
            result = function()
            best = min(best, time.process_time() - start)
        times.setdefault(name, []).append(1e3 * best)
        return result

    props = ("label", "area", "bbox", "centroid", "eccentricity", "major_axis_length", "minor_axis_length", "perimeter",
             "intensity_mean", "intensity_max", "intensity_min")  # fmt: skip
    for i, (marker, nuclei) in enumerate(zip(illumination(folder, 1, fields), illumination(folder, 2, fields))):
        mask = nuclei_mask(nuclei)
        distance = gaussian(ndi.distance_transform_edt(mask), sigma=1, preserve_range=True)
        timed("remove small", lambda: remove_small_objects(mask, max_size=30))
        parts = timed("label", lambda: label(mask))
        at = timed("peaks", lambda: peak_local_max(distance, min_distance=5, labels=parts, exclude_border=False))
        seeds = markers(at, mask.shape)
        segmented = timed("watershed", lambda: watershed(-distance, seeds, mask=mask))
        stack = np.stack([marker, nuclei], -1)
        timed("measure", lambda: regionprops_table(segmented, stack, properties=props), 1)
        exact = regionprops_table(segmented, stack.astype(np.float64), properties=props)
        columns = np.array([exact[name] for name in exact], np.float64)
        planes = {"mask": mask, "distance": distance, "parts": parts.astype(np.uint32), "peaks": at.astype(np.uint32),
                  "segmented": segmented.astype(np.uint32), "marker": marker, "nuclei": nuclei, "table": columns}  # fmt: skip
        for name, plane in planes.items():
            with open(os.path.join(out, f"{i}.{name}"), "wb") as file:
                file.write(plane.astype(plane.dtype.newbyteorder("<")).tobytes())
    with open(os.path.join(out, "times.json"), "w") as file:
        json.dump({"shape": mask.shape, "fields": len(fields), "ms": times}, file)


def write(name, data):
    with open(os.path.join(HERE, name), "w") as file:
        json.dump(data, file, indent=0)
        file.write("\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["live"]:
        live(*sys.argv[2:])
    else:
        write("objects.json", synthetic())
        if len(sys.argv) > 1:
            write("objects_plate.json", plate(sys.argv[1]))
