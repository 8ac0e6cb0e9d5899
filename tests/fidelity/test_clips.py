"""Token for token: clips with `base` against openai-whisper."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from whisper.model import Whisper

from models.engine.engine import Engine
from tests.against_whisper import FIRST, SHORT, assert_decodes_as_whisper
from tests.speech_clips import Clip


@pytest.mark.parametrize("clip", [clip for clip in SHORT if clip not in FIRST][::2], ids=str)
def test_base_clip_tokens_equal_whisper_decode(
    clip: Clip,
    engine: Callable[[str], Engine],
    reference: Callable[[str], Whisper],
) -> None:
    assert_decodes_as_whisper(engine("base"), reference("base"), clip)
