"""The page of an image set: the image, the table and the points, linked with each other."""

import re

import pytest
from playwright.sync_api import expect

from lab import settled

# Where an object is on the screen, in CSS pixels from the upper left corner of the canvas.
PLACE = """(label) => {
  const { view, objects } = document.getElementById("site").viewer;
  const { y, x } = objects.place(objects.rowOf(label));
  return { x: view.deviceX(x) / view.ratio, y: view.deviceY(y) / view.ratio };
}"""
# The mean of what a square in the middle of the canvas shows.
LIGHT = """() => {
  const canvas = document.querySelector("#viewer canvas");
  const copy = new OffscreenCanvas(160, 160).getContext("2d", { willReadFrequently: true });
  copy.drawImage(canvas, 80 - canvas.width / 2, 80 - canvas.height / 2);
  const { data } = copy.getImageData(0, 0, 160, 160);
  return [0, 1, 2].map((c) => data.reduce((sum, value, i) => sum + (i % 4 === c ? value : 0), 0) / (data.length / 4));
}"""
IS_BLUE = f"() => {{ const [r, , b] = ({LIGHT})(); return b > r; }}"
IS_RED = f"() => {{ const [r, , b] = ({LIGHT})(); return r > b; }}"
IS_BLACK = f"() => ({LIGHT})().every((value) => value === 0)"
# What came is seen only with the next frame.
IS_DRAWN = """() => {
  const { loader, view } = document.getElementById("site").viewer;
  return loader.counts.came > 0 && loader.idle && view.isDrawn;
}"""


@pytest.fixture
def site(lab_page, lab):
    """The page of an image set that is done, ready."""
    lab_page.goto(f"/plates/{lab.done}/sites/{lab.site}")
    expect(lab_page.locator("#plot")).to_be_visible()
    return lab_page


def is_drawn(page):
    page.wait_for_function(IS_DRAWN)


def test_it_pans_and_zooms(site):
    is_drawn(site)
    view = "(({ y, x, zoom }) => ({ y, x, zoom }))(document.getElementById('site').viewer.view)"
    whole = site.evaluate(view)
    site.locator("#viewer").focus()
    site.keyboard.press("+")
    site.keyboard.press("ArrowRight")
    near = site.evaluate(view)
    assert near["zoom"] > whole["zoom"] and near["x"] > whole["x"] and near["y"] == whole["y"]
    canvas = site.locator("#viewer canvas").bounding_box()
    x, y = canvas["x"] + 200, canvas["y"] + 200
    site.mouse.move(x, y)
    site.mouse.down()
    site.mouse.move(x + 60, y + 30, steps=5)
    site.mouse.up()
    dragged = site.evaluate(view)
    assert dragged["x"] == pytest.approx(near["x"] - 60 / near["zoom"], abs=0.5)
    site.mouse.wheel(0, -200)
    expect(site).to_have_url(re.compile("zoom="))
    site.get_by_role("button", name="Fit").click()
    assert site.evaluate(view) == whole
    expect(site).not_to_have_url(re.compile("zoom="))


def test_channels_are_changed_while_one_looks(site):
    site.wait_for_function(IS_BLUE)
    site.get_by_label("Colour of nuclei", exact=True).fill("#ff0000")
    expect(site).to_have_url(re.compile(r"color\.nuclei=ff0000"))
    site.wait_for_function(IS_RED)
    # The address says it all: whoever opens it sees the same.
    site.reload()
    expect(site.get_by_label("Colour of nuclei", exact=True)).to_have_value("#ff0000")
    site.wait_for_function(IS_RED)
    site.get_by_label("nuclei", exact=True).uncheck()
    site.wait_for_function(IS_BLACK)


