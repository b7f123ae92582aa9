"""What the daemon adds: 2,000 image sets of 64 x 64 pixels dropped into a watched folder.

usage: overhead.py WELLSPRING [IMAGE-SETS]

Milliseconds an image set from file close to committed (median and 99 %), throughput, and the daemon's own share of the CPU time.
"""
import json
import os
import sqlite3
import statistics
import struct
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from daemon import Daemon

binary = sys.argv[1]
count = int(sys.argv[2]) if len(sys.argv) > 2 else 2000


def tiff(seed):
    """A 64 x 64 16-bit TIFF with some structure."""
    pixels = b"".join(struct.pack("<H", (i * 7919 + seed * 31) % 4000) for i in range(64 * 64))
    tags = [(256, 3, 64), (257, 3, 64), (258, 3, 16), (259, 3, 1), (262, 3, 1), (273, 4, 8), (277, 3, 1), (278, 3, 64), (279, 4, len(pixels))]
    ifd = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", t, k, 1, v) for t, k, v in tags) + b"\0\0\0\0"
    return struct.pack("<2sHI", b"II", 42, 8 + len(pixels)) + pixels + ifd


WORKFLOW = """name = "small"
version = "1"
[channels]
DAPI = "nuclei"
[container]
scale_factors = [1, 2]
[[job]]
id = "smooth"
kind = "filter.gaussian"
input = "nuclei"
output = "smooth"
"""

with tempfile.TemporaryDirectory() as tmp, Daemon(binary, tmp, WORKFLOW, 'settle_secs = 0\nplate_complete = ["manual"]') as daemon:
    folder = os.path.join(daemon.drop, "plate")
    os.mkdir(folder)
    closed = {}
    begin = time.time()
    cpu = daemon.cpu_seconds()
    for i in range(count):
        well = f"{chr(65 + i // 125)}{i // 5 % 25 + 1:02}"
        name = f"Well{well}_Point{well}_{i % 5:04}_ChannelDAPI_Seq{i:04}.tiff"
        with open(os.path.join(folder, name), "wb") as f:
            f.write(tiff(i))
        closed[f"{well}-{i % 5:04}"] = time.time()
    written = time.time() - begin
    while daemon.get("/api/v1/status")["tasks"]["succeeded"] < count:
        time.sleep(0.05)
    total = time.time() - begin
    cpu = {k: v - cpu[k] for k, v in daemon.cpu_seconds().items()}
    with sqlite3.connect(f"file:{daemon.state}/queue.db?mode=ro", uri=True) as db:
        finished = dict(db.execute("SELECT subject.name, task.finished_at / 1e3 FROM task JOIN subject ON subject.id = task.subject_id"))
    latency = sorted(1e3 * (finished[s] - t) for s, t in closed.items())
    print(
        json.dumps(
            {
                "image_sets": count,
                "files_written_in_s": round(written, 2),
                "all_committed_after_s": round(total, 2),
                "ms_per_image_set": round(1e3 * total / count, 2),
                "close_to_committed_ms": {"first": round(finished[next(iter(closed))] * 1e3 - closed[next(iter(closed))] * 1e3, 1), "median": round(statistics.median(latency), 1), "p99": round(latency[int(len(latency) * 0.99)], 1)},
                "cpu_s": {k: round(v, 2) for k, v in cpu.items()},
                "daemon_share_of_cpu": round(cpu["daemon"] / sum(cpu.values()), 3),
            },
            indent=1,
        )
    )
