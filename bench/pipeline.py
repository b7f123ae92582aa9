"""The pipeline of ../shared/bench/baseline.py (scikit-image, scipy, h5py) against `wellspring run`, side by side.

usage: pipeline.py WELLSPRING [REPEATS]

Input: the SBS plate of ../shared replicated to 96 wells (192 files). The same steps on both sides: illumination function,
background, Gaussian, Otsu, distance transform, seeded watershed, object measurements, pyramids of raw, corrected and label
images. 2 processes against 2 workers, interleaved; medians. Wall time includes starting up, on both sides.
"""
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

repository = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
shared = os.path.join(repository, "..", "shared")
baseline = os.path.join(shared, "bench", "baseline.py")
plate = os.path.join(shared, "data", "sbs_plate")
if not (os.path.exists(baseline) and os.path.exists(plate)):
    sys.exit("skipped: ../shared is absent")
binary = sys.argv[1]
repeats = int(sys.argv[2]) if len(sys.argv) > 2 else 3


def size(folder):
    return sum(os.path.getsize(os.path.join(d, f)) for d, _, files in os.walk(folder) for f in files if f.endswith((".h5", ".hdf5")))


def timed(command):
    before = os.times()
    begin = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True)
    wall = time.perf_counter() - begin
    after = os.times()
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return wall, cpu, done.stdout


with tempfile.TemporaryDirectory() as tmp:
    source = os.path.join(tmp, "sbs96")
    os.mkdir(source)
    for row in "ABCDEFGH":
        for column in range(1, 13):
            for channel in (1, 2):
                number = "ABCDEFGH".index(row) * 12 + column
                shutil.copyfile(os.path.join(plate, f"Channel{channel}-{column:02}-A-{column:02}.tif"), os.path.join(source, f"Channel{channel}-{number:02}-{row}-{column:02}.tif"))
    theirs, ours = [], []
    workflow = os.path.join(repository, "config", "examples", "workflows", "illumination-nuclei.toml")
    for _ in range(repeats):
        out = os.path.join(tmp, "baseline")
        wall, cpu, text = timed([sys.executable, baseline, "--scheme", "sbs", "--in", source, "--out", out, "--procs", "2"])
        theirs.append((wall, cpu))
        base_objects, base_size = json.loads(text)["objects"], size(out)
        shutil.rmtree(out)
        out = os.path.join(tmp, "wellspring")
        wall, cpu, text = timed([binary, "run", "--json", "--workers", "2", "--threads", "1", workflow, source, "-o", out])
        ours.append((wall, cpu))
        table = subprocess.run([binary, "inspect", "--json", "--table", "images/default", os.path.join(out, "sbs96", "sbs96_table.hdf5")], capture_output=True, text=True, check=True)
        objects = int(sum(r["n_objects"] for r in json.loads(table.stdout)["rows"]))
        our_size = size(out)
        timings = {}
        import sqlite3

        with sqlite3.connect(os.path.join(out, ".wellspring", "queue.db")) as db:
            # All tasks of a pass carry the timings of the whole pass: one of them is enough.
            for (text,) in db.execute("SELECT max(timings) FROM attempt WHERE timings IS NOT NULL GROUP BY pass_id"):
                for step, ms in json.loads(text).items():
                    timings[step] = timings.get(step, 0) + ms / 1e3
        shutil.rmtree(out)
    median = lambda rows, i: statistics.median(r[i] for r in rows)
    result = {
        "repeats": repeats,
        "baseline": {"wall_s": round(median(theirs, 0), 2), "cpu_s": round(median(theirs, 1), 2), "objects": base_objects, "output_MB": round(base_size / 1e6, 1)},
        "wellspring": {"wall_s": round(median(ours, 0), 2), "cpu_s": round(median(ours, 1), 2), "objects": objects, "output_MB": round(our_size / 1e6, 1)},
        "times_faster_wall": round(median(theirs, 0) / median(ours, 0), 1),
        "times_less_cpu": round(median(theirs, 1) / median(ours, 1), 1),
        "where_the_time_goes_s": {k: round(v, 3) for k, v in sorted(timings.items(), key=lambda kv: -kv[1])},
    }
    print(json.dumps(result, indent=1))
