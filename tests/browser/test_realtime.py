"""A page of an application, which speaks to the server with a client secret."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import openai
import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import KEY
from tests.browser.visits import visit
from tests.server import Server
from tests.wire.promises import promises
from tests.wire.realtime_client import COMPLETED, appends, pcm, silence

# Resolves with the protocol and all events, at the first transcript or at the end.
SPEAK = """({ url, secret, appends }) => new Promise((resolve) => {
    const socket = new WebSocket(url, ["realtime", `openai-insecure-api-key.${secret}`]);
    const events = [];
    const end = () => resolve({ protocol: socket.protocol, events });
    socket.onopen = () => appends.forEach((append) => socket.send(JSON.stringify(append)));
    socket.onclose = end;
    socket.onmessage = ({ data }) => {
        events.push(JSON.parse(data));
        if (events.at(-1).transcript) end();
    };
})"""


@pytest.fixture
def page(browser: Browser, guarded: Server) -> Iterator[Page]:
    """A tab of its own."""
    made = visit(browser, guarded).page
    yield made
    made.context.close()


def speak(page: Page, server: Server, secret: str) -> dict[str, Any]:
    """What the page is told when it says the clip, and then nothing for a second."""
    url = f"{server.url.replace('http', 'ws', 1)}/v1/realtime?intent=transcription"
    told = {"url": url, "secret": secret, "appends": appends(pcm() + silence(1000))}
    return dict(page.evaluate(SPEAK, told))


@promises("Clients", "a web page in Chromium, with a client secret in the sub-protocols: a turn")
def test_a_page_with_a_client_secret_gets_turns(
    page: Page, guarded: Server, application: str
) -> None:
    with openai.OpenAI(base_url=f"{guarded.url}/v1", api_key=KEY) as sdk:
        secret = sdk.realtime.client_secrets.create().value
    page.goto(application)
    told = speak(page, guarded, secret)

    assert told["protocol"] == "realtime"
    assert told["events"][0]["type"] == "session.created"
    assert told["events"][-1]["type"] == COMPLETED
    assert "comparatively modern" in told["events"][-1]["transcript"]


def test_a_page_of_elsewhere_gets_nothing(page: Page, guarded: Server, application: str) -> None:
    page.goto(application.replace("127.0.0.1", "localhost"))

    assert speak(page, guarded, KEY) == {"protocol": "", "events": []}
