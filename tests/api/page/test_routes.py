"""Tests of how the pages are answered: by anybody's request, whole, and shut in."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import urljoin

import pytest

from api.keys import key_digest
from api.middleware.response_headers import OF_PAGES
from api.page.files import ACCESS, VIEWER, WITHOUT_KEY, page_files
from api.settings import Settings
from tests.api.fake import client

KEY = "a-key-of-the-tests"
WITH_KEYS = Settings(api_keys=(key_digest(KEY),))
FILES = page_files()
PAGES = ["/", "/docs"]


class References(HTMLParser):
    """What an HTML file refers to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what the tag refers to."""
        self.found += [value for name, value in attrs if name in ("href", "src") and value]


def referred_to(path: str, text: str) -> set[str]:
    """The paths that a page or a module at `path` refers to."""
    parser = References()
    parser.feed(text)
    modules = re.findall(r'from "(\./\S+)";', text)
    return {urljoin(path, each) for each in [*parser.found, *modules]}


@pytest.mark.parametrize("settings", [Settings(), WITH_KEYS], ids=["open", "keys"])
@pytest.mark.parametrize("path", FILES)
def test_file_is_answered_to_anybody(path: str, settings: Settings) -> None:
    answer = client(settings=settings).get(path)

    assert (answer.status_code, answer.content) == (200, FILES[path].body)
    assert answer.headers["content-type"] == FILES[path].media_type
    assert answer.headers["content-length"] == str(len(answer.content))
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("settings", [Settings(), WITH_KEYS], ids=["open", "keys"])
@pytest.mark.parametrize("path", FILES)
def test_head_has_the_headers_alone(path: str, settings: Settings) -> None:
    client_ = client(settings=settings)
    whole, head = client_.get(path), client_.head(path)
    changing = {"x-request-id", "openai-processing-ms"}

    assert (head.status_code, head.content) == (200, b"")
    assert {name: value for name, value in head.headers.items() if name not in changing} == {
        name: value for name, value in whole.headers.items() if name not in changing
    }


@pytest.mark.parametrize("path", PAGES)
def test_page_is_shut_in(path: str) -> None:
    headers = client().get(path).headers
    directives = OF_PAGES["content-security-policy"].split("; ")
    policy = dict(each.partition(" ")[::2] for each in directives)

    assert {name: headers[name] for name in OF_PAGES} == OF_PAGES
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"


@pytest.mark.parametrize("path", [*PAGES, "/page/page.js", "/page/docs.js"])
def test_what_a_file_refers_to_is_there(path: str) -> None:
    client_ = client(settings=WITH_KEYS)
    found = referred_to(path, FILES[path].body.decode())

    assert found
    assert {each: client_.get(each).status_code for each in found} == dict.fromkeys(found, 200)


@pytest.mark.parametrize("path", FILES)
def test_browser_that_has_a_file_is_not_sent_it_again(path: str) -> None:
    client_ = client()
    etag = FILES[path].etag
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = client_.get(path, headers={"if-none-match": known})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == etag
    assert client_.get(path, headers={"if-none-match": '"other"'}).status_code == 200


def test_browsers_keep_the_viewer_and_ask_for_the_rest() -> None:
    client_ = client()
    kept = {path: client_.get(path).headers["cache-control"] for path in FILES}

    assert {path for path, value in kept.items() if "immutable" in value} == {
        path for path in FILES if VIEWER in path
    }
    assert set(kept.values()) == {"no-cache", "public, max-age=31536000, immutable"}


@pytest.mark.parametrize(("settings", "asks"), [(Settings(), False), (WITH_KEYS, True)])
def test_a_page_can_learn_whether_a_key_is_asked_for(settings: Settings, asks: bool) -> None:
    answer = client(settings=settings).get(ACCESS)

    assert answer.json() == {"asks_for_key": asks}
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", sorted(WITHOUT_KEY))
def test_only_reading_needs_no_key(path: str, method: str) -> None:
    assert client(settings=WITH_KEYS).request(method, path).status_code == 401
    refused = client().request(method, path)
    assert refused.status_code == 405
    assert set(refused.headers["allow"].split(", ")) <= {"GET", "HEAD"}


def test_docs_with_a_slash_lead_to_docs() -> None:
    answer = client(settings=WITH_KEYS).get("/docs/", follow_redirects=False)

    assert (answer.status_code, answer.headers["location"]) == (308, "../docs")


@pytest.mark.parametrize(
    "path",
    [
        "/page",
        "/page/",
        "/page/index.html",
        "/page/..%2Ffiles.py",
        "/page/../files.py",
        "/page/%2e%2e/%2e%2e/settings.py",
        "/page/page.css/",
        "/page/page.css%00",
        f"/page/{VIEWER}/LICENSE",
        f"/page/{VIEWER}/../files.py",
        "/index.html",
        "/docs.html",
    ],
)
def test_no_other_path_leads_to_a_file(path: str) -> None:
    assert client().get(path).status_code == 404
    assert client(settings=WITH_KEYS).get(path).status_code == 401


@pytest.mark.parametrize("path", ["/static_content", "/static_content/", "/static_content/a.js"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_what_bentoml_has_for_its_own_page_is_gone(path: str, method: str) -> None:
    assert client().request(method, path).status_code in (404, 405)
