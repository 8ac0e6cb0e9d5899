"""A visit of a page: what a browser asked for, said and refused while it lasted."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, expect

from api.version import project_version
from tests.server import Server

# The machine may be busy, and Swagger UI takes its time.
PATIENCE_MS = 60_000
# Kept in the page, as a violation in its head comes before a test could listen.
_REPORT = """
    document.addEventListener("securitypolicyviolation", (event) =>
        console.error("violation of", event.violatedDirective, event.blockedURI));
"""


@dataclass
class Visit:
    """A tab of a browser that nobody else uses, and what came of it."""

    page: Page
    server: Server
    requests: list[Request] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Listen before anything is loaded."""
        self.page.on("request", lambda request: self.requests.append(request))
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.add_init_script(_REPORT)

    def open(self, path: str) -> Visit:
        """Go there, and wait until nothing more is loaded."""
        self.page.goto(f"{self.server.url}{path}", wait_until="networkidle")
        return self

    @property
    def servers(self) -> set[str]:
        """The origins that were asked for anything."""
        origins = [re.match(r"\w+://[^/]+", each.url) for each in self.requests]
        return {match.group() if match else "none" for match in origins}

    @property
    def paths(self) -> set[str]:
        """The paths that were asked for."""
        return {each.url.removeprefix(self.server.url) for each in self.requests}

    def stayed_at_home(self) -> bool:
        """Whether the page asked for something, its own server alone, and nothing was wrong."""
        assert self.complaints == []
        return self.servers == {self.server.url}

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.text} ({message.location.get('url')})")


def visit(browser: Browser, server: Server, **options: object) -> Visit:
    """A new tab with its own storage; the options are those of Playwright's contexts."""
    context = browser.new_context(**options)  # type: ignore[arg-type]  # as many as there are
    context.set_default_timeout(PATIENCE_MS)
    return Visit(context.new_page(), server)


def use_key(visit: Visit, key: str) -> None:
    """Type a key into the page at `/`, and send it."""
    visit.page.get_by_label("API key").fill(key)
    visit.page.get_by_role("button", name="Use this key").click()


def models_of(visit: Visit) -> Locator:
    """The part of the page that lists the models."""
    return visit.page.get_by_role("region", name="Models")


def expect_models(visit: Visit) -> None:
    """Wait until the page shows the models, the default one as such, and the server's state."""
    models = models_of(visit)
    expect(models.get_by_role("listitem").first).to_contain_text("tiny.en")
    expect(models.get_by_role("listitem").first).to_contain_text("default")
    expect(models).to_contain_text("whisper-1")
    server = visit.page.get_by_role("region", name="Server")
    expect(server).to_contain_text("int8")
    expect(server).to_contain_text(project_version())
    expect(visit.page.get_by_role("status").first).to_have_text("Ready")


def fill_form(visit: Visit, recording: Path) -> Locator:
    """The form of `/docs` for transcriptions, with a recording in it."""
    form = visit.page.locator("#operations-audio-transcriptions")
    form.locator(".opblock-summary-control").click()
    form.locator("input[type=file]").set_input_files(recording)
    return form


def send_form(visit: Visit, form: Locator) -> str:
    """What is answered to the form, once it is shown."""
    with visit.page.expect_response(f"{visit.server.url}/v1/audio/transcriptions") as answered:
        form.get_by_role("button", name="Execute").click()
    shown = form.locator(".live-responses-table .response .response-col_status")
    expect(shown).to_have_text(str(answered.value.status))
    return answered.value.text()
