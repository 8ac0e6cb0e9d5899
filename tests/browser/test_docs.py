"""The API reference at `/docs`: every operation, to be tried, and nobody else asked."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from tests.api.documented import documented_app
from tests.browser.conftest import KEY
from tests.browser.visits import Visit, expect_models, fill_form, send_form, use_key
from tests.speech_clips import OWN_SPEECH

JFK = OWN_SPEECH / "clips" / "jfk.flac"
DOCUMENT = documented_app().openapi()
OPERATIONS = sum(
    len(operations)
    for members in ("paths", "webhooks")
    for operations in DOCUMENT[members].values()
)


@pytest.fixture(params=["at_home", "at_door"])
def somewhere(request: pytest.FixtureRequest) -> Visit:
    """A visit of either server."""
    made: Visit = request.getfixturevalue(request.param)
    return made


def text_of(answer: str) -> str:
    """The text of a transcription in JSON."""
    return str(json.loads(answer)["text"]).strip().lower()


def test_every_operation_is_there_with_its_fields(somewhere: Visit) -> None:
    # Where Swagger UI is asked to, it shows the documents of others.
    elsewhere = "https://example.org/openapi.json"
    page = somewhere.open(f"/docs?url={elsewhere}&configUrl={elsewhere}").page

    expect(page.locator(".opblock")).to_have_count(OPERATIONS)
    page.locator("#operations-audio-transcriptions .opblock-summary-control").click()
    expect(page.locator("#operations-audio-transcriptions")).to_contain_text("response_format")
    expect(page.locator("#operations-audio-transcriptions .responses-table")).to_contain_text("503")
    assert somewhere.stayed_at_home()
    assert "/openapi.json" in somewhere.paths


def test_transcription_is_tried(at_home: Visit) -> None:
    text = text_of(send_form(at_home, fill_form(at_home.open("/docs"), JFK)))

    assert "ask not what your country can do for you" in text
    assert at_home.stayed_at_home()


def test_call_is_refused_until_a_key_is_given(at_door: Visit) -> None:
    form = fill_form(at_door.open("/docs"), JFK)
    refused = json.loads(send_form(at_door, form))["error"]
    assert "No API key was given" in refused["message"]

    page = at_door.page
    page.locator(".btn.authorize").click()
    page.locator("#auth-bearer-value").fill(KEY)
    page.get_by_role("button", name="Apply credentials").first.click()
    page.get_by_role("button", name="Close").first.click()
    assert "ask not" in text_of(send_form(at_door, form))
    # The browser itself notes the refusal.
    assert all("401 (Unauthorized)" in each for each in at_door.complaints)
    assert at_door.servers == {at_door.server.url}


def test_key_of_the_page_is_that_of_the_reference(at_door: Visit) -> None:
    use_key(at_door.open("/"), KEY)
    expect_models(at_door)
    at_door.page.get_by_role("link", name="API reference").click()

    assert "ask not" in text_of(send_form(at_door, fill_form(at_door, JFK)))
    assert at_door.stayed_at_home()
