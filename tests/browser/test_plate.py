"""The page of a plate: its wells, what failed, and what can be done about it."""

import re

from playwright.sync_api import expect

from lab import arrived, finish, settled

# Notes each text that a button gets.
NOTE_TEXTS = """(button) => {
  window.texts = [];
  new MutationObserver(() => window.texts.push(button.textContent)).observe(button, { childList: true });
}"""


def well(page, name):
    """The well in the grid."""
    return page.locator(".grid a", has_text=re.compile(r"^\w$")).and_(page.locator(f'[aria-label^="{name}:"]'))


def test_the_grid_shows_the_state_of_every_well(lab_page, lab):
    lab_page.goto(f"/plates/{lab.failing}")
    wells = lab.daemon.get(f"/api/v1/plates/{lab.failing}/wells")["items"]
    assert len(wells) == 12
    for item in wells:
        counts = item["by_state"]
        letter = "F" if counts["failed"] else "D"
        expect(well(lab_page, item["well"])).to_have_text(letter)
    expect(lab_page.locator(".grid .t-fail a")).to_have_count(1)
    expect(lab_page.locator(".legend").first).to_contain_text("done 11")


def test_wells_that_have_not_come_are_empty(lab_page, lab):
    lab_page.goto(f"/plates/{lab.arriving}")
    expect(lab_page.locator(".grid td.t-done")).to_have_count(5)
    assert lab_page.locator(".grid td.t-none").count() >= 1
    expect(lab_page.locator(".grid td.t-none a")).to_have_count(0)


def test_wells_of_the_largest_plates_can_be_hit(workshop_page, workshop, microscope, tmp_path):
    *files, last = microscope.draw(rows=1, columns=3)
    # The last well says how large the plate is.
    far = tmp_path / last.name.replace("A03", "Q25")
    far.write_bytes(last.read_bytes())
    microscope.write(workshop, "1536-wells", [*files, far])
    # While its tasks run, the grid is replaced again and again.
    plate = settled(workshop, "1536-wells", image_sets=3)
    page = workshop_page
    page.goto(f"/plates/{plate}")
    expect(page.locator(".grid tbody td")).to_have_count(1536)
    # WCAG 2.2, 2.5.8: 24 by 24 pixels for a finger or a hand that trembles.
    box = well(page, "A02").bounding_box()
    assert box["width"] >= 24 and box["height"] >= 24, box


def test_a_well_shows_its_tasks(lab_page, lab):
    lab_page.goto(f"/plates/{lab.failing}")
    well(lab_page, "A03").click()
    expect(lab_page).to_have_url(re.compile(r"well=A03"))
    expect(lab_page.get_by_role("heading", name="Well A03")).to_be_in_viewport()
    tasks = lab.daemon.tasks(plate=lab.failing, well="A03")
    expect(lab_page.locator("#well td a")).to_have_count(len(tasks))
    expect(lab_page.locator("#well td a", has_text="failed")).to_have_count(2)
    expect(well(lab_page, "A03")).to_have_attribute("aria-current", "true")


def test_arrow_keys_walk_over_the_wells(lab_page, lab):
    lab_page.goto(f"/plates/{lab.failing}")
    well(lab_page, "A01").focus()
    for key, name in [
        ("ArrowRight", "A02"),
        ("ArrowDown", "B02"),
        ("ArrowLeft", "B01"),
        ("ArrowLeft", "B01"),
        ("ArrowUp", "A01"),
        ("ArrowUp", "A01"),
        ("End", "A04"),
        ("Home", "A01"),
        ("Control+End", "C04"),
    ]:
        lab_page.keyboard.press(key)
        expect(well(lab_page, name)).to_be_focused()
    lab_page.keyboard.press("Enter")
    expect(lab_page.get_by_role("heading", name="Well C04")).to_be_visible()
    # Tab leaves the grid, and comes back to where it was left.
    lab_page.keyboard.press("Tab")
    lab_page.keyboard.press("Shift+Tab")
    expect(well(lab_page, "C04")).to_be_focused()


def test_arrow_keys_leap_over_empty_wells(workshop_page, workshop, microscope):
    files = microscope.draw(rows=1, columns=4)
    microscope.write(workshop, "gap", [files[0], files[3]])
    plate = settled(workshop, "gap", image_sets=2)
    workshop_page.goto(f"/plates/{plate}")
    well(workshop_page, "A01").focus()
    workshop_page.keyboard.press("ArrowRight")
    expect(well(workshop_page, "A04")).to_be_focused()


