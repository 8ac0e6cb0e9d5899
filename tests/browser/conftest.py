"""Chromium, and the servers whose pages it opens: one that is open and one that wants a key."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from models.checkpoints.weights import Weights
from tests.browser.visits import PATIENCE_MS, Visit, visit
from tests.server import Server, listening, serving

KEY = "a-key-of-the-tests"
# It is in no sandbox of its own, as root, and asks nothing of its maker's servers.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium, without a window."""
    program = shutil.which("chromium")
    assert program, "chromium is missing: run scripts/test-browser"
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def server(
    weights: Callable[[str], Weights], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server of `tiny.en` without keys."""
    weights("tiny.en")
    output = tmp_path_factory.mktemp("open") / "output.txt"
    with serving(output, WHISPER_DEFAULT_MODEL="tiny.en") as running:
        yield running


@pytest.fixture(scope="session")
def application() -> Iterator[str]:
    """The origin of an application, whose server has an empty page."""

    async def page(request: Request) -> HTMLResponse:
        return HTMLResponse("<!doctype html><title>An application</title>")

    with listening(Starlette(routes=[Route("/", page)])) as url:
        yield url


@pytest.fixture(scope="session")
def guarded(
    weights: Callable[[str], Weights], application: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server of `tiny.en` that asks for `KEY`, and lets the application's pages use it."""
    weights("tiny.en")
    output = tmp_path_factory.mktemp("guarded") / "output.txt"
    with serving(
        output,
        WHISPER_DEFAULT_MODEL="tiny.en",
        WHISPER_API_KEYS=KEY,
        WHISPER_CORS_ORIGINS=application,
    ) as running:
        yield running


@pytest.fixture
def at_home(browser: Browser, server: Server) -> Iterator[Visit]:
    """A visit of the open server."""
    made = visit(browser, server)
    yield made
    made.page.context.close()


@pytest.fixture
def at_door(browser: Browser, guarded: Server) -> Iterator[Visit]:
    """A visit of the server that asks for a key."""
    made = visit(browser, guarded)
    yield made
    made.page.context.close()
