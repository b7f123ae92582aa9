"""Everybody can use the pages: on a phone or a wall, in light or dark, with a keyboard or a screen reader."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

SCREENS = {
    "phone": {"width": 360, "height": 740},
    "desk": {"width": 1280, "height": 900},
    "wall": {"width": 2560, "height": 1440},
}
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Nothing but colours differs between light and dark.
RULES_OF_COLOUR = ["color-contrast", "link-in-text-block"]


def violations(page, run_only):
    found = Axe().run(page, options={"runOnly": run_only, "resultTypes": ["violations"]})
    return found.generate_report() if found.violations_count else None


@pytest.mark.parametrize("screen", SCREENS)
def test_axe_finds_nothing(shown, show, screen, screenshots):
    page = show(shown, color_scheme="light", viewport=SCREENS[screen])
    page.screenshot(path=screenshots / f"{shown.name}-{screen}-light.png", full_page=True)
    in_light = violations(page, {"type": "tag", "values": TAGS})
    page.emulate_media(color_scheme="dark")
    page.screenshot(path=screenshots / f"{shown.name}-{screen}-dark.png", full_page=True)
    in_dark = violations(page, {"type": "rule", "values": RULES_OF_COLOUR})
    assert not in_light, f"in light: {in_light}"
    assert not in_dark, f"in dark: {in_dark}"


def test_dark_is_dark(lab_page):
    lab_page.goto("/")
    ground = "getComputedStyle(document.body).backgroundColor"
    lab_page.emulate_media(color_scheme="light")
    light = lab_page.evaluate(ground)
    lab_page.emulate_media(color_scheme="dark")
    assert lab_page.evaluate(ground) != light


def test_a_phone_needs_no_sideways_scrolling(shown, show):
    page = show(shown, viewport=SCREENS["phone"])
    # Wide things scroll in a box of their own; whatever sticks out of the page is named.
    outside = page.evaluate("""() => [...document.querySelectorAll("body *")].filter((element) =>
        !element.closest(".scroll, .log, .sr, .skip") && element.checkVisibility() &&
        element.getBoundingClientRect().left + element.scrollWidth > document.documentElement.clientWidth + 1)
      .map((element) => element.outerHTML.slice(0, 200))""")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360, "\n".join(outside)


FOCUSABLE = """() => {
  window.toReach = new Set([...document.querySelectorAll(
    "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']"
  )].filter((element) => element.checkVisibility({ visibilityProperty: true }) && !element.closest(".grid tbody td")));
  // A grid is one stop: the arrow keys walk over its wells.
  window.gridStops = new Set();
  return window.toReach.size;
}"""

# Whether the element that now has the focus can be told from the others by a line around it.
REACH = """() => {
  const focused = document.activeElement;
  window.toReach.delete(focused);
  if (focused.closest(".grid tbody td")) window.gridStops.add(focused);
  const style = getComputedStyle(focused);
  const isSeen = focused === document.body || (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2);
  return isSeen ? null : focused.outerHTML.slice(0, 200);
}"""


def test_a_keyboard_reaches_everything_and_is_seen(shown, show):
    page = show(shown)
    check_skip_link(page)
    count = page.evaluate(FOCUSABLE)
    assert count >= 5
    unseen = []
    # After the last one the focus leaves the page, then begins anew at the first.
    for _ in range(count + 5):
        page.keyboard.press("Tab")
        unseen.append(page.evaluate(REACH))
    assert not any(unseen), [one for one in unseen if one]
    assert page.evaluate("[...window.toReach].map((element) => element.outerHTML.slice(0, 200))") == []
    grids = page.locator(".grid:has(tbody td a)").count()
    assert page.evaluate("window.gridStops.size") == grids


def check_skip_link(page):
    """The first tab stop leads past the head of the page."""
    # A form that asks for the focus gets it with the first frame, which may come after the page is loaded.
    page.wait_for_function("() => !document.querySelector('[autofocus]') || document.activeElement !== document.body")
    if page.evaluate("document.activeElement !== document.body"):
        # A form that is the whole purpose of a page may take the focus at once: then it is in the content already.
        assert page.evaluate("document.activeElement.closest('main') !== null")
        return
    page.keyboard.press("Tab")
    link = page.locator(":focus")
    assert link.inner_text() == "Skip to the content"
    box = link.bounding_box()
    assert box["x"] >= 0 and box["y"] >= 0
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#main$"))
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('header') === null")
