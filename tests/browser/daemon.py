"""A real daemon on a port of its own, and real plates to drop into its folders."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import requests

REPOSITORY = Path(__file__).resolve().parents[2]
WORKFLOW = REPOSITORY / "config/examples/workflows/nuclei-and-cells.toml"

# Longest wait for a condition. Generous: the machine may be busy, and a wait ends as soon as the condition holds.
PATIENCE = 90


def wait_until(what, condition, patience=PATIENCE, log=lambda: ""):
    """Returns what the condition returned when it first was true."""
    end = time.monotonic() + patience
    while True:
        result = condition()
        if result:
            return result
        assert time.monotonic() < end, f"waited in vain until {what}\n{log()}"
        time.sleep(0.05)


class Daemon:
    """A daemon with folders of its own: `drop` is watched, `results` and `state` are written."""

    def __init__(self, binary, root_lines="", token=None, port=0):
        self.binary = binary
        self.token = token
        self.folder = Path(tempfile.mkdtemp(prefix="wellspring-browser-"))
        self.drop = self.folder / "drop"
        self.process = None
        for name in ("drop", "results", "state"):
            (self.folder / name).mkdir()
        server_lines = ""
        if token:
            file = self.folder / "token"
            file.write_text(token + "\n")
            file.chmod(0o600)
            server_lines = f'token_file = "{file}"'
        # A plate is complete when a test says so: nothing happens behind its back.
        self.config = self.folder / "wellspring.toml"
        self.config.write_text(f"""
[state]
dir = "{self.folder}/state"
min_free = "1 MiB"
[server]
listen = "127.0.0.1:{port}"
{server_lines}
[workers]
count = 2
grace_secs = 5
gpu = "off"
[[root]]
path = "{self.drop}"
output = "{self.folder}/results"
workflow = "{WORKFLOW}"
plate_complete = ["manual"]
settle_secs = 0
{root_lines}
""")
        self.launch()

    def launch(self):
        address = self.folder / "state/address"
        address.unlink(missing_ok=True)
        with open(self.folder / "daemon.log", "a") as log:
            self.process = subprocess.Popen(
                [self.binary, "serve", "--config", self.config], stdout=subprocess.DEVNULL, stderr=log
            )
        self.wait("the daemon says its address", lambda: self.is_running() and address.exists() and address.read_text().strip())
        self.url = address.read_text().strip()
        self.wait("the daemon answers", lambda: self.is_running() and self.answers())

    def is_running(self):
        assert self.process.poll() is None, f"the daemon ended\n{self.log()}"
        return True

    def answers(self):
        try:
            return requests.get(self.url + "/livez", timeout=10).ok
        except (requests.ConnectionError, requests.Timeout):
            return False

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self):
        return (self.folder / "daemon.log").read_text()

    def wait(self, what, condition, patience=PATIENCE):
        return wait_until(what, condition, patience, self.log)

    def command(self, text):
        """What a command that a page shows answers."""
        program, *arguments = shlex.split(text)
        assert program == "wellspring"
        done = subprocess.run(
            [self.binary, *arguments, "--json", "--server", self.url], capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, f"{text}: {done.returncode} {done.stderr}"
        return json.loads(done.stdout)

    # The API, as a program uses it.

    def headers(self):
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def get(self, path, **parameters):
        answer = requests.get(self.url + path, params=parameters, headers=self.headers(), timeout=60)
        assert answer.ok, f"GET {path}: {answer.status_code} {answer.text}\n{self.log()}"
        return answer.json()

    def post(self, path, body=None):
        answer = requests.post(self.url + path, json=body, headers={"X-Wellspring": "1", **self.headers()}, timeout=60)
        assert answer.ok, f"POST {path}: {answer.status_code} {answer.text}\n{self.log()}"
        return answer

    def plate(self, name):
        """The plate of this name, or None while it has not come."""
        return next((p for p in self.get("/api/v1/plates", q=name)["items"] if p["name"] == name), None)

    def tasks(self, **filters):
        return self.get("/api/v1/tasks", limit=1000, **filters)["items"]
