"""Compares the results of one run in both formats: `n5.py HDF5_FOLDER N5_FOLDER`.

Every image level, text table and typed column of every container must be the same, read by h5py on one side and by Python's
standard library on the other.
"""
import os, sys

import h5py
import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../jobs/image-io/tests/readers"))
from n5_plain import dataset

compared = 0
names = sorted(n[:-3] for n in os.listdir(sys.argv[1]) if n.endswith(".h5"))
assert names and names == sorted(n[:-3] for n in os.listdir(sys.argv[2]) if n.endswith(".n5")), names
for name in names:
    folder = os.path.join(sys.argv[2], name + ".n5")

    def visit(path, item):
        global compared
        here = os.path.join(folder, path)
        if not isinstance(item, h5py.Dataset):
            assert os.path.isdir(here), here
            return
        shape, kind, values = dataset(here)
        wanted = item[()]
        if wanted.dtype.kind == "S":
            # Texts have one more axis, for their bytes.
            found = np.frombuffer(values, "u1").reshape(shape)
            width = shape[-1]
            found = np.array([bytes(t).rstrip(b"\0") for t in found.reshape(-1, width)]).reshape(shape[:-1])
        elif wanted.dtype.kind == "O":
            raise AssertionError(f"{path} holds texts of variable length")
        else:
            assert kind == str(wanted.dtype), (here, kind)
            found = np.frombuffer(values, wanted.dtype.newbyteorder("<")).reshape(shape)
        assert found.shape == wanted.shape and (found.tobytes() == wanted.tobytes() or (found == wanted).all()), here
        compared += 1

    with h5py.File(os.path.join(sys.argv[1], name + ".h5"), "r") as file:
        file.visititems(visit)
assert compared > 10 * len(names)
print(compared, "datasets are the same")
