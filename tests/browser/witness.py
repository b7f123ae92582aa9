"""Notes what must not happen in any browser of any test."""

from urllib.parse import urlsplit

# The browser tells of a violation on the console as well, but not of all kinds.
TELL_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error(`securitypolicyviolation: ${event.effectiveDirective} ${event.blockedURI}`);
});
"""


class Witness:
    """Watches a browser context: errors and warnings on the console, uncaught errors, breaches of the content security
    policy, and requests to any other host than the daemon's."""

    def __init__(self, context, url):
        self.host = urlsplit(url).netloc
        self.seen = []
        self.allowed = []
        context.add_init_script(TELL_VIOLATIONS)
        context.on("console", self.note_console)
        context.on("weberror", lambda error: self.seen.append(f"uncaught error: {error.error}"))
        context.on("request", self.note_request)

    def note_console(self, message):
        if message.type in ("error", "warning"):
            self.seen.append(f"console {message.type}: {message.text} ({message.location.get('url', '')})")

    def note_request(self, request):
        target = urlsplit(request.url)
        if target.scheme in ("http", "https", "ws", "wss") and target.netloc != self.host:
            self.seen.append(f"request to another host: {request.url}")

    def allow(self, part):
        """A test that provokes something says so."""
        self.allowed.append(part)

    def unexpected(self):
        return [line for line in self.seen if not any(part in line for part in self.allowed)]
