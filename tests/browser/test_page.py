"""The page at `/`: what it shows, with keys and without, and that it asks nobody else."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.browser.conftest import KEY
from tests.browser.visits import Visit, expect_models, models_of, use_key, visit
from tests.server import Server

EVERYTHING_STORED = "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"


def test_open_server_shows_itself(at_home: Visit) -> None:
    expect_models(at_home.open("/"))

    expect(at_home.page.get_by_label("API key")).to_be_hidden()
    assert at_home.stayed_at_home()
    assert {"/", "/readyz", "/health", "/v1/models"} <= at_home.paths


def test_samples_have_this_servers_address(at_home: Visit) -> None:
    page, url = at_home.open("/").page, at_home.server.url

    expect(page.get_by_role("region", name="From a terminal")).to_have_text(
        f"curl {url}/v1/audio/transcriptions \\\n  -F model=whisper-1 -F file=@recording.mp3"
    )
    expect(page.get_by_role("region", name="From Python")).to_contain_text(
        f'OpenAI(base_url="{url}/v1", api_key="unused")'
    )


def test_server_with_keys_opens_and_asks_for_one(at_door: Visit) -> None:
    page = at_door.open("/").page

    expect(page.get_by_role("heading", name="This server asks for a key")).to_be_visible()
    expect(page.get_by_role("status").first).to_have_text("Asks for a key")
    expect(models_of(at_door)).to_be_hidden()
    expect(page.get_by_role("region", name="From a terminal")).to_contain_text(
        '-H "Authorization: Bearer $WHISPER_KEY"'
    )
    assert at_door.stayed_at_home()
    assert {"/health", "/v1/models"} & at_door.paths == set()


def test_right_key_shows_the_models(at_door: Visit) -> None:
    use_key(at_door.open("/"), KEY)

    expect_models(at_door)
    expect(at_door.page.get_by_label("API key")).to_be_hidden()
    assert at_door.stayed_at_home()


@pytest.mark.parametrize("key", ["wrong-key", KEY[:-1], "schlüssel"])
def test_wrong_key_is_said_to_be_wrong(at_door: Visit, key: str) -> None:
    use_key(at_door.open("/"), key)

    expect(at_door.page.get_by_role("alert")).to_contain_text("key")
    expect(at_door.page.get_by_label("API key")).to_have_attribute("aria-invalid", "true")
    expect(at_door.page.get_by_label("API key")).to_be_focused()
    expect(models_of(at_door)).to_be_hidden()
    assert at_door.page.evaluate(EVERYTHING_STORED) == '[{},{},""]'
    # The browser itself notes the refusal.
    assert all("401 (Unauthorized)" in each for each in at_door.complaints)

    use_key(at_door, KEY)
    expect_models(at_door)
    assert at_door.servers == {at_door.server.url}


def test_key_is_kept_in_its_tab_and_sent_in_a_header(at_door: Visit, browser: Browser) -> None:
    use_key(at_door.open("/"), KEY)
    expect_models(at_door)
    page = at_door.page

    assert [each.url for each in at_door.requests if KEY in each.url] == []
    assert KEY not in page.content()
    assert KEY not in page.evaluate("JSON.stringify([{...localStorage}, document.cookie])")
    expect_models(at_door.open("/"))
    beside = Visit(page.context.new_page(), at_door.server).open("/")
    expect(beside.page.get_by_label("API key")).to_be_visible()


def test_key_can_be_forgotten(at_door: Visit) -> None:
    use_key(at_door.open("/"), KEY)
    at_door.page.get_by_role("button", name="Forget the key").click()

    expect(at_door.page.get_by_label("API key")).to_be_focused()
    expect(models_of(at_door)).to_be_hidden()
    assert at_door.page.evaluate(EVERYTHING_STORED) == '[{},{},""]'


def test_server_that_is_away_is_missed_and_found_again(at_home: Visit) -> None:
    expect_models(at_home.open("/"))
    page, away = at_home.page, "**/readyz"
    page.route(away, lambda route: route.abort("connectionrefused"))

    expect(page.get_by_text("The server does not answer.")).to_be_visible()
    expect(page.get_by_role("status").first).to_have_text("Does not answer")
    page.unroute(away)
    expect_models(at_home)
    expect(page.get_by_text("The server does not answer.")).to_be_hidden()


def test_server_that_is_not_ready_says_so(at_home: Visit) -> None:
    at_home.page.route("**/readyz", lambda route: route.fulfill(status=503))
    page = at_home.open("/").page

    expect(page.get_by_role("status").first).to_have_text("Not ready")
    expect(page.get_by_text("The server is not ready")).to_be_visible()


def test_names_of_models_are_text(at_home: Visit) -> None:
    name = "<img src=x onerror=alert(1)>"

    def renamed(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace("tiny.en", name))

    at_home.page.route("**/health", renamed)
    at_home.page.route("**/v1/models", renamed)
    at_home.open("/")

    expect(models_of(at_home).get_by_role("listitem").first).to_contain_text(name)
    assert at_home.stayed_at_home()


def test_page_works_behind_a_proxy_with_a_path(at_home: Visit) -> None:
    inside = f"{at_home.server.url}/speech/"
    at_home.page.route(
        f"{inside}**",
        lambda route: route.fulfill(
            response=route.fetch(url=route.request.url.replace("/speech/", "/"))
        ),
    )
    page = at_home.open("/speech/").page

    expect_models(at_home)
    expect(page.get_by_role("region", name="From a terminal")).to_contain_text(f"curl {inside}v1/")
    page.get_by_role("link", name="API reference").click()
    expect(page.locator("#operations-models-models")).to_be_visible()
    assert at_home.stayed_at_home()
    assert [path for path in at_home.paths if not path.startswith("/speech/")] == []


def test_phone_has_no_sideways_scroll(browser: Browser, server: Server) -> None:
    made = visit(browser, server, viewport={"width": 390, "height": 844}, has_touch=True)
    expect_models(made.open("/"))
    width = made.page.evaluate("document.documentElement.scrollWidth")
    heights = [
        box["height"]
        for each in made.page.get_by_role("button").all()
        if (box := each.bounding_box()) is not None
    ]

    assert width == 390
    assert heights
    assert min(heights) >= 44
    made.page.context.close()
