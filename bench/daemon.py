"""A daemon with folders of its own, for the benchmarks."""
import json
import os
import subprocess
import time
import urllib.request


class Daemon:
    def __init__(self, binary, folder, workflow, root_lines):
        self.binary, self.folder = binary, folder
        self.drop, self.state = os.path.join(folder, "drop"), os.path.join(folder, "state")
        for name in ("drop", "results", "state"):
            os.mkdir(os.path.join(folder, name))
        with open(os.path.join(folder, "workflow.toml"), "w") as f:
            f.write(workflow)
        self.config = os.path.join(folder, "wellspring.toml")
        with open(self.config, "w") as f:
            f.write(
                f'[state]\ndir = "{self.state}"\nmin_free = "1 MiB"\n[server]\nlisten = "127.0.0.1:0"\n[workers]\ncount = 2\n[log]\nlevel = "warn"\n'
                f'[[root]]\npath = "{self.drop}"\noutput = "{folder}/results"\nworkflow = "{folder}/workflow.toml"\nnaming = "batchlib"\n{root_lines}\n'
            )

    def __enter__(self):
        self.process = subprocess.Popen([self.binary, "serve", "--config", self.config], stderr=subprocess.DEVNULL)
        address = os.path.join(self.state, "address")
        deadline = time.time() + 30
        while not os.path.exists(address):
            assert time.time() < deadline and self.process.poll() is None, "the daemon did not start"
            time.sleep(0.02)
        self.url = open(address).read().strip()
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def get(self, path):
        with urllib.request.urlopen(self.url + path) as answer:
            return json.load(answer)

    def workers(self):
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as f:
            children = set(f.read().split())
        for task in os.listdir(f"/proc/{self.process.pid}/task"):
            with open(f"/proc/{self.process.pid}/task/{task}/children") as f:
                children |= set(f.read().split())
        return sorted(children)

    def cpu_seconds(self):
        def of(pid):
            fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

        return {"daemon": of(self.process.pid), "workers": sum(of(p) for p in self.workers())}

    def memory_mb(self):
        def of(pid):
            return int(open(f"/proc/{pid}/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

        return {"daemon": round(of(self.process.pid), 1), "workers": [round(of(p), 1) for p in self.workers()]}
