"""What the wells of a plate show, choosing several of them, and acting on those."""

import re

import pytest
from playwright.sync_api import expect

from lab import ended, finish

SHOWN = "wells/default:n_nucleus_segmentation/objects"


def cell(page, name):
    return page.locator(f'.grid a[href*="well={name}#"]')


def chosen(page):
    return [link.get_attribute("href").split("well=")[1].split("#")[0] for link in page.locator(".grid a[aria-current]").all()]


def counts(lab):
    """The number of nuclei in each well, as the API has it."""
    heat = lab.daemon.get(f"/api/v1/plates/{lab.failing}/heatmap?table=wells/default&column=n_nucleus_segmentation/objects")
    return {well["well"]: well["value"] for well in heat["wells"]}


def test_a_heat_map_shows_the_values_of_a_column(lab_page, lab):
    page = lab_page
    page.goto(f"/plates/{lab.failing}")
    page.get_by_role("navigation", name="What the wells show").get_by_role("link", name="Heat map").click()
    # A choice is heard once the script has run, which may be after the list is seen.
    page.wait_for_url(re.compile("mode=heatmap"))
    page.get_by_label("Column", exact=True).select_option(SHOWN)
    expect(page).to_have_url(re.compile(r"mode=heatmap.*show=wells"))
    expect(page.get_by_label("Column", exact=True)).to_have_value(SHOWN)
    values = counts(lab)
    assert len(values) == 12 and max(values.values()) > 0
    for name, value in values.items():
        expect(cell(page, name)).to_have_text(f"{value:.0f}")
        expect(cell(page, name)).to_have_attribute("aria-label", re.compile(f"^{name}: n_nucleus_segmentation/objects {value:.0f}"))
    # Edge effects: the median of each row and column.
    expect(page.locator(".grid tbody td.edge")).to_have_count(3)
    expect(page.locator(".grid tfoot td.edge")).to_have_count(4)
    expect(page.locator(".grid tbody td.edge").first).to_contain_text("row A: median")


def test_the_colours_follow_the_range(lab_page, lab):
    page = lab_page
    page.goto(f"/plates/{lab.failing}?mode=heatmap&show={SHOWN}&low=1000&high=2000")
    expect(page.locator(".grid tbody td.v0")).to_have_count(12 + 3)
    page.get_by_label("From", exact=True).fill("")
    page.get_by_label("To", exact=True).fill("")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator(".grid tbody td.v31").first).to_be_visible()


def test_a_heat_map_is_taken_along(lab_page, lab):
    page = lab_page
    page.goto(f"/plates/{lab.failing}?mode=heatmap&show={SHOWN}")
    for name, kind, start in [("SVG", "image/svg+xml", b"<svg"), ("PNG", "image/png", b"\x89PNG")]:
        link = page.locator("#wells").get_by_role("link", name=name)
        answer = page.request.get(link.get_attribute("href"))
        assert answer.headers["content-type"] == kind and answer.body().startswith(start)


def test_wells_show_their_images(lab_page, lab):
    page = lab_page
    page.goto(f"/plates/{lab.failing}?mode=thumbnail")
    pictures = page.locator(".grid img")
    expect(pictures).to_have_count(12)
    are_there = "() => [...document.querySelectorAll('.grid img')].every((image) => image.naturalWidth > 0)"
    lab.daemon.wait("all pictures are there", lambda: page.evaluate(are_there))
    # A failure is seen beside the picture.
    expect(cell(page, "A03").locator(".badge")).to_have_text("F")
    expect(page.locator(".badge")).to_have_count(1)
    page.get_by_label("Site (1 to 2)").fill("2")
    page.get_by_role("button", name="Show", exact=True).click()
    # The second site of A03 is the one whose file ends too early.
    expect(pictures).to_have_count(11)


