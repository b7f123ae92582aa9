"""The first page: what is going on, and what can be done about it."""

import re

import pytest
from playwright.sync_api import expect

from lab import arrived, settled


def number(text):
    """Digits in groups, as people read them."""
    return int(re.sub(r"\D", "", text))


def test_tiles_count_tasks(lab_page, lab):
    lab_page.goto("/")
    tasks = lab.daemon.get("/api/v1/status")["tasks"]
    expected = {
        "running": tasks["running"],
        "waiting": tasks["waiting"] + tasks["ready"] + tasks["retrying"],
        "done": tasks["succeeded"],
        "failed": tasks["failed"] + tasks["quarantined"],
    }
    for label, count in expected.items():
        tile = lab_page.locator("#tiles a", has_text=label)
        assert number(tile.locator("strong").inner_text()) == count, label
    assert expected["failed"] == 2


def test_a_tile_leads_to_its_tasks(lab_page):
    lab_page.goto("/")
    lab_page.locator("#tiles a", has_text="failed").click()
    expect(lab_page.locator("#tasks tbody tr")).to_have_count(2)
    expect(lab_page.get_by_label("State", exact=True)).to_have_value("failed,quarantined")


def test_every_plate_is_listed_with_its_state(lab_page, lab):
    lab_page.goto("/")
    rows = lab_page.locator("#plates tbody tr")
    plates = lab.daemon.get("/api/v1/plates")["items"]
    expect(rows).to_have_count(len(plates))
    for plate in plates:
        row = rows.filter(has_text=plate["name"])
        expect(row).to_contain_text(plate["state"].replace("_", " "))
        expect(row.get_by_role("link")).to_have_attribute("href", f"/plates/{plate['id']}")


def test_a_plate_is_found_by_name(lab_page):
    lab_page.goto("/")
    lab_page.get_by_label("Find a plate").fill("0042")
    lab_page.get_by_role("button", name="Find").click()
    expect(lab_page.locator("#plates tbody tr")).to_have_count(1)
    lab_page.get_by_role("link", name="screen-0042").click()
    expect(lab_page.get_by_role("heading", level=1)).to_contain_text("screen-0042")


def test_a_failure_says_why_and_what_to_do(lab_page, lab):
    lab_page.goto("/")
    failure = lab_page.locator("#failures li").first
    error = lab.failed_task["error"]
    expect(failure).to_contain_text("is damaged")
    expect(failure).to_contain_text(error["path"])
    expect(failure).to_contain_text(f"What to do: {error['remedy']}")


def test_files_of_other_names_are_told(lab_page):
    lab_page.goto("/")
    line = lab_page.locator("#failures", has_text="1 file with a name that fits no scheme")
    answer = lab_page.context.request.get(line.get_by_role("link", name="list").get_attribute("href"))
    assert [file["path"] for file in answer.json()["items"]] == ["screen-0043/overview picture.tiff"]


def test_one_failed_task_is_requeued(workshop_page, workshop, broken):
    name, plate = broken
    task = workshop.tasks(plate=plate, state="failed")[0]
    # Tried again, it is the last failure: the first of the list.
    workshop.post(f"/api/v1/tasks/{task['id']}/requeue")
    attempts = f"/api/v1/tasks/{task['id']}/attempts"
    workshop.wait("it failed again", lambda: workshop.get(f"/api/v1/tasks/{task['id']}")["state"] == "failed")
    workshop_page.goto("/")
    failure = workshop_page.locator("#failures li", has_text=name).filter(has_text=task["job"])
    failure.get_by_role("button", name=re.compile(f"^Requeue .* on {name}$")).click()
    expect(workshop_page.get_by_text(re.compile("[12] tasks? requeued, with what depends on them."))).to_be_visible()
    workshop.wait("it is tried once more", lambda: len(workshop.get(attempts)["items"]) == 3)


def test_everything_is_paused_and_resumed(workshop_page, workshop, microscope):
    workshop_page.goto("/")
    workshop_page.get_by_role("button", name="Pause everything").click()
    expect(workshop_page.get_by_text("Paused. What is running goes on.")).to_be_visible()
    expect(workshop_page.locator("#banners")).to_contain_text("Everything is paused by user: paused on the web page")
    assert workshop.get("/api/v1/status")["paused"]["holder"] == "user"

    microscope.write(workshop, "held", microscope.draw(rows=1, columns=2))
    plate = arrived(workshop, "held", image_sets=2)
    assert workshop.get(f"/api/v1/plates/{plate}")["counts"]["succeeded"] == 0

    workshop_page.get_by_role("button", name="Resume everything").click()
    expect(workshop_page.get_by_text("Resumed.")).to_be_visible()
    expect(workshop_page.locator("#banners .banner")).to_have_count(0)
    assert workshop.get("/api/v1/status")["paused"] is None
    settled(workshop, "held", image_sets=2)


def test_the_banner_resumes_too(workshop_page, workshop):
    workshop.post("/api/v1/queue/pause", {"reason": "the lamp is changed"})
    workshop_page.goto("/tasks")
    banner = workshop_page.locator("#banners .banner")
    expect(banner).to_contain_text("the lamp is changed")
    banner.get_by_role("button", name="Resume").click()
    expect(workshop_page).to_have_url(re.compile(r"/tasks"))
    expect(banner).to_have_count(0)
    assert workshop.get("/api/v1/status")["paused"] is None


@pytest.fixture(scope="module")
def seldom_looking(start_daemon):
    """A daemon that looks at its folder once an hour."""
    daemon = start_daemon(root_lines='mode = "poll"\npoll_secs = 3600')
    daemon.wait("it has looked once", lambda: daemon.get("/api/v1/roots")["items"][0]["watched"] == "poll")
    return daemon


def test_a_folder_is_scanned_now(open_browser, seldom_looking, microscope):
    page = open_browser(seldom_looking)
    page.goto("/")
    microscope.write(seldom_looking, "unnoticed", microscope.draw(rows=1, columns=2))
    page.get_by_role("button", name="Scan drop now").click()
    expect(page.get_by_text("The folder is being scanned.")).to_be_visible()
    arrived(seldom_looking, "unnoticed", image_sets=2)
    expect(page.get_by_role("link", name="unnoticed")).to_be_visible()
