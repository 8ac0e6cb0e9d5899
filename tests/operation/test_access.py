"""Keys, addresses and origins of a running server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from api.middleware.response_headers import OF_PAGES
from api.page.files import WITHOUT_KEY, page_files
from models.checkpoints.weights import Weights
from tests.operation.processes import LONGEST_SECONDS, eventually
from tests.server import Server, failing_start, serving
from tests.wire.http import error_of, post

KEY = "alices-secret-key"
ORIGIN = "https://app.example.org"
SETTINGS = {"WHISPER_DEFAULT_MODEL": "tiny.en"}
PROTECTED = [
    ("GET", "/v1/models", 200),
    ("GET", "/models", 200),
    ("GET", "/v1/models/tiny.en", 200),
    ("POST", "/v1/audio/transcriptions", 400),
    ("POST", "/v1/audio/translations", 400),
    ("POST", "/v1/audio/detect-language", 400),
    ("POST", "/v1/audio/subtitles", 400),
    ("POST", "/audio/transcriptions", 400),
    ("POST", "/transcribe", 400),
    ("POST", "/translate", 400),
    ("POST", "/openai/deployments/tiny.en/audio/transcriptions", 400),
    ("POST", "/openai/v1/audio/translations", 400),
    ("GET", "/openai/models", 200),
    ("POST", "/health", 405),
    ("GET", "/metrics", 200),
    ("GET", "/docs.json", 200),
    ("GET", "/schema.json", 200),
    ("POST", "/", 405),
    ("GET", "/static_content/swagger-ui.css", 404),
    ("GET", "/v1/none", 404),
    ("GET", "/none", 404),
]


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys") / "keys"


@pytest.fixture(scope="module")
def server(
    weights: Callable[[str], Weights], key_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server of `tiny.en` whose keys are in a file, and which one origin's pages may use."""
    weights("tiny.en")
    key_file.write_text(f"# clients\nalice:{KEY}\n")
    with serving(
        tmp_path_factory.mktemp("server") / "output.txt",
        WHISPER_API_KEYS="a-key-of-the-settings",
        WHISPER_API_KEYS_FILE=str(key_file),
        WHISPER_CORS_ORIGINS=ORIGIN,
        **SETTINGS,
    ) as running:
        yield running


def asked(server: Server, method: str, path: str, key: str | None = None) -> httpx.Response:
    """The answer to a request with a key and without a body."""
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    return httpx.request(method, f"{server.url}{path}", headers=headers, timeout=LONGEST_SECONDS)


@pytest.mark.parametrize(("method", "path", "status"), PROTECTED)
def test_everything_asks_for_a_key(server: Server, method: str, path: str, status: int) -> None:
    assert error_of(asked(server, method, path), 401)["code"] is None
    assert error_of(asked(server, method, path, "wrong"), 401)["code"] == "invalid_api_key"
    for key in (KEY, "a-key-of-the-settings"):
        assert asked(server, method, path, key).status_code == status


def test_every_route_of_bentoml_is_among_them(server: Server) -> None:
    document = asked(server, "GET", "/docs.json", KEY).json()
    known = {path for _, path, _ in PROTECTED} | WITHOUT_KEY | {"/livez", "/readyz", "/healthz"}

    assert {path for path in document["paths"] if "{" not in path} <= known


def test_health_without_a_key_is_its_status_alone(server: Server) -> None:
    told = asked(server, "GET", "/health")

    assert (told.status_code, told.json()) == (200, {"status": "ok"})
    assert error_of(asked(server, "GET", "/health", "wrong"), 401)
    assert asked(server, "GET", "/health", KEY).json()["default_model"] == "tiny.en"


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/healthz", *sorted(WITHOUT_KEY)])
def test_probes_and_pages_stay_open(server: Server, path: str) -> None:
    for method in ("GET", "HEAD"):
        answer = asked(server, method, path)
        assert answer.status_code == (308 if path == "/docs/" else 200)
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_no_page_of_bentoml_can_be_reached(server: Server) -> None:
    for path in ("/", "/docs"):
        answer = asked(server, "GET", path)
        assert (answer.content, "BentoML" in answer.text) == (page_files()[path].body, False)
        assert {name: answer.headers[name] for name in OF_PAGES} == OF_PAGES


def test_refusal_can_be_read_by_a_page_and_preflight_needs_no_key(server: Server) -> None:
    origin = {"origin": ORIGIN}
    wanted = {"access-control-request-method": "POST"}
    refused = post(server, headers=origin)
    preflight = httpx.options(
        f"{server.url}/v1/audio/transcriptions", headers=origin | wanted, timeout=LONGEST_SECONDS
    )

    assert (refused.status_code, preflight.status_code) == (401, 200)
    for answer in (refused, preflight):
        assert answer.headers["access-control-allow-origin"] == ORIGIN


def wait_for(server: Server, key: str, status: int) -> None:
    """Ask with a key until the answer has this status; a change counts within a second or so."""
    assert eventually(lambda: asked(server, "GET", "/v1/models", key).status_code == status)


def test_keys_change_while_the_server_runs(server: Server, key_file: Path) -> None:
    good = key_file.read_text()
    try:
        key_file.write_text(good + "bob:bobs-secret-key\n")
        wait_for(server, "bobs-secret-key", 200)
        key_file.write_text("bob:bobs-secret-key\nalice\n")
        wait_for_line(server, f"The key file {key_file} is malformed in line 2")
        assert asked(server, "GET", "/v1/models", KEY).status_code == 200
        key_file.write_text("bob:bobs-other-key\n")
        wait_for(server, KEY, 401)
        assert asked(server, "GET", "/v1/models", "bobs-other-key").status_code == 200
    finally:
        key_file.write_text(good)
        wait_for(server, KEY, 200)

    assert server.printed.count("is malformed") == 1
    assert "secret-key" not in server.printed


def wait_for_line(server: Server, line: str) -> None:
    """Send requests until the server has printed this."""

    def has_come() -> bool:
        asked(server, "GET", "/v1/models", KEY)
        return line in server.printed

    assert eventually(has_come)


OPEN = "the server does not listen on 0.0.0.0, for other machines, without API keys: set "


@pytest.mark.parametrize(
    ("arguments", "settings"),
    [
        ((), {"WHISPER_HOST": "0.0.0.0"}),
        ((), {"WHISPER_HOST": "0.0.0.0", "BENTOML_CONTAINERIZED": "true"}),
        (("--host", "0.0.0.0"), {}),
        ((), {"BENTOML_HOST": "0.0.0.0"}),
        (
            (),
            {"BENTOML_CONFIG_OVERRIDES": '{"services":{"whisper":{"http":{"host":"0.0.0.0"}}}}'},
        ),
    ],
)
def test_open_server_does_not_start_for_other_machines(
    weights: Callable[[str], Weights], arguments: tuple[str, ...], settings: dict[str, str]
) -> None:
    weights("tiny.en")
    status, printed = failing_start(arguments, **SETTINGS, **settings)

    assert status == 1
    assert OPEN + "WHISPER_API_KEYS, WHISPER_API_KEYS_FILE or WHISPER_ALLOW_ANYONE=true" in printed
    assert "Traceback" not in printed


def test_malformed_key_file_ends_the_start(
    weights: Callable[[str], Weights], tmp_path: Path
) -> None:
    weights("tiny.en")
    file = tmp_path / "keys"
    file.write_text("alice:short\n")
    status, printed = failing_start((), WHISPER_API_KEYS_FILE=str(file), **SETTINGS)

    assert status == 1
    assert f"The key file {file} is malformed in line 1: wanted NAME:KEY" in printed
    assert "Traceback" not in printed