def test_pictures_of_a_plate_have_one_contrast(lab_page, lab):
    page = lab_page
    page.goto(f"/plates/{lab.failing}?mode=thumbnail&well=A01")
    told = page.get_by_text(re.compile(r"Black to full colour in all images: nuclei (\d+) to (\d+) "))
    expect(told).to_be_visible()
    low, high = map(int, re.search(r"nuclei (\d+) to (\d+)", told.inner_text()).groups())
    pictures = page.locator(".grid img, #selection img")
    expect(pictures).to_have_count(14)
    sources = [picture.get_attribute("src") for picture in pictures.all()]
    assert {re.search(r"channels=nuclei%3A(\d+)%3A(\d+)", source).groups() for source in sources} == {(str(low), str(high))}
    # It is that of the images themselves.
    limits = []
    for source in sources:
        image_set = re.search(r"image-sets/(\d+)/", source)[1]
        images = lab.daemon.get(f"/api/v1/image-sets/{image_set}/contents")["images"]
        limits.append(next(image["limits"] for image in images if image["name"] == "nuclei"))
    lows, highs = map(sorted, zip(*limits))
    middle = len(limits) // 2
    assert lows[0] - 100 <= low <= lows[middle] and highs[middle] <= high <= highs[-1] * 1.1, (low, high, limits)
    page.get_by_label("Contrast", exact=True).select_option("of each image")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_text("how bright wells are cannot be compared")).to_be_visible()
    expect(page.locator(".grid a[aria-current]")).to_have_count(1)
    assert not any("channels" in picture.get_attribute("src") for picture in pictures.all())


