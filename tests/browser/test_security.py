"""What the browser is told to refuse, and what strangers can write into names."""

from playwright.sync_api import expect

from lab import arrived

INLINE = """() => [
  ...document.querySelectorAll("[style], style, script:not([src])"),
  ...[...document.querySelectorAll("*")].filter((e) => [...e.attributes].some((a) => a.name.startsWith("on"))),
].map((element) => element.outerHTML)"""


def directives(policy):
    parts = [part.split() for part in policy.split(";") if part.strip()]
    return {name: values for name, *values in parts}


def test_nothing_inline_and_nothing_from_elsewhere(shown, show):
    page = show(shown)
    headers = page.answer.all_headers()
    policy = directives(headers["content-security-policy"])
    assert policy["default-src"] == ["'none'"]
    for name, values in policy.items():
        # `data:` and `blob:` would let a page make its own content.
        assert set(values) <= {"'self'", "'none'"}, (name, values)
    for name in ("base-uri", "frame-ancestors"):
        assert policy[name] == ["'none'"]
    assert policy["form-action"] == ["'self'"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert page.evaluate(INLINE) == []


def test_a_breach_of_the_policy_would_be_noted(lab_page):
    """The witness of all tests sees what it must see."""
    lab_page.goto("/")
    lab_page.evaluate("document.body.setAttribute('onclick', 'window.breached = true')")
    lab_page.get_by_role("heading", level=1).click()
    with lab_page.expect_console_message(lambda message: "securitypolicyviolation: script-src-elem" in message.text):
        lab_page.evaluate("document.head.append(Object.assign(document.createElement('script'), {src: 'http://127.0.0.2:9/'}))")
    with lab_page.expect_event("pageerror"):
        lab_page.evaluate("console.warn('on purpose'); setTimeout(() => { throw new Error('on purpose') })")
    assert lab_page.evaluate("window.breached") is None
    seen = "\n".join(lab_page.witness.seen)
    for part in (
        "securitypolicyviolation: script-src-attr inline",
        "securitypolicyviolation: script-src-elem http://127.0.0.2:9/",
        "uncaught error: on purpose",
        "console warning: on purpose",
    ):
        assert part in seen, seen
    lab_page.witness.allow("")


def test_a_request_to_another_host_would_be_noted(lab_page):
    lab_page.goto("about:blank")
    lab_page.evaluate("fetch('http://127.0.0.2:9/').catch(() => null)")
    assert "request to another host: http://127.0.0.2:9/" in lab_page.witness.seen
    lab_page.witness.allow("127.0.0.2")


NAMES = ["<img src=x onerror=alert(1)>", "\"'><script>alert(1)<", "a&amp;b {{ 7 * 7 }}", "плита ü 板"]


def test_names_are_shown_as_text(workshop_page, workshop, microscope):
    for name in NAMES:
        microscope.write(workshop, name, microscope.draw(rows=1, columns=2))
    for name in NAMES:
        plate = arrived(workshop, name, image_sets=2)
        for path in ("/", f"/plates/{plate}", f"/tasks?plate={plate}"):
            workshop_page.goto(path)
            expect(workshop_page.get_by_text(name, exact=True).first).to_be_visible()
            expect(workshop_page.locator("main img, main script")).to_have_count(0)


def test_a_form_of_another_page_changes_nothing(workshop_page, workshop):
    workshop_page.witness.allow("the server responded with a status of 403")
    workshop_page.goto("about:blank")
    workshop_page.set_content(f'<form method="post" action="{workshop.url}/queue/pause"><button>Win a prize</button></form>')
    with workshop_page.expect_response("**/queue/pause") as answer:
        workshop_page.get_by_role("button").click()
    assert answer.value.status == 403
    assert workshop.get("/api/v1/status")["paused"] is None


def test_a_script_of_another_page_reads_nothing(workshop_page, workshop):
    workshop_page.witness.allow("the server responded with a status of 403")
    workshop_page.witness.allow("blocked by CORS policy")
    workshop_page.witness.allow("net::ERR_FAILED")
    workshop_page.goto("about:blank")
    read = "url => fetch(url).then((answer) => answer.text()).catch((error) => error.name)"
    assert workshop_page.evaluate(read, workshop.url + "/api/v1/status") == "TypeError"
