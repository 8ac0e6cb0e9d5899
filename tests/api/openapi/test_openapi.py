"""Tests of the app's own document: complete, valid and true to its own schemas."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import reduce
from operator import or_
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import BaseModel, TypeAdapter
from starlette.testclient import TestClient

from api import health_schemas, job_schemas, schemas, stream_schemas
from api.realtime import answers
from api.schemas import ErrorBody, Transcription, TranscriptionVerbose, Word
from models.subtitle_options import BOUNDS
from tests.api.documented import documented_app
from tests.api.fake import TRANSCRIPTIONS, TRANSLATIONS, client

DETECTIONS, SUBTITLES = "/v1/audio/detect-language", "/v1/audio/subtitles"
JOB = f"{TRANSCRIPTIONS}/{{job_id}}"
SECRETS, REALTIME = "/v1/realtime/client_secrets", "/v1/realtime"
DOCUMENT = documented_app().openapi()
COMMON = ["401", "413", "431", "500", "503", "504"]
OPERATIONS = {
    f"post {TRANSCRIPTIONS}": ["200", "202", "400", "403", "404", "409", *COMMON],
    f"post {TRANSLATIONS}": ["200", "202", "400", "403", "404", "409", *COMMON],
    f"get {TRANSCRIPTIONS}": ["200", "400", "403", "404", *COMMON],
    f"get {JOB}": ["200", "400", "404", *COMMON],
    f"get {JOB}/content": ["200", "400", "404", *COMMON],
    f"get {JOB}/events": ["200", "400", "404", *COMMON],
    f"post {JOB}/cancel": ["200", "400", "403", "404", "409", *COMMON],
    f"delete {JOB}": ["200", "400", "403", "404", *COMMON],
    f"post {DETECTIONS}": ["200", "400", "403", "404", *COMMON],
    f"post {SUBTITLES}": ["200", "400", "401", "413", "431", "500", "504"],
    "get /v1/models": ["200", *COMMON],
    "get /v1/models/{model_id}": ["200", "404", *COMMON],
    "delete /v1/models/{model_id}": ["403", "404", *COMMON],
    "get /health": ["200", *COMMON],
    f"get {REALTIME}": ["101", "400", "403", "404", "426", *COMMON],
    f"post {SECRETS}": ["200", "400", "403", *COMMON],
}
WITHOUT_JSON = {
    (f"post {SUBTITLES}", "200"): "text/plain",
    (f"get {JOB}/events", "200"): "text/event-stream",
}
# Paths that the document leaves out, and why.
NOT_DESCRIBED = {
    r"/openapi\.json": "the document itself",
    r"(?!/v1/)(?!/openai/).*/(audio/.+|models(/.+)?)|/models": "OpenAI's paths without `/v1`",
    r"/v1|/v1/\{path\}": "what OpenAI's API has not",
    r"/|/docs/?|/favicon\.ico|/page/.+": "pages for people",
    r"/client\.py": "a program for people",
    r"/static_content.*": "BentoML's files, which are not served",
    r"(/openai(/v1)?)?/realtime(/client_secrets)?": "the same as with `/v1`",
    r".*/realtime/transcription_sessions": "the beta shape, which OpenAI's service has ended",
}


def operation(label: str) -> dict[str, Any]:
    """One of `OPERATIONS`, as the document has it."""
    method, path = label.split()
    found = DOCUMENT["paths"][path][method]
    assert isinstance(found, dict)
    return found


def form(path: str) -> dict[str, Any]:
    """The schema of a form."""
    body = operation(f"post {path}")["requestBody"]
    schema = body["content"]["multipart/form-data"]["schema"]
    assert isinstance(schema, dict)
    return schema


def objects(value: object) -> Iterator[dict[str, Any]]:
    """Every object in a document, outermost first."""
    if isinstance(value, dict):
        yield value
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from objects(each)


def test_openapi_is_valid_and_served() -> None:
    served = TestClient(documented_app()).get("/openapi.json").json()
    assert served == DOCUMENT
    assert [error.message for error in OpenAPIV31SpecValidator(served).iter_errors()] == []


def test_openapi_operations() -> None:
    assert {
        f"{method} {path}": sorted(found["responses"])
        for path, methods in DOCUMENT["paths"].items()
        for method, found in methods.items()
    } == {label: sorted(statuses) for label, statuses in OPERATIONS.items()}
    assert [operation(label)["operationId"] for label in OPERATIONS] == [
        "transcriptions",
        "translations",
        "transcription_jobs",
        "transcription_job",
        "transcription_job_content",
        "transcription_job_events",
        "cancel_transcription_job",
        "delete_transcription_job",
        "detect_language",
        "subtitles",
        "models",
        "model",
        "delete_model",
        "health",
        "realtime",
        "client_secret",
    ]


def paths_of(routes: Sequence[Any]) -> Iterator[str]:
    """The paths of an app's routes; FastAPI keeps those of a router together."""
    for route in routes:
        if hasattr(route, "effective_candidates"):
            yield from (each.path for each in route.effective_candidates())
        else:
            yield route.path


