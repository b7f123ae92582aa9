"""The page of an image set: its image in tiles, its objects in table, image and plot."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from lab import finish

TILE = re.compile(r"/tiles/(\d+)/(\d+)/(\d+)")
# Whatever is seen has come and is drawn: nothing more is asked for.
IS_DRAWN = """() => {
  const { loader, view } = document.getElementById("site").viewer;
  return loader.counts.came > 0 && loader.idle && view.isDrawn;
}"""


class Tiles:
    """The tiles that a page asks for."""

    def __init__(self, page):
        self.seen = []
        page.on("request", self.note)

    def note(self, request):
        found = TILE.search(request.url)
        if found:
            self.seen.append((tuple(map(int, found.groups())), parse_qs(urlsplit(request.url).query)))

    def places(self):
        return [place for place, _ in self.seen]

    def taken(self):
        seen, self.seen[:] = list(self.seen), []
        return seen


@pytest.fixture(scope="module")
def large(start_daemon, microscope):
    """A daemon with one image set of 3000 x 3000 pixels: 6 x 6 tiles at full resolution."""
    daemon = start_daemon()
    microscope.write(daemon, "large", microscope.draw(rows=1, columns=1, side=3000))
    plate = finish(daemon, "large", image_sets=1)
    daemon.site = daemon.get(f"/api/v1/plates/{plate}/image-sets")["items"][0]["id"]
    daemon.path = f"/plates/{plate}/sites/{daemon.site}"
    return daemon


def open_viewer(page, path):
    tiles = Tiles(page)
    page.goto(path)
    expect(page.locator("#viewer canvas")).to_be_visible()
    return tiles


def wait_for_tiles(page, tiles, condition):
    page.daemon.wait("the tiles are asked for", lambda: (page.title(), condition(tiles.places()))[1])


def object_rows(daemon, site, table):
    answer = daemon.get(f"/api/v1/image-sets/{site}/tables/{table.replace('/', '%2F')}?limit=100000")
    names = [column["name"] for column in answer["columns"]]
    return [dict(zip(names, row)) for row in answer["rows"]]


def test_only_visible_tiles_of_the_fitting_level_are_fetched(open_browser, large):
    page = open_browser(large)
    tiles = open_viewer(page, large.path)
    wait_for_tiles(page, tiles, lambda places: len(places) > 0)
    coarse = {level for level, _, _ in tiles.places()}
    assert 0 not in coarse, "all of the image fits: full resolution is of no use"
    tiles.taken()
    page.get_by_role("button", name=re.compile("^1:1")).click()
    wait_for_tiles(page, tiles, lambda places: any(level == 0 for level, _, _ in places))
    expect(page.locator("#viewer-tools .scale")).to_have_text("100 %")
    page.wait_for_function(IS_DRAWN)
    fine = {place for place in tiles.places() if place[0] == 0}
    box = page.locator("#viewer canvas").bounding_box()
    across = (box["width"] // 512 + 2) * (box["height"] // 512 + 2)
    assert 0 < len(fine) <= across < 36, (fine, box)
    # The neighbours come when they are moved into sight, and none is asked for twice.
    before = len(fine)
    page.locator("#viewer").focus()
    for _ in range(12):
        page.keyboard.press("ArrowRight")
    wait_for_tiles(page, tiles, lambda places: len({p for p in places if p[0] == 0}) > before)
    page.wait_for_function(IS_DRAWN)
    asked = [place for place in tiles.places() if place[0] == 0]
    assert len(asked) == len(set(asked))


def test_tiles_come_from_the_cache_of_the_browser(open_browser, large):
    page = open_browser(large)
    open_viewer(page, large.path)
    # All of them: what is on its way is lost when the page is left.
    page.wait_for_function(IS_DRAWN)
    page.reload()
    page.wait_for_function(IS_DRAWN)
    page.daemon.wait("tiles are there again", lambda: page.evaluate(TILES_LOADED) > 0)
    # A resource that the cache had travels over no wire.
    assert page.evaluate(TILES_TRANSFERRED) == 0


TILES = "performance.getEntriesByType('resource').filter((one) => one.name.includes('/tiles/') && one.responseStatus === 200)"
TILES_LOADED = f"() => {TILES}.length"
TILES_TRANSFERRED = f"() => {TILES}.reduce((sum, one) => sum + one.transferSize, 0)"


def test_channels_are_adjusted(lab_page, lab):
    page = lab_page
    tiles = open_viewer(page, f"/plates/{lab.done}/sites/{lab.site}")
    wait_for_tiles(page, tiles, lambda places: len(places) > 0)
    assert all(["nuclei" in query["channels"][0], "cells" not in query["channels"][0]] == [True, True] for _, query in tiles.taken())
    page.get_by_role("checkbox", name="cells").check()
    page.daemon.wait("both channels are asked for", lambda: (page.title(), any("cells" in q["channels"][0] for _, q in tiles.seen))[1])
    expect(page).to_have_url(re.compile(r"on\.cells"))
    tiles.taken()
    page.get_by_label(re.compile("^Full colour of nuclei")).first.fill("1234")
    page.daemon.wait("the new contrast is asked for", lambda: (page.title(), any("1234" in q["channels"][0] for _, q in tiles.seen))[1])
    # The address has it: whoever gets it sees the same.
    expect(page).to_have_url(re.compile("1234"))
    address = page.url
    tiles.taken()
    page.goto(address)
    page.daemon.wait("the same is asked for", lambda: (page.title(), any("1234" in q["channels"][0] and "cells" in q["channels"][0] for _, q in tiles.seen))[1])


def test_the_object_under_the_pointer_is_told(lab_page, lab):
    page = lab_page
    rows = object_rows(lab.daemon, lab.site, "cell_segmentation/objects")
    page.goto(f"/plates/{lab.done}/sites/{lab.site}")
    page.get_by_label("cell_segmentation", exact=True).select_option("outline")
    canvas = page.locator("#viewer canvas")
    expect(canvas).to_be_visible()
    # The table is there, and nothing moves any more.
    expect(page.locator("#plot")).to_be_visible()
    box = canvas.bounding_box()
    # The image of 160 x 160 pixels fits, and stands in the middle.
    zoom = min(box["width"], box["height"]) / 160
    left = box["x"] + (box["width"] - 160 * zoom) / 2
    top = box["y"] + (box["height"] - 160 * zoom) / 2
    one = max(rows, key=lambda row: row["area"])
    page.mouse.move(left + one["centroid_x"] * zoom, top + one["centroid_y"] * zoom)
    readout = page.locator("#readout")
    expect(readout).to_contain_text(f"{one['label_id']}")
    expect(readout).to_contain_text("area")
    expect(readout).to_contain_text(f"{one['area']}")


def test_a_row_of_the_table_leads_to_its_object_and_back(lab_page, lab):
    page = lab_page
    page.goto(f"/plates/{lab.done}/sites/{lab.site}")
    rows = object_rows(lab.daemon, lab.site, "cell_segmentation/objects")
    table = page.locator("#rows")
    expect(table.locator("tbody tr")).to_have_count(min(len(rows), 100))
    button = table.locator("tbody tr").nth(3).get_by_role("button")
    label = button.text_content().strip()
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#announce")).to_have_text(f"Object {label} is marked.")
    expect(page).to_have_url(re.compile(rf"object={label}\b"))
    # It stands in the middle of the viewer: a click there marks the same object.
    page.locator("#viewer").focus()
    page.keyboard.press("Escape")
    expect(page.locator("#announce")).to_have_text("")
    page.locator("#viewer canvas").click()
    expect(page.locator("#announce")).to_have_text(f"Object {label} is marked.")


def test_the_table_is_sorted(open_browser, large):
    page = open_browser(large)
    page.goto(large.path)
    rows = object_rows(large, large.site, "cell_segmentation/objects")
    table = page.locator("#rows")
    expect(table.locator("tbody tr")).to_have_count(len(rows))
    # Before the script has the table, its heads are links to another page.
    expect(page.locator("#plot")).to_be_visible()
    header = table.locator("thead").get_by_text("area", exact=True)
    header.click()
    header.click()
    largest = max(row["area"] for row in rows)
    column = [th.strip() for th in table.locator("thead th").all_text_contents()].index("area")
    expect(table.locator("tbody tr").first.locator("th, td").nth(column)).to_have_text(str(largest))
    expect(table.locator("thead th").nth(column)).to_have_attribute("aria-sort", "descending")


def test_the_plot_is_linked(lab_page, lab):
    page = lab_page
    page.goto(f"/plates/{lab.done}/sites/{lab.site}")
    rows = object_rows(lab.daemon, lab.site, "cell_segmentation/objects")
    plot = page.locator("#plot")
    expect(plot).to_contain_text(f"{len(rows)} points")
    plot.get_by_label("To the right").select_option("eccentricity")
    expect(plot).to_contain_text("eccentricity from")
    expect(page).to_have_url(re.compile(r"plot\.x=eccentricity"))


def test_without_a_container_the_page_says_why(workshop_page, workshop, broken):
    _, plate = broken
    failed = next(item for item in workshop.get(f"/api/v1/plates/{plate}/image-sets")["items"] if item["counts"]["failed"])
    workshop_page.goto(f"/plates/{plate}/sites/{failed['id']}")
    expect(workshop_page.get_by_role("heading", level=1)).to_contain_text("A02-0000")
    expect(workshop_page.locator("main")).to_contain_text("failed")


def test_without_script_a_form_draws_the_image(open_browser, lab):
    page = open_browser(lab.daemon, java_script_enabled=False)
    page.goto(f"/plates/{lab.done}/sites/{lab.site}")
    picture = page.locator("#viewer img")
    expect(picture).to_be_visible()
    before = picture.get_attribute("src")
    page.get_by_role("checkbox", name="cells").check()
    page.get_by_label("nucleus_segmentation", exact=True).select_option("fill")
    page.get_by_role("button", name="Draw").click()
    expect(picture).not_to_have_attribute("src", before)
    after = page.locator("#viewer img").get_attribute("src")
    assert after != before and "cells" in after and "nucleus_segmentation" in after
    answer = page.request.get(after)
    assert answer.ok and answer.body().startswith((b"\x89PNG", b"\xff\xd8"))
    page.locator("#rows thead").get_by_role("link", name="area", exact=True).click()
    expect(page.locator("#rows thead th[aria-sort]")).to_contain_text("area")
