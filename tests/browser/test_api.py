"""The API does what its own description says, asked thousands of times with sensible and with senseless data."""

import subprocess
import sys
from pathlib import Path

import pytest
import requests

from lab import finish, settled

# Requests are made up from a seed: the same ones in every run.
SEED = "7"
# Requests an operation in each phase; some thousand in all, in less than a minute.
EXAMPLES = "40"
LONGEST = 600

EVENTS = "/api/v1/events"


@pytest.fixture(scope="module")
def target(start_daemon, microscope):
    """A daemon of its own: everything on it is requeued, cancelled, paused and finalized."""
    daemon = start_daemon()
    microscope.write(daemon, "with-failures", microscope.draw(corrupt=2))
    finish(daemon, "with-failures", image_sets=6)
    microscope.write(daemon, "arriving", microscope.draw()[:4])
    settled(daemon, "arriving", image_sets=4)
    return daemon


def schemathesis(daemon, folder, *options):
    """Runs schemathesis; its report is the message of the failure."""
    command = [
        Path(sys.executable).with_name("schemathesis"),
        *("run", daemon.url + "/api/openapi.json", "--checks", "all", "--continue-on-failure"),
        # The description has no links from one operation to the next, from which a fourth phase would make scenarios.
        *("--phases", "examples,coverage,fuzzing"),
        *("--header", "X-Wellspring: 1", "--seed", SEED, "--max-examples", EXAMPLES),
        *("--generation-database", "none", "--no-color", *options),
    ]
    # It leaves files where it runs.
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LONGEST)
    assert run.returncode == 0, f"{run.stdout}\n{run.stderr}"
    daemon.is_running()


def test_every_operation_is_as_documented(target, tmp_path):
    schemathesis(target, tmp_path, "--exclude-path", EVENTS)


def test_pages_of_events_are_as_documented(target, tmp_path):
    # The stream of events does not end; asked for JSON it is a list like the others.
    schemathesis(target, tmp_path, "--include-path", EVENTS, "--header", "Accept: application/json")


def test_the_stream_of_events_is_as_documented(target):
    with requests.get(target.url + EVENTS, params={"after": 0}, stream=True, timeout=60) as answer:
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        lines = answer.iter_lines(decode_unicode=True)
        first = {}
        for line in lines:
            if not line:
                break
            name, _, value = line.partition(":")
            first[name] = value.strip()
    assert first["id"] == "1" and first["event"] == "daemon.booted" and '"id":1' in first["data"]


def operations(daemon):
    document = requests.get(daemon.url + "/api/openapi.json", headers=daemon.headers(), timeout=60).json()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path.replace("{id}", "1"), operation


def assert_problem(answer, status, code):
    told = f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text[:500]}"
    assert answer.status_code == status, told
    assert answer.headers["Content-Type"] == "application/problem+json", told
    problem = answer.json()
    assert problem["code"] == code and problem["status"] == status and problem["remedy"], told


def test_changes_need_the_header(target):
    changes = [path for method, path, _ in operations(target) if method == "POST"]
    assert len(changes) >= 12
    for path in changes:
        assert_problem(requests.post(target.url + path, timeout=60), 403, "header_required")


def test_everything_but_livez_needs_the_token(locked):
    asked = list(operations(locked))
    assert len(asked) >= 29
    for method, path, _ in asked:
        answer = requests.request(method, locked.url + path, headers={"X-Wellspring": "1"}, timeout=60)
        if path == "/livez":
            assert answer.status_code == 200
        else:
            assert_problem(answer, 401, "token_required")


def test_another_name_of_the_server_is_refused(target):
    answer = requests.get(target.url + "/api/v1/status", headers={"Host": "evil.example"}, timeout=60)
    assert_problem(answer, 421, "host_not_allowed")
