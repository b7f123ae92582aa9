"""What the daemon costs while nothing happens: CPU time and memory over a minute, after it has done some work.

usage: idle.py WELLSPRING [SECONDS]
"""
import json
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from daemon import Daemon

binary = sys.argv[1]
seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 60
repository = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
workflow = open(os.path.join(repository, "config/examples/workflows/nuclei-and-cells.toml")).read()
synthetic = os.path.join(os.path.dirname(os.path.realpath(binary)), "synthetic-plate")

with tempfile.TemporaryDirectory() as tmp, Daemon(binary, tmp, workflow, 'settle_secs = 0\nplate_complete = ["quiet:1"]') as daemon:
    if os.path.exists(synthetic):
        subprocess.run([synthetic, os.path.join(daemon.drop, "plate"), "--rows", "1"], check=True)
        while not any(p["state"] == "done" for p in daemon.get("/api/v1/plates")["items"]):
            time.sleep(0.1)
    time.sleep(3)
    before = daemon.cpu_seconds()
    time.sleep(seconds)
    used = {k: v - before[k] for k, v in daemon.cpu_seconds().items()}
    print(json.dumps({"seconds": seconds, "cpu_percent": {k: round(100 * v / seconds, 3) for k, v in used.items()}, "resident_MB": daemon.memory_mb()}, indent=1))