def test_openapi_has_every_path_or_a_reason() -> None:
    paths = {path.replace(":path}", "}") for path in paths_of(documented_app().routes)}
    missing = paths - set(DOCUMENT["paths"])
    assert set(DOCUMENT["paths"]) <= paths
    reasons = {path: {why for why in NOT_DESCRIBED if re.fullmatch(why, path)} for path in missing}
    assert [path for path, found in reasons.items() if not found] == []
    assert set(NOT_DESCRIBED) == set[str]().union(*reasons.values())


@pytest.mark.parametrize("label", OPERATIONS)
def test_openapi_keys_are_optional(label: str) -> None:
    assert operation(label)["security"] == [{}, {"HTTPBearer": []}, {"APIKeyHeader": []}]


# Beyond OpenAI's.
READING = ["channel", "audio_track"]
DECODING = [
    "compression_ratio_threshold",
    "logprob_threshold",
    "no_speech_threshold",
    "drop_logprob_threshold",
    "loop_threshold",
    "drop",
    "condition_on_previous_text",
    "carry_initial_prompt",
    "word_times",
]
TRANSLATION_FIELDS = [
    "file",
    "model",
    *READING,
    *DECODING,
    *BOUNDS,
    "background",
    "metadata",
    "expires_after",
    "webhook_url",
    "prompt",
    "response_format",
    "temperature",
    "chunking_strategy",
]
TRANSCRIPTION_FIELDS = [
    *TRANSLATION_FIELDS,
    "highlight_words",
    "language",
    "languages",
    "keywords",
    "hotwords",
    "stream_events",
    "timestamp_granularities",
    "include",
    "known_speaker_names",
    "known_speaker_references",
    "stream",
]
FORMS = {
    TRANSCRIPTIONS: TRANSCRIPTION_FIELDS,
    TRANSLATIONS: TRANSLATION_FIELDS,
    DETECTIONS: ["file", "model", *READING, "languages"],
}


@pytest.mark.parametrize("path", FORMS)
def test_openapi_form(path: str) -> None:
    schema = form(path)
    assert list(schema["properties"]) == FORMS[path]
    assert schema["required"] == ["file", "model"]


@pytest.mark.parametrize("path", FORMS)
def test_openapi_fields_are_described_with_an_example(path: str) -> None:
    fields = form(path)["properties"]
    assert [name for name in fields if not fields[name].get("description")] == []
    assert [name for name in fields if not fields[name].get("examples")] == ["file"]


@pytest.mark.parametrize("path", FORMS)
def test_openapi_fields_are_left_out_rather_than_null(path: str) -> None:
    assert [each for each in objects(form(path)) if each.get("type") == "null"] == []


@pytest.mark.parametrize("name", BOUNDS)
def test_openapi_bounds_of_subtitles(name: str) -> None:
    field = form(TRANSCRIPTIONS)["properties"][name]
    assert (field["minimum"], field["maximum"]) == BOUNDS[name]


def test_openapi_thresholds_can_be_none() -> None:
    fields = form(TRANSCRIPTIONS)["properties"]
    without = {"type": "string", "const": "none"}
    assert fields["logprob_threshold"]["anyOf"] == [{"type": "number"}, without]
    assert fields["drop"]["anyOf"][1] == without


def test_openapi_formats() -> None:
    content = {
        label: list(operation(label)["responses"]["200"]["content"])
        for label in (f"post {TRANSCRIPTIONS}", f"post {TRANSLATIONS}")
    }
    assert list(content.values()) == [
        ["application/json", "text/plain", "text/event-stream"],
        ["application/json", "text/plain"],
    ]


def test_openapi_answers_are_described() -> None:
    answers = DOCUMENT["components"]["schemas"]
    assert {"TranscriptTextDelta", "TranscriptTextDone"} <= set(answers)
    for name, schema in answers.items():
        assert schema["additionalProperties"] is False
        fields = schema["properties"]
        assert [(name, each) for each in fields if not fields[each].get("description")] == []


