"""Reads an N5 folder with Python's standard library alone: `n5_plain.py FOLDER` prints a line a dataset.

A plane (y, x) has `dimensions` [width, height], and its blocks lie at x/y.
"""
import gzip, itertools, json, os, struct, sys, zlib


def dataset(folder):
    """Shape (slowest axis first), type, and the values of a dataset as little-endian bytes in C order."""
    about = json.load(open(os.path.join(folder, "attributes.json")))
    shape, block = about["dimensions"][::-1], about["blockSize"][::-1]
    size = int(about["dataType"].lstrip("uintfloa")) // 8
    out = bytearray(size)
    for n in shape:
        out = out * n
    for at in itertools.product(*(range(-(-n // b)) for n, b in zip(shape, block))):
        with open(os.path.join(folder, *map(str, at[::-1])), "rb") as file:
            mode, axes = struct.unpack(">HH", file.read(4))
            assert mode == 0 and axes == len(shape), (folder, mode, axes)
            lengths = struct.unpack(f">{axes}I", file.read(4 * axes))[::-1]
            values = gzip.decompress(file.read())
        values = swapped(values, size)
        row = lengths[-1] * size
        for number, index in enumerate(itertools.product(*map(range, lengths[:-1]))):
            start = 0
            for n, b, a, i in zip(shape, block, at, (*index, 0)):
                start = start * n + a * b + i
            out[start * size : start * size + row] = values[number * row : (number + 1) * row]
    return shape, about["dataType"], bytes(out)


def swapped(values, size):
    """Big-endian values as little-endian ones."""
    out = bytearray(len(values))
    for k in range(size):
        out[k::size] = values[size - 1 - k :: size]
    return out


if __name__ == "__main__":
    for folder, _, files in sorted(os.walk(sys.argv[1])):
        if "attributes.json" in files and "dimensions" in json.load(open(os.path.join(folder, "attributes.json"))):
            shape, kind, values = dataset(folder)
            print(os.path.relpath(folder, sys.argv[1]), kind, *shape, zlib.crc32(values))
