"""Reads results with h5py while the daemon is being killed.

usage: crash.py ACQUISITIONS RESULTS     (commands as JSON lines on stdin, one answer a line on stdout)

Between commands it opens every results file that has changed, by its final name, and reads all of it: what cannot be read is a fault.
    {"do": "report"}                     -> {"opened": N, "faults": [...]}
    {"do": "compare", "plates": [...]}   -> {"containers": N, "differences": [...]}
    {"do": "equal", "folder": "..."}     -> {"containers": N, "differences": [...]}
"""
import json
import os
import select
import struct
import sys

import h5py
import numpy as np

drop, results = sys.argv[1:]
seen, opened, faults = {}, 0, []


def pages(path):
    """An uncompressed 16-bit little-endian TIFF, read by hand: independent of any TIFF library."""
    data = open(path, "rb").read()
    assert data[:4] == b"II*\0", path
    (ifd,) = struct.unpack_from("<I", data, 4)
    out = []
    while ifd:
        (n,) = struct.unpack_from("<H", data, ifd)
        tags = {}
        for i in range(n):
            at = ifd + 2 + 12 * i
            tag, kind, count = struct.unpack_from("<HHI", data, at)
            if kind in (1, 3, 4):  # byte, short, long
                letter, size = {1: ("B", 1), 3: ("H", 2), 4: ("I", 4)}[kind]
                where = at + 8 if size * count <= 4 else struct.unpack_from("<I", data, at + 8)[0]
                tags[tag] = struct.unpack_from(f"<{count}{letter}", data, where)
        assert tags.get(259, (1,))[0] == 1 and tags[258][0] == 16, path
        strips = b"".join(data[o : o + c] for o, c in zip(tags[273], tags[279]))
        out.append(np.frombuffer(strips, "<u2").reshape(tags[257][0], tags[256][0]))
        (ifd,) = struct.unpack_from("<I", data, ifd + 2 + 12 * n)
    return out


def files(top=results):
    """All of them, hidden ones too, but for what says whose folder it is and the queue of `wellspring run`."""
    for folder, folders, names in os.walk(top):
        if folder == top:
            folders[:] = [name for name in folders if name != ".wellspring"]
            names = [name for name in names if name != ".wellspring.lock"]
        for name in names:
            yield os.path.join(folder, name)


def read_all(path):
    with h5py.File(path, "r") as f:
        f.visititems(lambda _, item: item[()] if isinstance(item, h5py.Dataset) else None)


def look():
    global opened
    for path in files():
        if os.path.basename(path).startswith("."):
            continue
        try:
            s = os.stat(path)
            stamp = (s.st_ino, s.st_mtime_ns, s.st_size)
            if seen.get(path) == stamp:
                continue
            read_all(path)
            seen[path] = stamp
            opened += 1
        except Exception as error:  # whatever it is, a reader has met it
            faults.append(f"{path}: {type(error).__name__}: {error}")


def table(f, name):
    columns = [c.decode() for c in f[f"tables/{name}/columns"][()].ravel()]
    return [dict(zip(columns, (c.decode() for c in row))) for row in f[f"tables/{name}/cells"][()]]


def compare_site(plate, site, differences):
    path = os.path.join(results, plate["name"], os.path.splitext(os.path.basename(site["file"]))[0] + ".h5")
    where = f"{plate['name']} {site['name']}"
    with h5py.File(path, "r") as f:
        for channel, page in zip(("nuclei", "cells"), pages(os.path.join(drop, site["file"]))):
            if not np.array_equal(f[channel]["s0"][()], page):
                differences.append(f"{where}: {channel} is not what the file holds")
        if not np.array_equal(f["nuclei_copy"]["s0"][()], f["nuclei"]["s0"][()]):
            differences.append(f"{where}: nuclei_copy is no copy of nuclei")
        corrected = f["cells_corrected"]["s0"][()]
        if corrected.shape != page.shape or not np.isfinite(corrected).all():
            differences.append(f"{where}: cells_corrected is damaged")
        count = int(f["nucleus_segmentation"]["s0"][()].max())
        objects = len(table(f, "nucleus_segmentation/objects"))
        if (count, objects) != (site["cells"], site["cells"]):
            differences.append(f"{where}: {count} labels and {objects} rows, but {site['cells']} cells")
        for job, key in site["keys"].items():
            stored = json.loads(f.attrs[f"wellspring_job_{job}"])["key"]
            if stored != key:
                differences.append(f"{where}: result of {job} has key {stored}, the queue says {key}")
    return path, count


def compare(plates):
    differences, expected, containers = [], set(), 0
    for plate in plates:
        counts = {}
        for site in plate["sites"]:
            try:
                path, counts[site["name"]] = compare_site(plate, site, differences)
                expected.add(path)
                containers += 1
            except Exception as error:
                differences.append(f"{plate['name']} {site['name']}: {type(error).__name__}: {error}")
        for what in ("table", "illumination"):
            expected.add(os.path.join(results, plate["name"], f"{plate['name']}_{what}.hdf5"))
        try:
            with h5py.File(os.path.join(results, plate["name"], plate["name"] + "_table.hdf5"), "r") as f:
                rows = {r["site_name"]: int(float(r["n_objects"])) for r in table(f, "images/default")}
            if rows != counts:
                differences.append(f"{plate['name']}: the plate's table says {rows}, the containers {counts}")
        except Exception as error:
            differences.append(f"{plate['name']}: {type(error).__name__}: {error}")
    there = set(files())
    differences += [f"{path} is too many" for path in sorted(there - expected)]
    differences += [f"{path} is missing" for path in sorted(expected - there)]
    return {"containers": containers, "differences": differences}


def contents(path):
    with h5py.File(path, "r") as f:
        items = {}
        f.visititems(lambda name, item: items.update({name: item[()]} if isinstance(item, h5py.Dataset) else {}))
        keys = {name: json.loads(text)["key"] for name, text in f.attrs.items() if name.startswith("wellspring_job_")}
    return items, keys


def equal(folder):
    """Every number in the results against those of a run that nobody disturbed."""
    differences = []
    ours = {os.path.relpath(path, results) for path in files()}
    theirs = {os.path.relpath(path, folder) for path in files(folder)}
    differences += [f"{path} is not in both" for path in sorted(ours ^ theirs)]
    for path in sorted(ours & theirs):
        (a, keys_a), (b, keys_b) = contents(os.path.join(results, path)), contents(os.path.join(folder, path))
        differences += [f"{path}: {name} is not in both" for name in sorted(a.keys() ^ b.keys())]
        same = lambda x, y: np.array_equal(x, y, equal_nan=np.asarray(x).dtype.kind == "f")
        differences += [f"{path}: {name} differs" for name in sorted(a.keys() & b.keys()) if not same(a[name], b[name])]
        if keys_a != keys_b:
            differences.append(f"{path}: keys differ: {keys_a} {keys_b}")
    return {"containers": len(ours & theirs), "differences": differences}


while True:
    readable, _, _ = select.select([sys.stdin], [], [], 0.05)
    if not readable:
        look()
        continue
    line = sys.stdin.readline()
    if not line:
        break
    command = json.loads(line)
    look()
    if command["do"] == "compare":
        answer = compare(command["plates"])
    elif command["do"] == "equal":
        answer = equal(command["folder"])
    else:
        answer = {"opened": opened, "faults": faults}
    print(json.dumps(answer), flush=True)