def test_what_failed_is_requeued(workshop_page, workshop, broken):
    name, plate = broken
    finish(workshop, name, image_sets=2)
    failed = workshop.tasks(plate=plate, state="failed")
    workshop_page.goto(f"/plates/{plate}")
    workshop_page.get_by_role("button", name=f"Requeue {len(failed)} failed").click()
    expect(workshop_page.get_by_text(f"{len(failed)} tasks requeued, with what depends on them.")).to_be_visible()
    for task in failed:
        attempts = f"/api/v1/tasks/{task['id']}/attempts"
        workshop.wait("it is tried again", lambda: len(workshop.get(attempts)["items"]) == 2)


def test_a_repaired_file_is_taken_up_by_itself(workshop_page, workshop, microscope, broken):
    name, plate = broken
    finish(workshop, name, image_sets=2)
    workshop_page.goto(f"/plates/{plate}")
    expect(workshop_page.get_by_role("heading", level=1)).to_contain_text("done with failures")
    microscope.write(workshop, name, microscope.draw(rows=1, columns=2)[1:])
    expect(workshop_page.locator("#failures")).to_contain_text("Nothing has failed.")
    expect(workshop_page.locator(".grid td.t-done")).to_have_count(2)
    expect(workshop_page.locator("#actions").get_by_role("button", name="Requeue")).to_have_count(0)


def test_a_plate_is_paused_and_resumed(workshop_page, workshop, microscope):
    files = microscope.draw(rows=1, columns=4)
    microscope.write(workshop, "paused", files[:1])
    plate = settled(workshop, "paused", image_sets=1)
    workshop_page.goto(f"/plates/{plate}")
    workshop_page.get_by_role("button", name="Pause", exact=True).click()
    expect(workshop_page.locator("#banners")).to_contain_text("This plate is paused by user")
    assert [pause["plate"] for pause in workshop.get("/api/v1/status")["pauses"]] == [plate]

    microscope.write(workshop, "paused", files[1:2])
    arrived(workshop, "paused", image_sets=2)
    expect(well(workshop_page, "A02")).to_have_text("W")

    workshop_page.locator("#actions").get_by_role("button", name="Resume", exact=True).click()
    expect(workshop_page.get_by_text("Resumed.")).to_be_visible()
    assert workshop.get("/api/v1/status")["pauses"] == []
    expect(well(workshop_page, "A02")).to_have_text("D")


def test_a_plate_is_finalized_after_it_was_confirmed(workshop_page, workshop, microscope):
    microscope.write(workshop, "stopped-early", microscope.draw(rows=1, columns=4)[:2])
    plate = settled(workshop, "stopped-early", image_sets=2)
    workshop_page.goto(f"/plates/{plate}")
    confirm = workshop_page.get_by_role("button", name="Finalize this plate")
    expect(confirm).to_be_hidden()
    workshop_page.get_by_text("Finalize…").click()
    expect(workshop_page.get_by_text("Do not wait for more images")).to_be_visible()
    assert workshop.get(f"/api/v1/plates/{plate}")["state"] == "arriving"
    confirm.click()
    expect(workshop_page.get_by_text("The plate is complete: what waited for it may run.")).to_be_visible()
    expect(workshop_page.get_by_role("heading", level=1)).to_contain_text("done")
    assert workshop.get(f"/api/v1/plates/{plate}")["state"] == "done"
    expect(workshop_page.get_by_text("Finalize…")).to_have_count(0)


def test_a_notice_is_told_once(workshop_page, workshop):
    workshop.post("/api/v1/queue/pause")
    workshop_page.goto("/")
    workshop_page.get_by_role("button", name="Resume everything").click()
    expect(workshop_page.get_by_text("Resumed.")).to_be_visible()
    # It is in the address until the script runs, which may be after it is seen.
    expect(workshop_page).not_to_have_url(re.compile("notice"))
    workshop_page.reload()
    expect(workshop_page.get_by_text("Resumed.")).to_have_count(0)


def test_commands_are_copied(open_browser, lab):
    page = open_browser(lab.daemon, permissions=["clipboard-read", "clipboard-write"])
    page.goto(f"/plates/{lab.arriving}")
    for name in ["Recompute…", "Finalize…", "Download tables…"]:
        page.get_by_text(name, exact=True).click()
    commands = page.locator(".command").all_inner_texts()
    # Pause, recompute, finalize, export, follow, wait: each beside what it does.
    assert len(commands) == 6
    for command in commands:
        button = page.get_by_role("button", name=f"Copy: {command}", exact=True)
        # It says so for a moment only.
        button.evaluate(NOTE_TEXTS)
        button.click()
        page.wait_for_function("() => window.texts.includes('Copied')")
        assert page.evaluate("navigator.clipboard.readText()") == command
