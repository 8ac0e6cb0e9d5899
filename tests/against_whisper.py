"""One window of a recording: what the engine makes of it against what openai-whisper does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from torch import Tensor
from whisper.decoding import DecodingResult, decode
from whisper.model import Whisper

from models.audio.load.load_audio import load
from models.audio.mel import LogMel
from models.audio.samples import Samples
from models.engine.decoding.sequence import Window
from models.engine.engine import Engine
from tests.speech_clips import Clip, clips

SHORT = [clip for clip in clips() if not clip.is_long]
# The first of each language, and the first without any.
FIRST = list({clip.language: clip for clip in reversed(SHORT)}.values())
# Two float32 programs that add in another order: scores agree to about the fifth digit.
ROUNDING = 1e-3


def samples_of(path: Path) -> Samples:
    with path.open("rb") as file:
        return load(file)


def decoded(reference: Whisper, mel: Tensor, **options: Any) -> DecodingResult:
    """What `whisper.decode` makes of one window in float32."""
    result = decode(reference, mel, fp16=False, **options)
    assert isinstance(result, DecodingResult)
    return result


def assert_decodes_as_whisper(engine: Engine, reference: Whisper, clip: Clip) -> None:
    mel = LogMel(samples_of(clip.path), reference.dims.n_mels).window(0)
    language = None if reference.is_multilingual else "en"
    expected = decoded(reference, mel, language=language)

    result = engine.submit(Window(request=str(clip), audio=mel)).result(120)

    assert list(result.tokens) == expected.tokens
    assert result.text == expected.text
    assert result.language == expected.language
    assert result.avg_logprob == pytest.approx(expected.avg_logprob, abs=ROUNDING)
    assert result.no_speech_prob == pytest.approx(expected.no_speech_prob, abs=ROUNDING)
    assert result.compression_ratio == expected.compression_ratio
