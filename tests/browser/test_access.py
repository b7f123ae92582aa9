"""Who has the token gets in; nobody else does."""

import re

import pytest
import requests
from playwright.sync_api import expect


@pytest.fixture
def stranger(open_browser, locked):
    """A window whose owner has not logged in."""
    page = open_browser(locked)
    page.witness.allow("the server responded with a status of 401")
    return page


def log_in(page, token):
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Log in").click()


def test_every_page_asks_for_the_token(stranger):
    for path in ("/", "/tasks", "/plates/1", "/tasks/1", "/no-such-page"):
        # There is nowhere to go yet, and nothing to log out of.
        answer = stranger.goto(path)
        assert answer.status == 401, path
        expect(stranger.get_by_role("heading", level=1)).to_have_text("Log in")
        expect(stranger.get_by_label("Token")).to_be_focused()
        expect(stranger.get_by_role("navigation")).to_have_count(0)
        expect(stranger.get_by_role("button", name="Log out")).to_have_count(0)


def test_a_wrong_token_is_refused(stranger):
    stranger.goto("/")
    log_in(stranger, "wrong-horse")
    expect(stranger.get_by_role("alert")).to_have_text("That is not the token.")
    assert stranger.context.cookies() == []


def test_the_token_opens_the_page_that_was_asked_for(stranger):
    stranger.goto("/tasks?state=running")
    log_in(stranger, "wrong-horse")
    expect(stranger.get_by_role("alert")).to_be_visible()
    log_in(stranger, "correct-horse-battery-staple")
    expect(stranger).to_have_url(re.compile(r"/tasks\?state=running$"))
    expect(stranger.get_by_role("heading", level=1)).to_have_text("Tasks")
    expect(stranger.locator("#live")).to_have_text("live")


def test_the_token_is_nowhere_in_the_browser(stranger, locked):
    stranger.goto("/")
    log_in(stranger, locked.token)
    expect(stranger.get_by_role("heading", level=1)).to_have_text("Overview")
    (cookie,) = stranger.context.cookies()
    assert cookie["httpOnly"] and cookie["sameSite"] == "Strict" and cookie["path"] == "/"
    assert locked.token not in cookie["value"]
    assert stranger.evaluate("document.cookie") == ""
    assert locked.token not in stranger.content() and locked.token not in stranger.url
    assert stranger.evaluate("localStorage.length + sessionStorage.length") == 0


def test_a_session_that_was_ended_opens_nothing(stranger, locked):
    stranger.goto("/")
    log_in(stranger, locked.token)
    expect(stranger.get_by_role("heading", level=1)).to_have_text("Overview")
    (cookie,) = stranger.context.cookies()
    stolen = {cookie["name"]: cookie["value"]}
    assert requests.get(locked.url + "/api/v1/status", cookies=stolen, timeout=60).status_code == 200
    stranger.get_by_role("button", name="Log out").click()
    expect(stranger.get_by_label("Token")).to_be_visible()
    assert stranger.context.cookies() == []
    assert requests.get(locked.url + "/api/v1/status", cookies=stolen, timeout=60).status_code == 401
    assert stranger.goto("/").status == 401


def test_nobody_is_sent_elsewhere_after_the_login(stranger, locked):
    stranger.goto("/")
    stranger.locator("input[name=next]").evaluate("input => input.value = '//evil.example/'")
    log_in(stranger, locked.token)
    expect(stranger).to_have_url(locked.url + "/")


def test_an_open_server_has_no_login(lab_page, lab):
    lab_page.goto("/login")
    expect(lab_page).to_have_url(lab.daemon.url + "/")
    expect(lab_page.get_by_role("button", name="Log out")).to_have_count(0)