def test_several_wells_are_chosen_with_the_mouse(lab_page, lab):
    page = lab_page
    page.goto(f"/plates/{lab.failing}")
    page.evaluate("window.sameDocument = true")
    cell(page, "A01").click()
    expect(page.get_by_role("heading", name="Well A01")).to_be_visible()
    cell(page, "B02").click(modifiers=["Control"])
    expect(page.get_by_role("heading", name="Wells A01, B02")).to_be_visible()
    cell(page, "A01").click(modifiers=["Control"])
    expect(page.get_by_role("heading", name="Well B02")).to_be_visible()
    cell(page, "A01").click()
    cell(page, "B02").click(modifiers=["Shift"])
    expect(page.get_by_role("heading", name="Wells A01, A02, B01, B02")).to_be_visible()
    assert chosen(page) == ["A01", "A02", "B01", "B02"]
    expect(page.locator(".sites li")).to_have_count(8)
    assert page.evaluate("window.sameDocument") is True
    # The address says it, so that Back undoes it and a reload keeps it.
    page.go_back()
    expect(page.get_by_role("heading", name="Well A01")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Well A01")).to_be_visible()


def test_several_wells_are_chosen_with_the_keyboard(lab_page, lab):
    page = lab_page
    page.goto(f"/plates/{lab.failing}")
    cell(page, "A01").focus()
    page.keyboard.press("Space")
    expect(page.get_by_role("heading", name="Well A01")).to_be_visible()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    expect(cell(page, "B02")).to_be_focused()
    page.keyboard.press("Space")
    expect(page.get_by_role("heading", name="Wells A01, B02")).to_be_visible()
    expect(cell(page, "B02")).to_be_focused()


@pytest.mark.parametrize("script", [True, False])
def test_wells_are_chosen_by_name_row_and_column(open_browser, lab, script):
    page = open_browser(lab.daemon, java_script_enabled=script)
    page.goto(f"/plates/{lab.failing}")
    page.get_by_label("Select wells").fill("a1, B02:C03")
    page.get_by_label("Select wells").press("Enter")
    expect(page.locator(".grid a[aria-current]")).to_have_count(5)
    assert chosen(page) == ["A01", "B02", "B03", "C02", "C03"]
    page.get_by_role("link", name="Select row B").click()
    expect(page.locator(".grid a[aria-current]")).to_have_count(4)
    assert chosen(page) == ["B01", "B02", "B03", "B04"]
    page.get_by_role("link", name="Select column 3").click()
    expect(page.locator(".grid a[aria-current]")).to_have_count(3)
    assert chosen(page) == ["A03", "B03", "C03"]
    page.get_by_role("link", name="Select none").click()
    expect(page.locator(".grid a[aria-current]")).to_have_count(0)


def test_what_failed_on_chosen_wells_is_requeued(workshop_page, workshop, broken):
    name, plate = broken
    finish(workshop, name, image_sets=2)
    failed = workshop.tasks(plate=plate, state="failed")
    page = workshop_page
    page.goto(f"/plates/{plate}?well=A01")
    expect(page.locator("#selection").get_by_role("button", name="Requeue")).to_have_count(0)
    page.goto(f"/plates/{plate}?well=A01,A02")
    would = workshop.command(page.locator("#selection form .command").inner_text() + " --dry-run")
    assert sorted(would["tasks"]) == sorted(task["id"] for task in failed)
    page.get_by_role("button", name=f"Requeue {len(failed)} failed here").click()
    expect(page.get_by_text(f"{len(failed)} tasks requeued, with what depends on them.")).to_be_visible()


def test_a_plate_is_recomputed_from_a_job_after_a_look_at_what_would_run(workshop_page, workshop, microscope):
    microscope.write(workshop, "recomputed", microscope.draw(rows=1, columns=2))
    plate = finish(workshop, "recomputed", image_sets=2)
    page = workshop_page
    page.goto(f"/plates/{plate}")
    page.get_by_text("Recompute…").click()
    page.get_by_label("From job", exact=True).select_option("nuclei")
    page.locator("#recompute").get_by_role("button", name="Show what would run").click()
    expect(page.get_by_text("2 tasks would be run again")).to_be_visible()
    expect(page.get_by_role("link", name="nuclei of A01-0000")).to_be_visible()
    expect(page.get_by_text("and after them 7 that depend on them")).to_be_visible()
    expect(page.locator(".command")).to_have_text(f"wellspring tasks requeue --plate {plate} --from nuclei")
    would = workshop.command(page.locator(".command").inner_text() + " --dry-run")
    assert (would["count"], would["following"]) == (2, 7)
    assert workshop.get(f"/api/v1/plates/{plate}")["state"] == "done"
    page.get_by_role("button", name="Run 2 tasks again").click()
    expect(page.get_by_text("2 tasks requeued, with what depends on them.")).to_be_visible()
    for task in workshop.tasks(plate=plate, job="nuclei"):
        attempts = f"/api/v1/tasks/{task['id']}/attempts"
        workshop.wait("it is run again", lambda: len(workshop.get(attempts)["items"]) == 2)
    ended(workshop, plate)
    # What came before the job was not run again.
    for task in workshop.tasks(plate=plate, job="smooth"):
        assert len(workshop.get(f"/api/v1/tasks/{task['id']}/attempts")["items"]) == 1


def test_tables_are_downloaded(lab_page, lab):
    page = lab_page
    page.goto(f"/plates/{lab.done}")
    page.get_by_text("Download tables…").click()
    for form, start in [("CSV", b"well_name,"), ("XLSX", b"PK"), ("Parquet", b"PAR1")]:
        with page.expect_download() as download:
            page.get_by_role("link", name=f"wells/default as {form}").click()
        assert download.value.suggested_filename == f"screen-0042_wells_default.{form.lower()}"
        with open(download.value.path(), "rb") as file:
            assert file.read().startswith(start)


def test_a_heat_map_follows_what_happens(workshop_page, workshop, microscope):
    microscope.write(workshop, "warm", microscope.draw(rows=1, columns=2)[:1])
    plate = finish(workshop, "warm", image_sets=1)
    page = workshop_page
    page.goto(f"/plates/{plate}?mode=heatmap&show={SHOWN}")
    expect(page.locator("#live")).to_have_text("live")
    page.evaluate("window.sameDocument = true")
    expect(cell(page, "A02")).to_have_count(0)
    microscope.write(workshop, "warm", microscope.draw(rows=1, columns=2)[1:])
    # Its state, as long as it has no value.
    expect(cell(page, "A02")).to_have_text("D")
    finish(workshop, "warm", image_sets=2)
    expect(cell(page, "A02")).to_have_text(re.compile(r"^[\d.]+$"))
    assert page.evaluate("window.sameDocument") is True
