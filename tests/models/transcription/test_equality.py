"""Token for token: the engine against openai-whisper, a clip of each language and all English ones.

The others of `base`, and long recordings, are compared in tests/fidelity.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from whisper.model import Whisper

from models.audio.mel import LogMel
from models.engine.decoding.sequence import Window
from models.engine.engine import Engine
from tests.against_whisper import (
    FIRST,
    SHORT,
    assert_decodes_as_whisper,
    decoded,
    samples_of,
)
from tests.speech_clips import Clip


@pytest.mark.parametrize("clip", FIRST, ids=str)
def test_base_clip_tokens_equal_whisper_decode(
    clip: Clip,
    engine: Callable[[str], Engine],
    reference: Callable[[str], Whisper],
) -> None:
    assert_decodes_as_whisper(engine("base"), reference("base"), clip)


@pytest.mark.parametrize("clip", [c for c in SHORT if c.language in ("en", "none")], ids=str)
def test_tiny_en_clip_tokens_equal_whisper_decode(
    clip: Clip,
    engine: Callable[[str], Engine],
    reference: Callable[[str], Whisper],
) -> None:
    assert_decodes_as_whisper(engine("tiny.en"), reference("tiny.en"), clip)


@pytest.mark.parametrize("task", ["transcribe", "translate"])
def test_task_first_window_tokens_equal_whisper_decode(
    task: str,
    engine: Callable[[str], Engine],
    reference: Callable[[str], Whisper],
) -> None:
    clip = next(clip for clip in SHORT if clip.language == "de")
    mel = LogMel(samples_of(clip.path), 80).window(0)
    expected = decoded(reference("base"), mel, language="de", task=task)

    window = Window(request=task, audio=mel, language="de", task=task)  # type: ignore[arg-type]

    assert list(engine("base").submit(window).result(120).tokens) == expected.tokens


def test_prompt_tokens_equal_whisper_decode(
    engine: Callable[[str], Engine], reference: Callable[[str], Whisper]
) -> None:
    clip = next(clip for clip in SHORT if clip.language == "en")
    mel = LogMel(samples_of(clip.path), 80).window(0)
    prompt = "FELLOW AMERICANS, THE COUNTRY. " * 60
    expected = decoded(reference("base"), mel, language="en", prompt=prompt)

    previous = engine("base").vocabulary.encode(" " + prompt.strip())
    window = Window(request="prompt", audio=mel, language="en", previous=previous)

    assert list(engine("base").submit(window).result(120).tokens) == expected.tokens
