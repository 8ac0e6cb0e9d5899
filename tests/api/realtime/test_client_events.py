"""Tests of client events: what is understood, and what each mistake is answered with."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import ApiError
from api.realtime.client_events import Append, Clear, ClientEventError, Commit, SessionUpdate, parse
from tests.wire.promises import promises

APPEND = "input_audio_buffer.append"


def refused(message: object) -> ClientEventError:
    text = message if isinstance(message, (str, bytes)) else json.dumps(message)
    with pytest.raises(ClientEventError) as caught:
        parse(text)
    return caught.value


def test_events_are_understood() -> None:
    assert parse('{"type": "input_audio_buffer.commit", "event_id": "a"}') == Commit(
        type="input_audio_buffer.commit", event_id="a"
    )
    assert isinstance(parse('{"type": "input_audio_buffer.clear"}'), Clear)
    update = parse('{"type": "session.update", "session": {"type": "transcription"}}')
    assert isinstance(update, SessionUpdate)
    assert update.session == {"type": "transcription"}


@pytest.mark.parametrize(("text", "data"), [("", b""), ("AAEC", b"\0\1\2"), ("AA==", b"\0")])
def test_audio_is_base64(text: str, data: bytes) -> None:
    event = parse(json.dumps({"type": APPEND, "audio": text}))
    assert isinstance(event, Append)
    assert event.data() == data


@pytest.mark.parametrize("text", ["AAA", "AA==AA", "AA-_", " AAAA", "%"])
def test_what_is_no_base64_is_an_error(text: str) -> None:
    event = parse(json.dumps({"type": APPEND, "audio": text}))
    assert isinstance(event, Append)
    with pytest.raises(ApiError) as caught:
        event.data()
    assert (caught.value.code, caught.value.param) == ("invalid_value", "audio")


@promises("Live transcription", "what is no event is an `error`, and the session goes on")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '"session.update"',
        '{"type": NaN}',
        '{"type": "session.update", "session": {"a": Infinity}}',
        "[" * 10_000,
        '{"a":' * 10_000,
        '{"type": "\\ud800"}',
        b"\xff\xfe",
        "{}",
        '{"type": 5}',
        '{"type": null}',
    ],
)
def test_what_is_no_event_is_an_invalid_event(text: str | bytes) -> None:
    error = refused(text)
    assert (error.code, error.param, error.event_id) == ("invalid_event", None, "")


@pytest.mark.parametrize("kind", ["session.updated", "input_audio_buffer.Commit", "x" * 1_000_000])
def test_an_unknown_type_is_answered_with_the_known_ones(kind: str) -> None:
    error = refused({"type": kind, "event_id": "e1"})
    assert (error.code, error.param, error.event_id) == ("invalid_value", "type", "e1")
    assert "input_audio_buffer.append" in error.message
    assert len(error.message) < 500


@promises(
    "Live transcription",
    "`response.*`, `conversation.item.*`: an `error`, and the session goes on",
    "differs",
    "sessions here transcribe; there is no conversation",
)
@pytest.mark.parametrize(
    "kind",
    [
        "conversation.item.create",
        "conversation.item.retrieve",
        "response.create",
        "response.cancel",
        "output_audio_buffer.clear",
    ],
)
def test_events_of_conversations_are_said_not_to_be_supported(kind: str) -> None:
    error = refused({"type": kind, "event_id": "e1", "item": {}})
    assert "not supported in a transcription session" in error.message
    assert error.event_id == "e1"


@pytest.mark.parametrize(
    ("event", "code", "param"),
    [
        ({"type": APPEND}, "missing_required_parameter", "audio"),
        ({"type": APPEND, "audio": 5}, "invalid_value", "audio"),
        ({"type": APPEND, "audio": None}, "invalid_value", "audio"),
        ({"type": APPEND, "audio": "", "rate": 1}, "unknown_parameter", "rate"),
        ({"type": "session.update"}, "missing_required_parameter", "session"),
        ({"type": "session.update", "session": []}, "invalid_value", "session"),
        ({"type": "input_audio_buffer.commit", "final": True}, "unknown_parameter", "final"),
        ({"type": "input_audio_buffer.commit", "event_id": 5}, "invalid_value", "event_id"),
        ({"type": "input_audio_buffer.commit", "event_id": None}, "invalid_value", "event_id"),
        ({"type": "input_audio_buffer.commit", "event_id": "a" * 513}, "invalid_value", "event_id"),
    ],
)
def test_fields_that_are_wrong_are_named(event: object, code: str, param: str) -> None:
    error = refused(event)
    assert (error.code, error.param) == (code, param)


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists, max_leaves=5))
def test_any_value_anywhere_is_an_event_or_an_error(value: object) -> None:
    for event in (value, {"type": value}, {"type": APPEND, "audio": value}):
        with suppress(ClientEventError):
            assert isinstance(parse(json.dumps(event)), Append)
