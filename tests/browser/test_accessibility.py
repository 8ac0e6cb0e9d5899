"""Accessibility of the page at `/`: the rules of axe-core, for WCAG and good practice."""

from __future__ import annotations

from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.browser.conftest import KEY
from tests.browser.visits import Visit, expect_models, use_key, visit
from tests.server import Server


def violations(made: Visit) -> list[str]:
    """The rules that the page breaks now, with where."""
    found = Axe().run(made.page).response["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html']}" for each in found]


@pytest.mark.parametrize(("scheme", "width"), [("light", 1200), ("dark", 390)])
def test_page_is_accessible_in_every_state(
    browser: Browser, guarded: Server, scheme: Literal["light", "dark"], width: int
) -> None:
    viewport = {"width": width, "height": 844}
    # axe is put into the page as a script, which its policy would refuse.
    made = visit(browser, guarded, color_scheme=scheme, viewport=viewport, bypass_csp=True)
    page = made.open("/").page

    expect(page.get_by_label("API key")).to_be_visible()
    assert violations(made) == []
    use_key(made, "wrong-key")
    expect(page.get_by_role("alert")).not_to_be_empty()
    assert violations(made) == []
    use_key(made, KEY)
    expect_models(made)
    assert violations(made) == []
    page.route("**/readyz", lambda route: route.abort("connectionrefused"))
    expect(page.get_by_text("The server does not answer.")).to_be_visible()
    assert violations(made) == []
    page.context.close()
