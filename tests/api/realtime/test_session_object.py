"""Tests of the session object: partial updates, whole or not at all, and its echo."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from api.errors import ApiError
from api.realtime.session_object import Defaults, SessionObject
from models.errors import ModelNotFoundError
from models.live.live_options import AudioFormat, LiveOptions, SemanticVad, ServerVad
from models.options import VoiceOptions
from tests.wire.promises import promises

START = SessionObject(Defaults("base"))
VAD = {
    "type": "server_vad",
    "threshold": 0.5,
    "prefix_padding_ms": 300,
    "silence_duration_ms": 200,
}


def after(*changes: Mapping[str, Any], start: SessionObject = START) -> SessionObject:
    """The session after these updates of `session.audio.input`."""
    session = start
    for change in changes:
        session = session.updated({"type": "transcription", "audio": {"input": change}})
    return session


def shown(session: SessionObject) -> dict[str, Any]:
    found: dict[str, Any] = session.shown("sess_1", 7)["audio"]["input"]
    return found


def options(session: SessionObject) -> LiveOptions:
    return session.live_options(lambda model: f"the {model}")


def refused(update: Mapping[str, Any], session: SessionObject = START) -> tuple[str | None, ...]:
    with pytest.raises(ApiError) as caught:
        session.updated(update)
    return caught.value.code, caught.value.param


def test_a_session_that_is_not_updated_has_every_default() -> None:
    assert START.shown("sess_1", 7) == {
        "type": "transcription",
        "object": "realtime.transcription_session",
        "id": "sess_1",
        "expires_at": 7,
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": 24000},
                "transcription": {
                    "model": "base",
                    "language": None,
                    "languages": None,
                    "keywords": None,
                    "prompt": None,
                    "delay": "medium",
                },
                "noise_reduction": None,
                "turn_detection": VAD,
            }
        },
        "include": None,
    }
    assert options(START) == LiveOptions("the base", transcription=options(START).transcription)


@promises(
    "Live transcription",
    "`session.update` changes what it names; `session.updated` has all of the session",
)
def test_updates_change_only_what_they_name() -> None:
    session = after(
        {"transcription": {"language": "de", "prompt": "Guten Tag"}},
        {"turn_detection": {"threshold": 0.8}},
        {"turn_detection": {"silence_duration_ms": 700}},
        {"transcription": {"delay": "low"}},
        {"noise_reduction": {"type": "near_field", "strength": 0.5}},
        {"noise_reduction": {"type": "far_field"}},
        {"format": {"rate": 16000}},
        {"transcription": {"keywords": ["Kubernetes"]}},
        {"transcription": {"prompt": None}},
    ).updated({"include": ["item.input_audio_transcription.logprobs"]})

    assert shown(session) == {
        "format": {"type": "audio/pcm", "rate": 16000},
        "transcription": {
            "model": "base",
            "language": "de",
            "languages": None,
            "keywords": ["Kubernetes"],
            "prompt": None,
            "delay": "low",
        },
        "noise_reduction": {"type": "far_field", "strength": 0.5},
        "turn_detection": {**VAD, "threshold": 0.8, "silence_duration_ms": 700},
    }
    assert session.with_logprobs
    found = options(session)
    assert found.turn_detection == ServerVad(VoiceOptions(0.8, 300, 700))
    assert found.transcription.language == "de"
    assert found.transcription.keywords == ("Kubernetes",)
    assert found.transcription.initial_prompt is None
    assert (found.delay, found.format) == ("low", AudioFormat("pcm16", 16000))


def test_null_switches_off_and_an_update_switches_on_again() -> None:
    off = after({"turn_detection": None, "transcription": None})
    on = after({"turn_detection": {}, "transcription": {}}, start=off)

    assert shown(off)["turn_detection"] is None
    assert (options(off).turn_detection, options(off).model) == (None, None)
    assert shown(on) == shown(START)


def test_another_type_starts_anew() -> None:
    session = after(
        {"turn_detection": {"threshold": 0.8}},
        {"turn_detection": {"type": "semantic_vad", "eagerness": "high"}},
    )
    ulaw = after({"format": {"rate": 8000}}, {"format": {"type": "audio/pcmu"}})

    assert shown(session)["turn_detection"] == {"type": "semantic_vad", "eagerness": "high"}
    assert options(session).turn_detection == SemanticVad("high")
    kept = after({"turn_detection": {"eagerness": "low"}}, start=session)
    assert options(kept).turn_detection == SemanticVad("low")
    assert options(ulaw).format == AudioFormat("g711_ulaw", 8000)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("pcm16", AudioFormat("pcm16", 24000)),
        ("g711_ulaw", AudioFormat("g711_ulaw", 8000)),
        ("g711_alaw", AudioFormat("g711_alaw", 8000)),
        ({"type": "audio/pcmu", "rate": 8000}, AudioFormat("g711_ulaw", 8000)),
        ({"type": "audio/pcma", "rate": 8000.0, "channels": 1}, AudioFormat("g711_alaw", 8000)),
        ({"type": "audio/pcma", "channels": 1}, AudioFormat("g711_alaw", 8000)),
        ({"type": "audio/pcm", "rate": 48000, "channels": 1}, AudioFormat("pcm16", 48000)),
        ({"type": "audio/pcm", "rate": 8000.0}, AudioFormat("pcm16", 8000)),
    ],
)
def test_formats(asked: object, found: AudioFormat) -> None:
    assert options(after({"format": asked})).format == found


@promises(
    "Live transcription",
    "`gpt-live-transcribe` and `gpt-realtime-whisper` detect no turns, unless they are asked to",
    "extension",
    "hosted refuses `turn_detection` for them",
)
@pytest.mark.parametrize("model", ["gpt-live-transcribe", "gpt-realtime-whisper"])
def test_live_models_have_no_turn_detection_unless_it_is_asked_for(model: str) -> None:
    session = after({"transcription": {"model": model}})
    asked = after({"turn_detection": {"silence_duration_ms": 500}}, start=session)

    assert shown(session)["turn_detection"] is None
    assert shown(asked)["turn_detection"] == {**VAD, "silence_duration_ms": 500}
    assert shown(after({"transcription": {"model": "base"}}, start=session)) == shown(START)


@promises(
    "Live transcription",
    "`delay` for every model: from `minimal`, text at once, to `xhigh`, the text of a file",
    "extension",
    "hosted has it for `gpt-realtime-whisper`",
)
def test_whisper_1_has_its_text_when_a_turn_is_over() -> None:
    session = after({"transcription": {"model": "whisper-1"}})

    assert shown(session)["transcription"]["delay"] == "xhigh"
    assert options(after({"transcription": {"delay": "minimal"}}, start=session)).delay == "minimal"
    assert options(after({"transcription": {"model": "base"}}, start=session)).delay == "medium"


@promises("Live transcription", "`language`, `languages`, `keywords`, `prompt`: as with files")
def test_a_language_goes_before_a_choice_of_languages() -> None:
    one = options(after({"transcription": {"language": "de", "languages": ["en", "fr"]}}))
    some = options(after({"transcription": {"languages": ["en-US", "fr", "zh-TW"]}}))
    detected = options(after({"transcription": {"language": "", "languages": ["en", "auto"]}}))

    assert (one.transcription.language, one.transcription.languages) == ("de", ())
    assert some.transcription.languages == ("en", "fr", "zh")
    assert some.transcription.scripts == ("Hant-TW",)
    assert (detected.transcription.language, detected.transcription.languages) == (None, ())


def test_what_is_told_may_be_sent_back() -> None:
    changed = after({"turn_detection": None, "noise_reduction": {"type": "near_field"}})

    assert changed.updated(changed.shown("sess_9", 9)).shown("s", 1) == changed.shown("s", 1)


@promises(
    "Live transcription",
    "`noise_reduction`, `create_response`, `interrupt_response`, `idle_timeout_ms`",
    "differs",
    "taken, told and not used: Whisper hears through noise, and nothing here answers",
)
def test_harmless_fields_are_taken_and_told() -> None:
    turns = {"create_response": True, "interrupt_response": False, "idle_timeout_ms": 6000}
    session = after(
        {"turn_detection": turns, "noise_reduction": {"type": "far_field", "strength": 2}},
        {"transcription": {"keywords": [], "languages": ["en", "de", "fr"], "delay": "xhigh"}},
    )

    assert shown(session)["turn_detection"] == {**VAD, **turns}
    assert shown(session)["noise_reduction"] == {"type": "far_field", "strength": 2}
    assert shown(session)["transcription"]["keywords"] == []
    assert shown(session)["transcription"]["languages"] == ["en", "de", "fr"]


def test_each_turn_detection_takes_the_fields_of_the_other() -> None:
    server = after({"turn_detection": {"type": "server_vad", "eagerness": "low"}})
    semantic = after({"turn_detection": {"type": "semantic_vad", "idle_timeout_ms": 6000}})

    assert shown(server)["turn_detection"] == {**VAD, "eagerness": "low"}
    assert isinstance(options(server).turn_detection, ServerVad)
    assert shown(semantic)["turn_detection"]["idle_timeout_ms"] == 6000
    assert options(semantic).turn_detection == SemanticVad()


@promises("Live transcription", "an unknown field: `unknown_parameter`, with its path")
@pytest.mark.parametrize(
    ("update", "path"),
    [
        ({"model": "base"}, "session.model"),
        ({"audio": {"output": {}}}, "session.audio.output"),
        ({"audio": {"input": {"enabled": True}}}, "session.audio.input.enabled"),
        (
            {"audio": {"input": {"transcription": {"enabled": True}}}},
            "session.audio.input.transcription.enabled",
        ),
        (
            {"audio": {"input": {"turn_detection": {"speed": "low"}}}},
            "session.audio.input.turn_detection.speed",
        ),
    ],
)
def test_unknown_fields_are_named(update: Mapping[str, Any], path: str) -> None:
    assert refused(update) == ("unknown_parameter", path)


@promises("Live transcription", "a wrong value: `invalid_value`, with its path")
@pytest.mark.parametrize(
    ("update", "path"),
    [
        ({"type": "realtime"}, "session.type"),
        ({"type": 5}, "session.type"),
        ({"audio": []}, "session.audio"),
        ({"audio": {"input": "pcm16"}}, "session.audio.input"),
        ({"include": ["everything"]}, "session.include[0]"),
        ({"include": "logprobs"}, "session.include"),
        ({"audio": {"input": {"format": "mp3"}}}, "session.audio.input.format"),
        (
            {"audio": {"input": {"format": {"type": "audio/mp3"}}}},
            "session.audio.input.format.type",
        ),
        ({"audio": {"input": {"format": {"rate": 44100}}}}, "session.audio.input.format.rate"),
        ({"audio": {"input": {"format": {"rate": True}}}}, "session.audio.input.format.rate"),
        (
            {"audio": {"input": {"format": {"type": "audio/pcmu", "rate": 16000}}}},
            "session.audio.input.format.rate",
        ),
        ({"audio": {"input": {"format": {"channels": 2}}}}, "session.audio.input.format.channels"),
        (
            {"audio": {"input": {"turn_detection": {"type": "none"}}}},
            "session.audio.input.turn_detection.type",
        ),
        (
            {"audio": {"input": {"turn_detection": {"threshold": 1.5}}}},
            "session.audio.input.turn_detection.threshold",
        ),
        (
            {"audio": {"input": {"turn_detection": {"prefix_padding_ms": -1}}}},
            "session.audio.input.turn_detection.prefix_padding_ms",
        ),
        (
            {"audio": {"input": {"turn_detection": {"silence_duration_ms": "200"}}}},
            "session.audio.input.turn_detection.silence_duration_ms",
        ),
        (
            {"audio": {"input": {"transcription": {"language": "klingon"}}}},
            "session.audio.input.transcription.language",
        ),
        (
            {"audio": {"input": {"transcription": {"languages": ["en", 5]}}}},
            "session.audio.input.transcription.languages[1]",
        ),
        (
            {"audio": {"input": {"transcription": {"prompt": "a" * 20_001}}}},
            "session.audio.input.transcription.prompt",
        ),
        (
            {"audio": {"input": {"transcription": {"delay": "none"}}}},
            "session.audio.input.transcription.delay",
        ),
    ],
)
def test_values_that_cannot_be_served_are_named(update: Mapping[str, Any], path: str) -> None:
    assert refused(update) == ("invalid_value", path)


def test_a_rate_that_is_not_served_is_answered_with_those_that_are() -> None:
    with pytest.raises(ApiError, match="8000, 16000, 24000, 48000"):
        after({"format": {"type": "audio/pcm", "rate": 44100}})


def test_a_refused_update_changes_nothing() -> None:
    session = after({"turn_detection": {"threshold": 0.8}})
    before = session.shown("s", 1)
    half = {"transcription": {"language": "de"}, "turn_detection": {"threshold": 8}}

    assert refused({"audio": {"input": half}}, session)[0] == "invalid_value"
    assert session.shown("s", 1) == before


def test_a_model_that_is_not_served_is_named() -> None:
    def find(model: str) -> str:
        raise ModelNotFoundError(model)

    with pytest.raises(ApiError) as caught:
        after({"transcription": {"model": "none"}}).live_options(find)

    assert caught.value.code == "model_not_found"
    assert caught.value.param == "session.audio.input.transcription.model"
