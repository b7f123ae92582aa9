"""An ilastik project on one image: CPU seconds a megapixel, scaling on two threads, memory; against VIGRA's forest on the same features,
and against ilastik itself where WELLSPRING_ILASTIK names its program.

usage: bench/ilastik.py WELLSPRING [PROJECT IMAGE]     by default ../shared/golden/ilastik/cells_pc
"""
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

binary = sys.argv[1]
folder = Path(__file__).resolve().parents[2] / "shared/golden/ilastik/cells_pc"
project, image = (Path(p) for p in sys.argv[2:4]) if len(sys.argv) > 3 else (folder / "project.ilp", next(folder.glob("*.png"), None))
if image is None or not project.exists():
    sys.exit("skipped: there is no project; name one, and an image")
REPEATS, IMAGES = 5, 5


def timed(command, **environment):
    """Wall seconds, CPU seconds and peak memory in MB of a command."""
    begin = time.perf_counter()
    process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"failed: {' '.join(map(str, command))}")
    return time.perf_counter() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def per_image(run):
    """Of one image without the start: what `IMAGES` more images cost. And the start with the first image."""
    one, more = run(1), run(1 + IMAGES)
    return [(m - o) / IMAGES for o, m in zip(one[:2], more[:2])] + [one[0], one[1], more[2]]


def show(name, rows, megapixels):
    wall, cpu, first_wall, first_cpu, memory = (statistics.median(column) for column in zip(*rows))
    print(json.dumps({"run": name, "cpu_s_per_megapixel": round(cpu / megapixels, 3), "wall_s_per_megapixel": round(wall / megapixels, 3),
                      "first_image_wall_s": round(first_wall, 2), "first_image_cpu_s": round(first_cpu, 2), "peak_mb": round(memory)}))


def main():
    import h5py
    import numpy as np

    with tempfile.TemporaryDirectory() as tmp:
        tmp = Path(tmp)
        # Copies, so that the results have names of their own.
        copies = [tmp / f"{i}{image.suffix}" for i in range(1 + IMAGES)]
        for copy in copies:
            copy.write_bytes(image.read_bytes())

        def ours(threads, *more):
            common = [binary, "ilastik", "predict", "--project", project, "--output_format", "hdf5", "--threads", str(threads), *more]
            return lambda n: timed([*common, *copies[:n]])

        def theirs(n):
            return timed([os.environ["WELLSPRING_ILASTIK"], "--headless", "--readonly", f"--project={project}", "--output_format=hdf5",
                          *map(str, copies[:n])], LAZYFLOW_THREADS="1")

        rows = {"wellspring, 1 thread": [], "wellspring, 2 threads": []}
        if os.environ.get("WELLSPRING_ILASTIK"):
            rows["ilastik, 1 thread"] = []
        for _ in range(REPEATS):
            rows["wellspring, 1 thread"].append(per_image(ours(1)))
            rows["wellspring, 2 threads"].append(per_image(ours(2)))
            if "ilastik, 1 thread" in rows:
                rows["ilastik, 1 thread"].append(per_image(theirs))
        with h5py.File(tmp / "0_Probabilities.h5") as f:
            probabilities = f["exported_data"][...]
        megapixels = probabilities.shape[0] * probabilities.shape[1] / 1e6
        for name, measured in rows.items():
            show(name, measured, megapixels)
        if "ilastik, 1 thread" not in rows:
            print(json.dumps({"run": "ilastik 1.4.2, as documented for cells_pc (not run here)", "cpu_s_per_megapixel": 2.04, "first_image_cpu_s": 4.8}))

        # Four times the image: the memory that tiles need does not grow with it.
        large = tmp / "large.npy"
        small = tmp / "features.h5"
        subprocess.run([binary, "ilastik", "predict", "--project", project, "--export_source", "Features", "--output_format", "hdf5",
                        "--output_filename_format", small, copies[0]], check=True, stdout=subprocess.DEVNULL)
        from PIL import Image as Picture
        plane = np.asarray(Picture.open(image))
        np.save(large, np.tile(plane, (4, 4)))
        _, cpu, memory = timed([binary, "ilastik", "predict", "--project", project, "--output_format", "hdf5", "--threads", "1", "--input_axes", "yx", large])
        print(json.dumps({"run": "wellspring, 16 times the image", "megapixels": round(16 * megapixels, 1), "cpu_s_per_megapixel": round(cpu / megapixels / 16, 3), "peak_mb": round(memory)}))
        forest(project, small, probabilities, megapixels)


def forest(project, features, probabilities, megapixels):
    """VIGRA's forests on our features: the same numbers, and how long they take."""
    script = r"""
import sys, time, json
import h5py, numpy as np, vigra
project, features = sys.argv[1:]
with h5py.File(features) as f: x = f["exported_data"][...]
shape = x.shape[:2]
x = np.ascontiguousarray(x.reshape(-1, x.shape[-1]))
group = "PixelClassification/ClassifierForests"
with h5py.File(project) as f: names = sorted(n for n in f[group] if n.startswith("Forest"))
forests = [vigra.learning.RandomForest(project, f"{group}/{n}") for n in names]
times = []
for _ in range(3):
    begin = time.process_time()
    answers = [f.predictProbabilities(x) for f in forests]
    times.append(time.process_time() - begin)
trees = [f.treeCount() for f in forests]
p = sum(a * np.float32(t) for a, t in zip(answers, trees)) / np.float32(sum(trees))
np.save(sys.argv[2] + ".npy", p.reshape(*shape, -1))
print(json.dumps(times))
"""
    import numpy as np

    python = os.environ.get("WELLSPRING_VIGRA_PYTHON", "/usr/bin/python3")
    run = subprocess.run([python, "-c", script, str(project), str(features)], capture_output=True, text=True)
    if run.returncode:
        print(json.dumps({"run": "VIGRA's forest", "skipped": re.sub(r".*\n", "", run.stderr.strip())[:200]}))
        return
    seconds = statistics.median(json.loads(run.stdout))
    differing = int((np.load(f"{features}.npy") != probabilities).sum())
    print(json.dumps({"run": "VIGRA's forest alone, on these features", "cpu_s_per_megapixel": round(seconds / megapixels, 3), "values_that_differ": differing}))


main()
