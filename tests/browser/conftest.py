import re
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from daemon import Daemon
from lab import Lab, settled
from microscope import Microscope
from pages import PAGES
from witness import Witness

# As root, which CI often is, Chromium has no sandbox; in a container its shared memory is small.
BROWSER_OPTIONS = ["--no-sandbox", "--disable-dev-shm-usage"]

# Milliseconds that the browser waits for anything. Generous: the machine may be compiling.
PATIENCE = 45_000

# One for each test that asks for `broken`, and some for tests to come.
BROKEN_PLATES = 12



def pytest_addoption(parser):
    parser.addoption("--wellspring", required=True, help="the program under test")
    parser.addoption("--synthetic-plate", required=True, help="the program that draws plates")
    parser.addoption("--screenshots", required=True, type=Path, help="folder for pictures of the pages")
    parser.addoption("--chromium", default="/usr/bin/chromium", help="the browser")
    parser.addoption("--headed", action="store_true", help="show the browser")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if call.when == "call":
        item.failed = report.failed
    return report


# Programs.


@pytest.fixture(scope="session")
def screenshots(pytestconfig):
    folder = pytestconfig.getoption("--screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def microscope(pytestconfig, tmp_path_factory):
    return Microscope(pytestconfig.getoption("--synthetic-plate"), tmp_path_factory.mktemp("plates"))


@pytest.fixture(scope="session")
def start_daemon(pytestconfig):
    """Starts daemons, which end with the session."""
    started = []

    def start(**options):
        started.append(Daemon(pytestconfig.getoption("--wellspring"), **options))
        return started[-1]

    yield start
    for daemon in started:
        daemon.remove()


@pytest.fixture(scope="session")
def lab(start_daemon, microscope):
    """Plates in every state. Tests only look at it."""
    return Lab(start_daemon(), microscope)


@pytest.fixture(scope="session")
def workshop(start_daemon, microscope):
    """A daemon whose plates tests may change; each test writes its own, or takes one with a failure."""
    daemon = start_daemon()
    # A file that ends too early is waited for before it is given up: for all of them at the same time.
    names = [f"broken-{n}" for n in range(BROKEN_PLATES)]
    for name in names:
        microscope.write(daemon, name, microscope.draw(rows=1, columns=2, corrupt=1))
    daemon.broken = iter([(name, settled(daemon, name, image_sets=2)) for name in names])
    return daemon


@pytest.fixture
def broken(workshop):
    """Name and id of a plate of two wells that nobody else uses; the image of its second well ends too early."""
    return next(workshop.broken)


@pytest.fixture(scope="session")
def locked(start_daemon):
    """A daemon that asks for a token."""
    return start_daemon(token="correct-horse-battery-staple")


# Browsers.


@pytest.fixture(scope="session")
def browser(pytestconfig):
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=pytestconfig.getoption("--chromium"),
            headless=not pytestconfig.getoption("--headed"),
            args=BROWSER_OPTIONS,
        )
        yield browser
        browser.close()


@pytest.fixture
def open_browser(request, browser, screenshots):
    """Opens browser windows on daemons. Nothing that a witness notes may have happened in any of them."""
    opened = []

    def open_browser(daemon, **options):
        options = {"viewport": {"width": 1280, "height": 900}, **options}
        context = browser.new_context(base_url=daemon.url, **options)
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.daemon = daemon
        page.witness = Witness(context, daemon.url)
        opened.append(page)
        return page

    yield open_browser
    unexpected = []
    for i, page in enumerate(opened):
        # What the browser has already told is heard before the window closes.
        page.title()
        if getattr(request.node, "failed", False):
            name = re.sub(r"[^\w-]+", "-", request.node.name).strip("-")
            page.screenshot(path=screenshots / f"failed-{name}-{i}.png", full_page=True)
            print(f"the end of the daemon's log:\n{page.daemon.log()[-4000:]}")
        page.context.close()
        unexpected += page.witness.unexpected()
    assert not unexpected, "\n".join(["in the browser:", *unexpected])


@pytest.fixture
def lab_page(open_browser, lab):
    """A window on the laboratory."""
    return open_browser(lab.daemon)


@pytest.fixture
def workshop_page(open_browser, workshop):
    """A window on the daemon whose plates tests may change."""
    return open_browser(workshop)


@pytest.fixture(params=PAGES, ids=lambda page: page.name)
def shown(request):
    """Each page of the list in turn."""
    return request.param


@pytest.fixture
def show(open_browser, lab, locked):
    """Opens a page of the list in a new window."""

    def show(shown, **options):
        page = open_browser(locked if shown.asks_for_token else lab.daemon, **options)
        if shown.status != 200:
            page.witness.allow(f"the server responded with a status of {shown.status}")
        page.answer = page.goto(shown.path(lab))
        assert page.answer.status == shown.status
        if options.get("java_script_enabled", True):
            if shown.ready:
                expect(page.locator(shown.ready)).to_have_count(1)
            # A page that listens is fetched once more as it begins to, and parts of it are replaced.
            if page.locator("body").get_attribute("data-events"):
                expect(page.locator("#live")).to_have_text("live")
        return page

    return show
