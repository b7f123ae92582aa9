"""Open pages follow what happens: without a reload, and without taking anything out of people's hands."""

import re
import socket

import pytest
from playwright.sync_api import expect

from lab import arrived, settled


def open_live(page, path):
    """Opens a page and waits until it listens. Afterwards `page.navigations` are those that the test did not ask for."""
    page.goto(path)
    expect(page.locator("#live")).to_have_text("live")
    page.navigations = []
    page.on("framenavigated", lambda frame: page.navigations.append(frame.url))
    # A document that was loaded again would not have it.
    page.evaluate("window.sameDocument = true")


def assert_same_document(page):
    assert page.evaluate("window.sameDocument") is True
    assert page.navigations == []


def label_of_focus(page):
    return page.evaluate("(document.activeElement.ariaLabel || document.activeElement.textContent).split(':')[0]")


def test_a_plate_fills_up_under_the_eyes(workshop_page, workshop, microscope):
    files = microscope.draw(rows=2, columns=3)
    microscope.write(workshop, "fills-up", files[:5])
    plate = settled(workshop, "fills-up", image_sets=5)
    page = workshop_page
    page.set_viewport_size({"width": 800, "height": 500})
    open_live(page, f"/plates/{plate}")
    arrived_before = page.locator("#head .facts div", has_text="arrived")
    expect(arrived_before).to_contain_text("5")
    expect(page.locator(".grid td.t-done")).to_have_count(5)

    page.locator('.grid a[aria-label^="A02:"]').focus()
    page.evaluate("window.scrollTo(0, 300)")
    microscope.write(workshop, "fills-up", files[5:])

    expect(page.locator(".grid td.t-done")).to_have_count(6)
    expect(page.locator("#head .facts div", has_text="arrived")).to_contain_text("6")
    expect(page.locator("#head .words")).to_contain_text("54 of 55 tasks")
    assert page.evaluate("window.scrollY") == 300
    assert label_of_focus(page) == "A02"
    assert_same_document(page)


def test_a_grid_that_was_scrolled_sideways_stays_there(open_browser, workshop, microscope):
    files = microscope.draw(rows=1, columns=24, side=48)
    microscope.write(workshop, "wide", files[:20] + files[23:])
    plate = settled(workshop, "wide", image_sets=21)
    page = open_browser(workshop, viewport={"width": 360, "height": 740})
    open_live(page, f"/plates/{plate}")
    scroll = page.locator("#wells .scroll")
    scroll.evaluate("part => part.scrollLeft = 150")
    microscope.write(workshop, "wide", files[20:21])
    expect(page.locator(".grid td.t-done")).to_have_count(22)
    assert page.locator("#wells .scroll").evaluate("part => part.scrollLeft") == 150
    assert_same_document(page)


def test_the_overview_counts_and_lists_what_comes(workshop_page, workshop, microscope):
    page = workshop_page
    open_live(page, "/")
    done = page.locator("#tiles a", has_text="done").locator("strong")
    before = int(re.sub(r"\D", "", done.inner_text()))
    # Somebody is typing.
    page.get_by_label("Find a plate").fill("half a na")
    microscope.write(workshop, "newcomer", microscope.draw(rows=1, columns=2))
    settled(workshop, "newcomer", image_sets=2)
    expect(page.get_by_role("link", name="newcomer")).to_be_visible()
    expect(done).to_have_text(str(before + 18))
    expect(page.get_by_label("Find a plate")).to_have_value("half a na")
    expect(page.get_by_label("Find a plate")).to_be_focused()
    assert_same_document(page)


def test_an_opened_confirmation_stays_open(workshop_page, workshop, microscope):
    files = microscope.draw(rows=1, columns=4)
    microscope.write(workshop, "undecided", files[:2])
    plate = settled(workshop, "undecided", image_sets=2)
    page = workshop_page
    open_live(page, f"/plates/{plate}")
    page.get_by_text("Finalize…").click()
    page.get_by_role("heading", level=1).click()
    microscope.write(workshop, "undecided", files[2:3])
    expect(page.locator(".grid td.t-done")).to_have_count(3)
    expect(page.get_by_role("button", name="Finalize this plate")).to_be_visible()
    assert_same_document(page)


