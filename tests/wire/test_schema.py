"""The document at /openapi.json, held against what the server answers to thousands of requests."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings

from models.checkpoints.weights import Weights
from tests.api.documented import documented_app
from tests.server import Server, serving
from tests.speech_clips import clips
from tests.wire.http import CLIP, SECONDS, TRANSCRIPTIONS, TRANSLATIONS
from tests.wire.promises import promises
from tests.wire.schema_cases import FORMATS, Case, give_audio
from tests.wire.schema_checks import CHECKS, STREAM

DOCUMENT = documented_app("of the tests").openapi()
schema = schemathesis.openapi.from_dict(DOCUMENT)

MIN_EXAMPLES = 2_000
# A server without keys and limits answers none of these, unless something is wrong with it.
NOT_PROVOKED = {401, 413, 431, 500, 503, 504}
# Nobody asks here by a name that may be anybody's.
OF_LISTS = {(f"GET {TRANSCRIPTIONS}", 403)}
# Nothing but the handshake of a WebSocket is answered so.
OF_HANDSHAKES = {("GET /v1/realtime", status) for status in (101, 400, 403, 404)}

JOB = f"{TRANSCRIPTIONS}/{{job_id}}"
# What a server answers that has no background jobs.
WITHOUT_JOBS = {(label, 400) for label in (f"GET {JOB}", f"POST {JOB}/cancel", f"DELETE {JOB}")}

# So long that it has not ended when the next request comes.
LONG = max(clips(), key=lambda clip: clip.seconds).path

# Operation, status, form.
Seen = Counter[tuple[str, int, str]]


@pytest.fixture(scope="module")
def seen() -> Seen:
    return Counter()


@pytest.fixture(scope="module")
def quick(
    weights: Callable[[str], Weights], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server of `base` and `tiny.en` in the precision that is fastest here."""
    weights("base"), weights("tiny.en")
    output = tmp_path_factory.mktemp("quick") / "output.txt"
    with serving(output, WHISPER_MODELS="base,tiny.en") as running:
        yield running


@promises("Responses", "every answer is as `/openapi.json` describes it", "extension")
@schema.parametrize()
@settings(
    max_examples=400,
    derandomize=True,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
def test_schema_describes_every_answer(case: Case, quick: Server, seen: Seen) -> None:
    must_be_served = give_audio(case)
    response = case.call(base_url=quick.url)
    seen[case.operation.label, response.status_code, form(case, response)] += 1
    case.validate_response(response, checks=CHECKS)
    assert response.status_code == 200 or not must_be_served, response.content


@promises("Responses", "every answer is as `/openapi.json` describes it", "extension")
def test_schema_describes_answers_about_jobs(quick: Server, seen: Seen) -> None:
    """What is told of a job depends on what was asked before: requests that belong together."""
    fields = {"background": "true", "language": "en", "model": "tiny.en"}
    job_id, headers = "", {"idempotency-key": "of-the-schema"}
    calls: list[tuple[str, int, dict[str, Any]]] = [
        (f"POST {TRANSCRIPTIONS}", 202, {"data": fields}),
        (f"POST {TRANSCRIPTIONS}", 409, {"data": {**fields, "prompt": "x"}}),
        (f"GET {JOB}/events", 200, {}),  # to its end
        (f"GET {JOB}/events", 400, {"headers": {"last-event-id": "x"}}),
        (f"GET {JOB}", 200, {}),
        (f"GET {TRANSCRIPTIONS}", 200, {}),
        (f"GET {JOB}/content", 200, {}),
        (f"GET {JOB}/content", 400, {"params": {"response_format": "x"}}),
        (f"POST {JOB}/cancel", 409, {}),
        (f"DELETE {JOB}", 200, {}),
        (f"POST {TRANSLATIONS}", 202, {"data": {**fields, "model": "base"}, "file": LONG}),
        (f"POST {JOB}/cancel", 200, {}),
        (f"POST {TRANSLATIONS}", 409, {"data": {**fields, "model": "base"}}),
    ]
    for label, status, options in calls:
        method, path = label.split()
        if "data" in options:
            recording = options.pop("file", CLIP)
            options |= {"headers": headers, "files": {"file": recording.read_bytes()}}
        url = f"{quick.url}{path.replace('{job_id}', job_id)}"
        answer = httpx.request(method, url, timeout=SECONDS, **options)
        assert answer.status_code == status, (label, answer.text)
        answer.request.read()
        if answer.headers["content-type"] == "application/json":
            # Of a stream, the schema would be held against each event.
            schema[path][method].validate_response(answer)
        seen[label, status, ""] += 1
        if status == 202:
            job_id = answer.json()["id"]


def form(case: Case, response: schemathesis.Response) -> str:
    """The form of a transcript: `stream`, or the format that was asked for."""
    if response.headers["content-type"] == [STREAM]:
        return "stream"
    return str(case.body.get("response_format")) if isinstance(case.body, dict) else ""


@promises("Responses", "every answer is as `/openapi.json` describes it", "extension")
def test_schema_was_tried_in_full(seen: Seen) -> None:
    """The tests above have seen enough, and every status and form there is."""
    assert seen.total() >= MIN_EXAMPLES
    statuses = {(label, status) for label, status, _ in seen}
    documented = {
        (f"{method.upper()} {path}", int(status))
        for path, operations in DOCUMENT["paths"].items()
        for method, operation in operations.items()
        for status in operation["responses"]
    }
    of_pages = {(label, 403) for label, _ in documented if label.startswith(("POST", "DELETE"))}
    missing = documented - statuses - OF_HANDSHAKES - OF_LISTS - of_pages - WITHOUT_JOBS
    assert [pair for pair in missing if pair[1] not in NOT_PROVOKED] == []
    with_another_method = {label.split()[1] for label, status in statuses if status == 405}
    assert with_another_method == set(DOCUMENT["paths"])
    for path, forms in ((TRANSCRIPTIONS, (*FORMATS, "stream")), (TRANSLATIONS, FORMATS)):
        assert [each for each in forms if not seen[f"POST {path}", 200, each]] == []


@promises("Responses", "`/openapi.json`: all of the above, with examples", "extension")
def test_schema_is_the_one_served(quick: Server) -> None:
    served = httpx.get(f"{quick.url}/openapi.json", timeout=SECONDS).json()
    assert {**served, "info": DOCUMENT["info"]} == DOCUMENT


@promises(
    "Responses", "`/docs` shows it and lets it be tried, with files of this server", "extension"
)
def test_schema_is_shown_by_a_page_of_this_server(quick: Server) -> None:
    page = httpx.get(f"{quick.url}/docs", timeout=SECONDS)
    files = re.findall(r'(?:href|src)="([^"]+)"', page.text)

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert {httpx.get(f"{quick.url}/{file}", timeout=SECONDS).status_code for file in files} == {
        200
    }
    assert "script-src 'self'" in page.headers["content-security-policy"]


@promises(
    "Responses",
    "BentoML's own document at `/docs.json` has the endpoints of files, too",
    "extension",
)
def test_schema_is_part_of_bentomls_document(quick: Server) -> None:
    """BentoML lists the routes whose requests FastAPI reads: not those of `/v1/realtime`."""
    shown = httpx.get(f"{quick.url}/docs.json", timeout=SECONDS).json()["paths"]
    missing = [
        (path, method)
        for path, operations in DOCUMENT["paths"].items()
        for method in operations
        if not path.startswith("/v1/realtime") and method not in shown.get(path, {})
    ]
    assert missing == []
