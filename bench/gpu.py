#!/usr/bin/env python3
"""The kernels of the example `bench_gpu` in CuPy and pyclesperanto, under the same names and on images of the same sizes.

usage: bench/gpu.py [OURS.json] [--side N]... [--rounds N] [--json FILE] [--numpy]

OURS.json is what `bench_gpu --json` wrote: its figures then stand beside these, with the ratio. A library that is not installed, or
finds no device, is named and skipped. `--numpy` runs CuPy's calls in NumPy and SciPy, on the CPU: a trial of this script without a GPU.

CuPy has its own kernels for all of these but the scale levels, which are slices and means. pyclesperanto has no exact distance
transform and no scale levels, and its derivatives have another factor; every one of its kernels is waited for, as it has no call that
waits for all at once.
Only times are compared: rules at borders differ.
"""
import argparse
import json
import statistics
import sys
import time

try:
    import numpy as np
except ImportError:
    print("skipped: this python has no NumPy, and so neither CuPy nor pyclesperanto (WELLSPRING_PYTHON names another python)")
    sys.exit(0)

RADII, SIGMAS, OFFSET = (5, 25), (1, 3.5, 10), 100
# Seconds that runs in a row should take together, so that waiting for the last one does not count, and how many they are at most.
ROW, MOST_IN_A_ROW = 0.1, 50


def images(side):
    """Cells and noise: raw pixels, floats, a mask, a divisor."""
    random = np.random.default_rng(1)
    y, x = np.mgrid[:side, :side].astype(np.float32)
    cells = 4000 * np.exp(-((y % 40 - 20) ** 2 + (x % 40 - 20) ** 2) / 100)
    raw = (200 + cells + random.integers(0, 100, (side, side))).astype(np.uint16)
    away = ((y / side - 0.5) ** 2 + (x / side - 0.5) ** 2).astype(np.float32)
    return {"raw": raw, "float": raw.astype(np.float32), "mask": raw > 1500, "divisor": 1.2 - away}


def disk(radius):
    y, x = np.mgrid[-radius:radius + 1, -radius:radius + 1]
    return y * y + x * x <= radius * radius


