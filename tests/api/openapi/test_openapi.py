"""Tests of the app's own document: complete, valid and true to its own schemas."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from operator import or_
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import TypeAdapter

from api import schemas
from api.app import create_app
from api.schemas import ErrorBody, Transcription, TranscriptionVerbose, Word
from models.subtitle_options import BOUNDS
from tests.api.fake import TRANSCRIPTIONS, TRANSLATIONS, client

DETECTIONS = "/v1/audio/detect-language"
DOCUMENT = create_app("1.2.3").openapi()
COMMON = ["401", "413", "431", "500", "503", "504"]
OPERATIONS = {
    f"post {TRANSCRIPTIONS}": ["200", "400", "404", *COMMON],
    f"post {TRANSLATIONS}": ["200", "400", "404", *COMMON],
    f"post {DETECTIONS}": ["200", "400", "404", *COMMON],
    "get /v1/models": ["200", *COMMON],
    "get /v1/models/{model_id}": ["200", "404", *COMMON],
    "delete /v1/models/{model_id}": ["403", "404", *COMMON],
    "get /health": ["200", *COMMON],
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
    served = client().get("/openapi.json").json()
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
        "detect_language",
        "models",
        "model",
        "delete_model",
        "health",
    ]


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
    "prompt",
    "response_format",
    "temperature",
    "chunking_strategy",
]
TRANSCRIPTION_FIELDS = [
    *TRANSLATION_FIELDS,
    "language",
    "languages",
    "keywords",
    "hotwords",
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
    flags = ["x-whisper-flags"] if "audio/trans" in label else []
    more = {
        "200": flags,
        "401": ["www-authenticate"],
        "503": ["retry-after"],
        "504": ["x-should-retry"],
    }
    queue = ["x-queue-position", "x-queue-seconds"] if label.startswith("post") else []
    for status, response in operation(label)["responses"].items():
        queued = queue if status in ("200", "400", "503", "504") else []
        assert sorted(response["headers"]) == sorted([*always, *queued, *more.get(status, [])])


def examples(media: dict[str, Any]) -> list[object]:
    """The examples of an answer."""
    if "example" in media:
        return [media["example"]]
    return [each["value"] for each in media["examples"].values()]


@pytest.mark.parametrize("label", OPERATIONS)
def test_openapi_examples_conform(label: str) -> None:
    for response in operation(label)["responses"].values():
        media = response["content"]["application/json"]
        references = [each["$ref"] for each in objects(media["schema"]) if "$ref" in each]
        models = [getattr(schemas, each.rpartition("/")[2]) for each in references]
        adapter = TypeAdapter[object](reduce(or_, models))
        shown = [adapter.validate_python(each) for each in examples(media)]
        assert [adapter.dump_python(each) for each in shown] == examples(media)


@pytest.mark.parametrize("status", [400, 401, 404, 413, 431, 500, 503, 504])
def test_openapi_error_examples_have_their_status(status: int) -> None:
    media = operation(f"post {TRANSCRIPTIONS}")["responses"][str(status)]["content"]
    [example] = examples(media["application/json"])
    kind = ErrorBody.model_validate(example).error.type
    assert kind == ("server_error" if status >= 500 else "invalid_request_error")