def test_an_object_is_found_from_all_sides(site):
    is_drawn(site)
    canvas = site.locator("#viewer canvas")
    marked = site.locator("#rows [aria-current]")
    canvas.hover(position=site.evaluate(PLACE, 5))
    expect(site.locator("#readout strong")).to_have_text("Object 5")
    canvas.click(position=site.evaluate(PLACE, 5))
    expect(marked.locator("button")).to_have_text("5")
    expect(site.locator("#announce")).to_have_text("Object 5 is marked.")
    expect(site).to_have_url(re.compile("object=5$"))
    # From the table with the keyboard: it is brought to the middle.
    site.locator("#rows tbody button", has_text=re.compile("^9$")).press("Enter")
    expect(marked.locator("button")).to_have_text("9")
    place = site.evaluate(PLACE, 9)
    box = canvas.bounding_box()
    assert place["x"] == pytest.approx(box["width"] / 2, abs=2)
    assert place["y"] == pytest.approx(box["height"] / 2, abs=2)
    site.locator("#viewer").press("Escape")
    expect(marked).to_have_count(0)


def test_the_table_is_sorted(site):
    head = site.locator("#rows thead")
    head.get_by_role("link", name="area", exact=True).click()
    expect(head.locator("[aria-sort=ascending]")).to_have_text("area")
    head.get_by_role("link", name="area", exact=True).click()
    expect(head.locator("[aria-sort=descending]")).to_have_text("area")
    areas = [int(text) for text in site.locator("#rows tbody tr > :nth-child(2)").all_inner_texts()]
    assert len(areas) > 10 and areas == sorted(areas, reverse=True)
    expect(site).to_have_url(re.compile("sort=-area"))


def test_points_and_objects_have_one_colour(site):
    site.get_by_label("Colour objects by").select_option("area")
    expect(site.locator(".ramp")).to_be_visible()
    expect(site).to_have_url(re.compile("colors=area"))
    site.get_by_label("To the right").select_option("nuclei_mean")
    expect(site.get_by_role("img", name="Scatter plot of nuclei_mean against nuclei_mean")).to_be_visible()


def test_the_next_one_is_looked_at_in_the_same_way(site):
    site.get_by_label("nucleus_segmentation").select_option("outline")
    expect(site).to_have_url(re.compile("labels.nucleus_segmentation=outline"))
    site.locator("a[rel=next]").click()
    expect(site.get_by_role("heading", level=1)).to_contain_text("A02-0000")
    expect(site.get_by_label("nucleus_segmentation")).to_have_value("outline")


def test_new_results_are_offered_not_forced(workshop_page, workshop, microscope):
    files = microscope.draw(rows=1, columns=2)
    microscope.write(workshop, "looked-at", files)
    plate = settled(workshop, "looked-at", image_sets=2)
    subject = workshop.get(f"/api/v1/plates/{plate}/image-sets")["items"][0]["id"]
    page = workshop_page
    page.goto(f"/plates/{plate}/sites/{subject}")
    expect(page.locator("#live")).to_have_text("live")
    before = page.locator("#site").get_attribute("data-version")
    task = workshop.tasks(plate=plate, subject=subject)[0]["id"]
    workshop.post(f"/api/v1/tasks/{task}/requeue")
    expect(page.locator("#news")).to_contain_text("There are new results.")
    assert page.locator("#site").get_attribute("data-version") == before
    page.locator("#news").get_by_role("button").click()
    expect(page.locator("#site")).not_to_have_attribute("data-version", before)


def test_without_script_a_form_draws_it(open_browser, lab):
    page = open_browser(lab.daemon, java_script_enabled=False)
    page.goto(f"/plates/{lab.done}/sites/{lab.site}")
    page.get_by_label("nucleus_segmentation").select_option("fill")
    page.get_by_label(re.compile("^Full colour of nuclei")).fill("3000")
    page.get_by_role("button", name="Draw").click()
    picture = page.locator("#viewer img")
    expect(picture).to_have_attribute("src", re.compile(r"3000%3A0000ff&labels=nucleus_segmentation%3Afill"))
    assert page.request.get(picture.get_attribute("src")).ok
    page.get_by_role("link", name="area", exact=True).click()
    expect(page.locator("#rows [aria-sort=ascending]")).to_have_text("area")
    expect(page.get_by_label(re.compile("^Full colour of nuclei"))).to_have_value("3000")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert download.value.suggested_filename.endswith(".csv")