@pytest.mark.parametrize(
    ("name", "left_out"),
    [
        ("Transcription", {"logprobs", "usage"}),
        ("TranscriptionVerbose", {"segments", "words", "usage"}),
        ("Segment", {"language", "flags"}),
        ("UsageDuration", set()),
        ("UsageTokens", set()),
        ("Model", set()),
        ("ErrorDetail", set()),
    ],
)
def test_openapi_answers_leave_out_what_was_not_asked(name: str, left_out: set[str]) -> None:
    schema = DOCUMENT["components"]["schemas"][name]
    assert set(schema["properties"]) - set(schema["required"]) == left_out
    fields = [schema["properties"][each] for each in left_out]
    assert [each for each in objects(fields) if each.get("type") == "null"] == []


def test_answer_without_what_was_not_asked() -> None:
    words = [Word(word="Hi", start=0.0, end=0.5)]
    verbose = TranscriptionVerbose(
        task="translate", language="english", duration=1.0, text="Hi", words=words
    )
    assert Transcription(text="Hi").model_dump() == {"text": "Hi"}
    assert list(verbose.model_dump()) == ["task", "language", "duration", "text", "words"]


@pytest.mark.parametrize("label", OPERATIONS)
def test_openapi_headers(label: str) -> None:
    always = ["openai-processing-ms", "openai-version", "x-request-id"]
    with_text = (f"post {TRANSCRIPTIONS}", f"post {TRANSLATIONS}", f"get {JOB}/content")
    flags = ["x-whisper-flags"] if label in with_text else []
    more = {
        "200": flags,
        "401": ["www-authenticate"],
        "503": ["retry-after"],
        "504": ["x-should-retry"],
    }
    told = ["x-queue-position", "x-queue-seconds", "x-whisper-model"]
    brings = "multipart/form-data" in operation(label).get("requestBody", {}).get("content", {})
    queue = told if brings else []
    for status, response in operation(label)["responses"].items():
        queued = queue if status in ("200", "400", "503", "504") else []
        assert sorted(response["headers"]) == sorted([*always, *queued, *more.get(status, [])])


def examples(media: dict[str, Any]) -> list[object]:
    """The examples of an answer."""
    if "example" in media:
        return [media["example"]]
    return [each["value"] for each in media["examples"].values()]


def named(name: str) -> type[BaseModel]:
    """The schema of this name."""
    files = schemas, stream_schemas, health_schemas, job_schemas, answers
    room = next(each for each in files if hasattr(each, name))
    found: type[BaseModel] = getattr(room, name)
    return found


@pytest.mark.parametrize("label", OPERATIONS)
def test_openapi_examples_conform(label: str) -> None:
    for status, response in operation(label)["responses"].items():
        if status == "101":
            assert "content" not in response
            continue
        if (label, status) in WITHOUT_JSON:
            assert list(response["content"]) == [WITHOUT_JSON[label, status]]
            continue
        media = response["content"]["application/json"]
        references = [each["$ref"] for each in objects(media["schema"]) if "$ref" in each]
        models = [named(each.rpartition("/")[2]) for each in references]
        adapter = TypeAdapter[object](reduce(or_, models))
        shown = [adapter.validate_python(each) for each in examples(media)]
        assert [adapter.dump_python(each) for each in shown] == examples(media)


@pytest.mark.parametrize("status", [400, 401, 404, 413, 431, 500, 503, 504])
def test_openapi_error_examples_have_their_status(status: int) -> None:
    media = operation(f"post {TRANSCRIPTIONS}")["responses"][str(status)]["content"]
    [example] = examples(media["application/json"])
    kind = ErrorBody.model_validate(example).error.type
    assert kind == ("server_error" if status >= 500 else "invalid_request_error")


def refusal_shown(label: str) -> str:
    media = operation(label)["responses"]["403"]["content"]["application/json"]
    return ErrorBody.model_validate(media["example"]).error.message


@pytest.mark.parametrize("path", [TRANSCRIPTIONS, TRANSLATIONS, DETECTIONS, SECRETS])
def test_openapi_shows_what_a_refused_page_is_told(path: str) -> None:
    headers = {"host": "127.0.0.1:8000", "origin": "http://example.com"}
    told = client().post(TRANSCRIPTIONS, headers=headers)

    assert told.status_code == 403
    assert refusal_shown(f"post {path}") == told.json()["error"]["message"]


def test_openapi_shows_what_is_told_of_a_model_to_delete() -> None:
    told = client().delete("/v1/models/base")

    assert told.status_code == 403
    assert refusal_shown("delete /v1/models/{model_id}") == told.json()["error"]["message"]
