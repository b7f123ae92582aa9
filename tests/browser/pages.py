"""Every page that is looked at, measured and photographed. A new page is one line here."""

from dataclasses import dataclass
from typing import Callable


@dataclass(frozen=True)
class Page:
    name: str
    # The path, given the laboratory with its ids.
    path: Callable
    # What the server answers; Chromium writes other statuses than 200 to its console.
    status: int = 200
    # Which daemon: the open laboratory, or the one that asks for a token.
    asks_for_token: bool = False
    # What its script has made when it is ready; only where it makes more than the server sent.
    ready: str = ""


PAGES = [
    Page("overview", lambda lab: "/"),
    Page("overview-nothing-found", lambda lab: "/?q=no-such-plate"),
    Page("plate-with-failures", lambda lab: f"/plates/{lab.failing}"),
    Page("plate-arriving", lambda lab: f"/plates/{lab.arriving}"),
    Page("plate-384-wells-paused", lambda lab: f"/plates/{lab.large}"),
    Page("well", lambda lab: f"/plates/{lab.failing}?well=A03"),
    Page("site", lambda lab: f"/plates/{lab.done}/sites/{lab.site}", ready="#plot:not([hidden])"),
    Page("site-without-result", lambda lab: f"/plates/{lab.failing}/sites/{lab.failed_task['subject']}"),
    Page("plate-heat-map", lambda lab: f"/plates/{lab.failing}?mode=heatmap&well=A01,B02:C03"),
    Page("plate-images", lambda lab: f"/plates/{lab.failing}?mode=thumbnail"),
    Page("plate-heat-map-without-tables", lambda lab: f"/plates/{lab.arriving}?mode=heatmap"),
    Page("plate-recompute", lambda lab: f"/plates/{lab.failing}/recompute?job=nuclei&wells=A"),
    Page("workflows", lambda lab: "/workflows"),
    Page("workflow", lambda lab: "/workflows/nuclei-and-cells"),
    Page("tasks", lambda lab: "/tasks"),
    Page("tasks-failed", lambda lab: "/tasks?state=failed,quarantined"),
    Page("task-failed", lambda lab: f"/tasks/{lab.failed_task['id']}"),
    Page("task-done", lambda lab: f"/tasks/{lab.done_task['id']}"),
    Page("no-such-plate", lambda lab: "/plates/999999", status=404),
    Page("login", lambda lab: "/login", asks_for_token=True),
]