def test_focus_stays_on_a_button_whose_list_changes(workshop_page, workshop, microscope, broken):
    name, plate = broken
    task = workshop.tasks(plate=plate, state="failed")[0]
    page = workshop_page
    open_live(page, f"/plates/{plate}")
    # Both tasks of the image failed for the same reason: they are one entry, which has another name while one of them runs.
    button = page.get_by_role("button", name=re.compile(f"^Requeue {task['job']}( and .*)? of {task['subject_name']}$"))
    button.focus()
    # Another task of the list is requeued: the list is made anew, and for a moment it is shorter.
    other = workshop.tasks(plate=plate, state="failed")[1]["id"]
    workshop.post(f"/api/v1/tasks/{other}/requeue")
    microscope.write(workshop, name, microscope.draw(rows=1, columns=4)[2:3])
    expect(page.locator(".grid td.t-done")).to_have_count(2)
    expect(button).to_be_focused()
    assert_same_document(page)


def test_what_is_marked_stays_until_it_is_no_longer(workshop_page, workshop, microscope):
    files = microscope.draw(rows=1, columns=4)
    microscope.write(workshop, "copied-from", files[:1])
    plate = settled(workshop, "copied-from", image_sets=1)
    page = workshop_page
    open_live(page, f"/plates/{plate}")
    words = page.locator("#head .words")
    before = words.inner_text()
    words.select_text()
    microscope.write(workshop, "copied-from", files[1:2])
    expect(page.locator(".grid td.t-done")).to_have_count(2)
    assert words.inner_text() == before
    # Without another event, and without a reload.
    page.evaluate("getSelection().empty()")
    expect(words).not_to_have_text(before)
    assert_same_document(page)


def test_a_stream_that_is_refused_is_asked_for_again(workshop_page):
    page = workshop_page
    page.witness.allow("502")
    # As a proxy answers while the daemon behind it restarts: the browser by itself takes that for the last word.
    page.route(re.compile("/api/v1/events"), lambda route: route.fulfill(status=502), times=1)
    page.goto("/")
    expect(page.locator("#live")).to_have_text("reconnecting")
    expect(page.locator("#live")).to_have_text("live")


def test_times_go_on_where_nothing_happens(lab_page):
    page = lab_page
    page.clock.install()
    open_live(page, "/")
    with page.expect_request(lambda request: request.resource_type == "fetch" and request.url == page.url):
        page.clock.run_for(61_000)
    assert_same_document(page)


def test_a_task_is_followed_to_its_end(workshop_page, workshop, microscope):
    workshop.post("/api/v1/queue/pause")
    microscope.write(workshop, "followed", microscope.draw(rows=1, columns=2))
    plate = arrived(workshop, "followed", image_sets=2)
    task = workshop.tasks(plate=plate, job="measure-cells")[0]["id"]
    page = workshop_page
    open_live(page, f"/tasks/{task}")
    expect(page.locator("#attempts")).to_contain_text("It has not been run yet.")
    workshop.post("/api/v1/queue/resume")
    expect(page.get_by_role("heading", level=1)).to_contain_text("succeeded")
    expect(page.locator("#attempts .attempt")).to_have_count(1)
    expect(page.locator("#banners .banner")).to_have_count(0)
    assert_same_document(page)


def test_what_happens_while_a_page_loads_is_not_missed(workshop_page, workshop, microscope):
    files = microscope.draw(rows=1, columns=4)
    microscope.write(workshop, "quick", files[:1])
    plate = settled(workshop, "quick", image_sets=1)

    def happen_first(route):
        # The page is drawn, but does not listen yet.
        microscope.write(workshop, "quick", files[1:2])
        settled(workshop, "quick", image_sets=2)
        route.continue_()

    workshop_page.route(re.compile("/api/v1/events"), happen_first, times=1)
    workshop_page.goto(f"/plates/{plate}")
    expect(workshop_page.locator("#live")).to_have_text("live")
    expect(workshop_page.locator(".grid td.t-done")).to_have_count(2)


@pytest.fixture
def restarting(start_daemon):
    """A daemon that has the same address after a restart."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    return start_daemon(port=port)


def test_a_page_survives_a_restart_of_the_daemon(open_browser, restarting, microscope):
    page = open_browser(restarting)
    page.witness.allow("net::ERR_")
    open_live(page, "/")
    restarting.stop()
    expect(page.locator("#live")).to_have_text(re.compile("reconnecting|offline"))
    microscope.write(restarting, "meanwhile", microscope.draw(rows=1, columns=2))
    restarting.launch()
    expect(page.locator("#live")).to_have_text("live")
    expect(page.get_by_role("link", name="meanwhile")).to_be_visible()
    assert_same_document(page)
