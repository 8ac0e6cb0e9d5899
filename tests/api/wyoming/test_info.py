"""Tests of the answer to `describe`."""

from __future__ import annotations

import pytest
from wyoming.event import Event as TheirEvent
from wyoming.info import Info

from api.wyoming.framing import MAX_DATA
from api.wyoming.info import OfferedModel, info
from models.language.language_tags import find_language

OFFERED = [
    OfferedModel("base", is_multilingual=True),
    OfferedModel("tiny.en", is_multilingual=False),
]


def test_official_client_understands_it() -> None:
    event = info(OFFERED, "1.2.3")
    [program] = Info.from_event(TheirEvent(event.type, dict(event.data))).asr

    assert (program.name, program.version, program.installed) == ("whisper-bento", "1.2.3", True)
    assert program.supports_transcript_streaming
    assert [model.name for model in program.models] == ["base", "tiny.en"]
    assert all(model.installed for model in program.models)
    assert program.models[1].languages == ["en"]


def test_it_has_every_member_that_is_required() -> None:
    data = info(OFFERED, "1.2.3").data

    assert set(data) == {"asr", "tts", "handle", "intent", "wake", "mic", "snd"}
    assert all(data[name] == [] for name in set(data) - {"asr"})
    for artifact in [data["asr"][0], *data["asr"][0]["models"]]:
        assert {"name", "description", "attribution", "installed", "version"} <= set(artifact)
        assert set(artifact["attribution"]) == {"name", "url"}


@pytest.mark.parametrize("code", OFFERED[0].languages)
def test_language_that_is_offered_is_taken(code: str) -> None:
    assert find_language(code)


def test_languages_of_home_assistant_are_offered() -> None:
    assert {"de", "en", "fil", "fr", "nb", "zh"} < set(OFFERED[0].languages)


def test_many_models_fit_into_an_event() -> None:
    event = info([OfferedModel(f"model-{n}", is_multilingual=True) for n in range(100)], "1.2.3")

    assert len(event.to_bytes()) < MAX_DATA
