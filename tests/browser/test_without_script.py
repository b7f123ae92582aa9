"""Everything but the live updates works where scripts are forbidden."""

import re

import pytest
from playwright.sync_api import expect

from lab import arrived, ended, settled

# What a page says and where it leads, without what is told relative to now.
SUBSTANCE = """() => ({
  headings: [...document.querySelectorAll("h1, h2, h3")].map((h) => h.textContent),
  links: [...document.querySelectorAll("main a")].map((a) => a.getAttribute("href")),
  rows: [...document.querySelectorAll("main table")].map((table) => table.rows.length),
  cells: [...document.querySelectorAll(".grid td")].map((cell) => cell.textContent),
  forms: [...document.querySelectorAll("form")].map((form) => form.getAttribute("action")),
})"""


def test_a_page_says_the_same(shown, show):
    with_script = show(shown).evaluate(SUBSTANCE)
    page = show(shown, java_script_enabled=False)
    assert page.evaluate(SUBSTANCE) == with_script
    expect(page.locator("#live")).to_be_hidden()
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)


@pytest.fixture
def page(open_browser, workshop):
    return open_browser(workshop, java_script_enabled=False)


def test_from_the_overview_to_a_task_and_back(open_browser, lab):
    page = open_browser(lab.daemon, java_script_enabled=False)
    page.goto("/")
    page.get_by_label("Find a plate").fill("0041")
    page.get_by_label("Find a plate").press("Enter")
    page.get_by_role("link", name="screen-0041").first.click()
    page.locator('.grid a[aria-label^="A03:"]').click()
    expect(page.get_by_role("heading", name="Well A03")).to_be_in_viewport()
    page.locator("#well td a", has_text="failed").first.click()
    expect(page.locator("#head")).to_contain_text("What to do: copy the file again")
    log = page.locator("#attempts .log")
    expect(log).to_be_visible()
    page.locator("#attempts summary").click()
    expect(log).to_be_hidden()
    page.get_by_role("link", name="Tasks", exact=True).click()
    page.get_by_label("State", exact=True).select_option("failed,quarantined")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("#tasks tbody tr")).to_have_count(2)


def test_forms_do_what_they_say(page, workshop, broken):
    _, plate = broken
    page.goto(f"/plates/{plate}")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Paused. What is running goes on.")).to_be_visible()
    assert [pause["plate"] for pause in workshop.get("/api/v1/status")["pauses"]] == [plate]
    page.locator("#actions").get_by_role("button", name="Resume").click()
    expect(page.get_by_text("Resumed.")).to_be_visible()

    page.get_by_text("Finalize…").click()
    page.get_by_role("button", name="Finalize this plate").click()
    expect(page.get_by_text("The plate is complete: what waited for it may run.")).to_be_visible()
    ended(workshop, plate)

    failed = workshop.tasks(plate=plate, state="failed")
    page.reload()
    page.get_by_role("button", name=f"Requeue {len(failed)} failed").click()
    expect(page.get_by_text(f"{len(failed)} tasks requeued")).to_be_visible()
    for task in failed:
        attempts = f"/api/v1/tasks/{task['id']}/attempts"
        workshop.wait("it is tried again", lambda: len(workshop.get(attempts)["items"]) == 2)


def test_everything_is_paused_scanned_and_resumed(page, workshop, microscope):
    page.goto("/")
    page.get_by_role("button", name="Pause everything").click()
    expect(page.locator("#banners")).to_contain_text("Everything is paused")
    microscope.write(workshop, "held-without-script", microscope.draw(rows=1, columns=2))
    page.get_by_role("button", name="Scan drop now").click()
    expect(page.get_by_text("The folder is being scanned.")).to_be_visible()
    plate = arrived(workshop, "held-without-script", image_sets=2)

    task = workshop.tasks(plate=plate, job="tables")[0]["id"]
    page.goto(f"/tasks/{task}")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("cancelled")
    page.get_by_role("button", name=re.compile("Requeue|Run again")).click()
    expect(page.get_by_text("1 task requeued")).to_be_visible()

    page.goto("/")
    page.get_by_role("button", name="Resume everything").click()
    expect(page.locator("#banners .banner")).to_have_count(0)
    settled(workshop, "held-without-script", image_sets=2)


def test_people_log_in_and_out(open_browser, locked):
    page = open_browser(locked, java_script_enabled=False)
    page.witness.allow("the server responded with a status of 401")
    page.goto("/tasks")
    page.get_by_label("Token").fill(locked.token)
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(re.compile("/tasks$"))
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("Token")).to_be_visible()
