"""The list of tasks with its filters, and the page of one task."""

import re

import pytest
from playwright.sync_api import expect

from lab import arrived, finish


def rows(page):
    return page.locator("#tasks tbody tr")


def ids(page):
    links = rows(page).locator("th a").evaluate_all("links => links.map(link => link.pathname)")
    return [int(path.rsplit("/", 1)[1]) for path in links]


@pytest.mark.parametrize(
    ("field", "value", "filter"),
    [
        ("State", "failed,quarantined", {"state": "failed,quarantined"}),
        ("Plate number", "2", {"plate": 2}),
        ("Well", "A03", {"well": "A03"}),
        ("Job", "tables", {"job": "tables"}),
        ("Kind", "summarise.objects", {"kind": "summarise.objects"}),
        ("Text", "is damaged", {"q": "is damaged"}),
    ],
)
def test_tasks_are_filtered(lab_page, lab, field, value, filter):
    expected = [task["id"] for task in lab.daemon.tasks(**filter)]
    assert expected
    lab_page.goto("/tasks")
    control = lab_page.get_by_label(field, exact=True)
    control.select_option(value) if field == "State" else control.fill(value)
    lab_page.get_by_role("button", name="Filter").click()
    # All of the list is there, not only its first rows.
    lab_page.wait_for_url(re.compile(r"/tasks\?"))
    expect(control).to_have_value(value)
    assert ids(lab_page) == expected[:100]


def test_filters_go_together_and_are_reset(lab_page, lab):
    lab_page.goto("/tasks")
    lab_page.get_by_label("Well", exact=True).fill("A03")
    lab_page.get_by_label("Job", exact=True).fill("smooth")
    lab_page.get_by_label("State", exact=True).select_option("failed,quarantined")
    lab_page.get_by_role("button", name="Filter").click()
    expect(rows(lab_page)).to_have_count(1)
    lab_page.get_by_role("link", name="Remove all").click()
    expect(rows(lab_page)).to_have_count(100)
    expect(lab_page.get_by_label("Well", exact=True)).to_have_value("")


def test_a_filter_that_makes_no_sense_is_refused_with_a_remedy(lab_page):
    lab_page.witness.allow("the server responded with a status of 400")
    answer = lab_page.goto("/tasks?state=sleeping")
    assert answer.status == 400
    expect(lab_page.get_by_role("main")).to_contain_text("unknown task state sleeping")
    expect(lab_page.get_by_role("main")).to_contain_text("What to do:")


def test_all_tasks_are_reached_page_by_page(lab_page, lab):
    expected = [task["id"] for task in lab.daemon.tasks(plate=lab.failing)]
    lab_page.goto(f"/tasks?plate={lab.failing}")
    seen = ids(lab_page)
    while lab_page.get_by_role("link", name="More tasks").count():
        assert len(seen) < len(expected)
        lab_page.get_by_role("link", name="More tasks").click()
        # The address of the next page, not that of the one before; and all of its list.
        lab_page.wait_for_url(re.compile(rf"after={seen[-1]}\b"))
        expect(lab_page.locator(f'#tasks a[href="/tasks/{seen[-1]}"]')).to_have_count(0)
        seen += ids(lab_page)
    assert seen == expected


def test_a_failed_task_tells_its_story(lab_page, lab):
    task = lab.failed_task
    lab_page.goto("/tasks?state=failed,quarantined")
    lab_page.get_by_role("link", name=f"{task['job']} of {task['subject_name']}", exact=True).click()
    head = lab_page.locator("#head")
    expect(head).to_contain_text("is damaged")
    expect(head).to_contain_text(f"What to do: {task['error']['remedy']}")
    expect(lab_page.locator("#why")).to_contain_text("damaged-file")
    expect(lab_page.locator("#attempts .log")).to_contain_text("a raw channel is left out of the container")
    expect(lab_page.locator("#key")).to_contain_text(task["key"])
    text = lab_page.context.request.get(lab_page.get_by_role("link", name="Log as text").get_attribute("href"))
    assert "a raw channel is left out" in text.text()


def test_the_graph_is_walked(lab_page, lab):
    lab_page.goto(f"/tasks/{lab.done_task['id']}")
    lab_page.locator("#outputs").get_by_role("link", name=re.compile("^tables of screen-0042$")).click()
    expect(lab_page.get_by_role("heading", level=1)).to_contain_text("tables of screen-0042")
    needed = lab.daemon.tasks(plate=lab.done, job="measure-cells")
    for task in needed:
        expect(lab_page.locator(f'#inputs a[href="/tasks/{task["id"]}"]')).to_be_visible()


def test_all_failed_tasks_of_a_list_are_requeued(workshop_page, workshop, broken):
    _, plate = broken
    failed = workshop.tasks(plate=plate, state="failed")
    workshop_page.goto(f"/tasks?plate={plate}&state=failed,quarantined")
    expect(rows(workshop_page)).to_have_count(len(failed))
    workshop_page.get_by_role("button", name="Requeue all failed tasks of this list").click()
    expect(workshop_page.get_by_text(f"{len(failed)} tasks requeued, with what depends on them.")).to_be_visible()
    for task in failed:
        attempts = f"/api/v1/tasks/{task['id']}/attempts"
        workshop.wait("it is tried again", lambda: len(workshop.get(attempts)["items"]) == 2)


def test_a_task_that_succeeded_is_run_again(workshop_page, workshop, microscope):
    microscope.write(workshop, "again", microscope.draw(rows=1, columns=2))
    plate = finish(workshop, "again", image_sets=2)
    task = workshop.tasks(plate=plate, job="measure-cells")[0]["id"]
    workshop_page.goto(f"/tasks/{task}")
    workshop_page.get_by_role("button", name="Run again").click()
    expect(workshop_page.get_by_text(re.compile(r"requeued, with what depends on them"))).to_be_visible()
    expect(workshop_page.locator("#attempts .attempt")).to_have_count(2)
    expect(workshop_page.get_by_role("heading", level=1)).to_contain_text("succeeded")
    assert len(workshop.get(f"/api/v1/tasks/{task}/attempts")["items"]) == 2


@pytest.fixture
def held(workshop):
    """Nothing is started meanwhile."""
    workshop.post("/api/v1/queue/pause", {"reason": "a test looks at tasks that wait"})
    yield workshop
    workshop.post("/api/v1/queue/resume")


def test_a_task_is_cancelled(workshop_page, held, microscope):
    microscope.write(held, "cancelled", microscope.draw(rows=1, columns=2))
    plate = arrived(held, "cancelled", image_sets=2)
    task = held.tasks(plate=plate, job="smooth")[0]["id"]
    workshop_page.goto(f"/tasks/{task}")
    workshop_page.get_by_role("button", name="Cancel", exact=True).click()
    expect(workshop_page.get_by_text("Cancelled. A running task is stopped.")).to_be_visible()
    expect(workshop_page.get_by_role("heading", level=1)).to_contain_text("cancelled")
    assert held.get(f"/api/v1/tasks/{task}")["state"] == "cancelled"
    expect(workshop_page.get_by_role("button", name="Cancel", exact=True)).to_have_count(0)


def test_commands_are_copied(open_browser, lab):
    page = open_browser(lab.daemon, permissions=["clipboard-read", "clipboard-write"])
    command = f"wellspring tasks explain {lab.failed_task['id']}"
    page.goto(f"/tasks/{lab.failed_task['id']}")
    page.get_by_role("button", name=f"Copy: {command}", exact=True).click()
    # The click does not wait until it is there.
    lab.daemon.wait("it is copied", lambda: page.evaluate("navigator.clipboard.readText()") == command)
