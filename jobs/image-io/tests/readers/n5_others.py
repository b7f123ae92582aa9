"""Reads an N5 container with z5py and with zarr (2.x), whichever there are: `n5_others.py FOLDER`.

Prints the names of the libraries, then a line a dataset, which must be the same in both.
"""
import sys, warnings, zlib

warnings.simplefilter("ignore")
readers = {}
try:
    import z5py

    readers["z5py"] = lambda path: z5py.File(path, mode="r")
except ImportError:
    pass
try:
    import zarr

    readers["zarr"] = lambda path: zarr.open(zarr.N5Store(path), mode="r")
except (ImportError, AttributeError):
    pass


def walk(group, path=""):
    for name in sorted(group):
        item, inner = group[name], f"{path}/{name}".lstrip("/")
        # The type is asked, because zarr makes a group of any name of an instance.
        if hasattr(type(item), "shape"):
            yield inner, item
        else:
            yield from walk(item, inner)


print("libraries", *readers)
told = {}
for name, read in readers.items():
    file = read(sys.argv[1])
    told[name] = [
        (path, str(data.dtype), *data.shape, zlib.crc32(data[:].astype(data.dtype.newbyteorder("<")).tobytes()))
        for path, data in walk(file)
    ]
    image = dict(file["uint16"].attrs)
    assert image["Visible"] is False and image["Skip"] is False and image["Alpha"] == 1.0, image
    assert image["Color"] == "White" and image["ScaleFactors"] == [1, 2, 4, 8, 16], image
    assert len(image["ContrastLimits"]) == 2 and all(isinstance(v, float) for v in image["ContrastLimits"]), image
    assert file.attrs["batchlib_commit"] == "wellspring"
    group = file["tables/cells/properties"]
    assert list(group["visible"][:]) == [1, 0, 1, 1]
    try:
        import numpy as np, pandas as pd
    except ImportError:
        print("skipped: no pandas")
        continue
    # What docs/concepts/container.md shows.
    text = lambda data: np.char.decode(data[:].view("S100")[..., 0])
    frame = pd.DataFrame(text(group["cells"]), columns=text(group["columns"]))
    assert list(frame.columns) == ["label_id", "a/b", "a/b", "type"], frame
    assert list(frame["type"]) == ["none", "too_small", "größer", ""], frame
    assert list(frame["label_id"].astype(int)) == [0, 1, 2, 3], frame
    assert list(frame.iloc[1]) == ["1", "0.3333333333333333", "1e-07", "too_small"], frame
for other in list(told.values())[1:]:
    assert other == list(told.values())[0]
for line in next(iter(told.values()), []):
    print(*line)