class Arrays:
    """CuPy, or NumPy in its place."""

    def __init__(self, numpy):
        if numpy:
            import scipy.ndimage as ndimage
            self.name, self.device, self.np = "NumPy", "the CPU", np
            self.push = self.pull = np.copy
            self.wait = lambda: None
        else:
            import cupy
            import cupyx.scipy.ndimage as ndimage
            number = cupy.cuda.runtime.getDeviceCount()  # Fails without a driver.
            if not number:
                raise RuntimeError("no CUDA device")
            self.name, self.np = "CuPy", cupy
            self.device = cupy.cuda.runtime.getDeviceProperties(0)["name"].decode()
            self.push, self.pull = cupy.asarray, cupy.asnumpy
            self.wait = cupy.cuda.Device().synchronize
        self.ndimage = ndimage

    def operations(self):
        xp, nd = self.np, self.ndimage
        yield "flat field u16", ("raw", "divisor"), lambda raw, divisor: (raw.astype(xp.float32) - xp.float32(OFFSET)) / divisor + xp.float32(OFFSET)
        for sigma in SIGMAS:
            yield f"gaussian {sigma}", ("float",), lambda a, sigma=sigma: nd.gaussian_filter(a, sigma, mode="nearest")
        yield "gaussian derivative 3.5", ("float",), lambda a: nd.gaussian_filter(a, 3.5, order=(0, 1), mode="nearest")
        yield "pyramid mean u16", ("raw",), self.levels(lambda a: a.reshape(a.shape[0] // 2, 2, a.shape[1] // 2, 2).mean((1, 3), dtype=xp.float32).astype(xp.uint16))
        yield "pyramid nearest u16", ("raw",), self.levels(lambda a: a[1::2, 1::2].copy())
        for name, run in (("opening", nd.grey_opening), ("closing", nd.grey_closing), ("white top-hat", nd.white_tophat)):
            for radius in RADII:
                element = xp.asarray(disk(radius))
                yield f"{name} {radius} u16", ("raw",), lambda a, run=run, element=element: run(a, footprint=element)
        yield "distance", ("mask",), nd.distance_transform_edt
        yield "components", ("mask",), lambda a: nd.label(a)[0]

    @staticmethod
    def levels(halve):
        def run(a):
            levels = []
            for _ in range(4):
                a = a[:a.shape[0] // 2 * 2, :a.shape[1] // 2 * 2]
                levels.append(halve(a))
                a = levels[-1]
            return levels
        return run


class Clesperanto:
    def __init__(self):
        import warnings

        warnings.simplefilter("ignore")
        import pyclesperanto as cle

        self.name, self.cle = "pyclesperanto", cle
        # Without a backend or a device this fails, in a way of each version's own.
        self.device = str(getattr(cle.select_device(), "name", "unknown"))
        cle.wait_for_kernel_to_finish(True)
        # OpenCL has no truth values in buffers.
        self.push = lambda a: cle.push(a.astype(np.uint8) if a.dtype == bool else a)
        self.pull = cle.pull
        self.wait = lambda: None

    def operations(self):
        cle = self.cle
        yield "flat field u16", ("raw", "divisor"), lambda raw, divisor: cle.add_image_and_scalar(
            cle.divide_images(cle.add_image_and_scalar(raw, scalar=-OFFSET), divisor), scalar=OFFSET)
        for sigma in SIGMAS:
            yield f"gaussian {sigma}", ("float",), lambda a, sigma=sigma: cle.gaussian_blur(a, sigma_x=sigma, sigma_y=sigma)
        if hasattr(cle, "gaussian_derivative"):
            yield "gaussian derivative 3.5", ("float",), lambda a: cle.gaussian_derivative(a, sigma_x=3.5, sigma_y=3.5, order_x=1)
        for name, run in (("opening", cle.grayscale_opening), ("closing", cle.grayscale_closing), ("white top-hat", cle.top_hat)):
            for radius in RADII:
                yield f"{name} {radius} u16", ("raw",), lambda a, run=run, radius=radius: run(
                    a, radius_x=radius, radius_y=radius, radius_z=0, connectivity="sphere")
        yield "components", ("mask",), lambda a: cle.connected_components_labeling(a, connectivity="sphere")


def libraries(numpy):
    for name, make in (("NumPy", lambda: Arrays(True)),) if numpy else (("CuPy", lambda: Arrays(False)), ("pyclesperanto", Clesperanto)):
        try:
            yield make()
        except ImportError as error:
            print(f"skipped: {name} is not installed ({error})")
        except Exception as error:  # Each library has its own way to say that there is no device.
            print(f"skipped: {name} finds no device ({type(error).__name__}: {error})")


def pulled(library, result):
    return [library.pull(one) for one in result] if isinstance(result, list) else library.pull(result)


def seconds(run):
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin


def measure(library, run, host, rounds):
    """Median seconds with and without transfers."""
    def with_transfers():
        pulled(library, run(*map(library.push, host)))

    there = [library.push(one) for one in host]

    def on_device(times):
        for _ in range(times):
            run(*there)
        library.wait()

    with_transfers()
    on_device(1)  # The first runs compile.
    times = int(min(max(ROW / max(seconds(lambda: on_device(1)), 1e-9), 1), MOST_IN_A_ROW))
    both = [(seconds(with_transfers), seconds(lambda: on_device(times)) / times) for _ in range(rounds)]
    return [statistics.median(column) for column in zip(*both)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("ours", nargs="?")
    parser.add_argument("--side", type=int, action="append")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json")
    parser.add_argument("--numpy", action="store_true")
    options = parser.parse_args()
    ours = {}
    if options.ours:
        with open(options.ours) as f:
            ours = {(row["name"], row["size"]): row for row in json.load(f)["rows"]}
    rows = []
    for library in libraries(options.numpy):
        print(f"{library.name} on {library.device}")
        print(f"{'kernel':25} {'size':12}{'all MP/s':>10}{'dev MP/s':>10}{'ours all':>10}{'ours dev':>10}{'ratio all':>10}{'ratio dev':>10}")
        for side in options.side or [2048, 4096]:
            planes, size, megapixels = images(side), f"{side}x{side}", side * side / 1e6
            for name, inputs, run in library.operations():
                try:
                    times = measure(library, run, [planes[i] for i in inputs], options.rounds)
                except Exception as error:  # One that a version lacks must not end the others.
                    print(f"{name:25} {size:12} not measured: {type(error).__name__}: {str(error)[:120]}")
                    continue
                row = dict(zip(("gpu_with_transfers_s", "gpu_on_device_s"), times), name=name, size=size, megapixels=megapixels, library=library.name)
                rates = [megapixels / t for t in times]
                mine = [(ours.get((name, size), {}).get(key) or {}).get("median") for key in ("gpu_with_transfers_s", "gpu_on_device_s")]
                row["ours_times_faster"] = [m and t / m for t, m in zip(times, mine)]
                rows.append(row)
                cells = rates + [m and megapixels / m for m in mine] + row["ours_times_faster"]
                print(f"{name:25} {size:12}" + "".join(f"{c:>10.4g}" if c else f"{'-':>10}" for c in cells))
    text = json.dumps({"rows": rows})
    print(text)
    if options.json:
        with open(options.json, "w") as f:
            f.write(text + "\n")


if __name__ == "__main__":
    main()
