"""What bfloat16 and int8 cost: tokens and words, against float32 on real weights and speech."""

from __future__ import annotations

from collections.abc import Callable
from difflib import SequenceMatcher

import pytest

from models.audio.load import load
from models.audio.mel import LogMel
from models.engine.config import EngineConfig
from models.engine.engine import Engine
from models.engine.sequence import DecodingResult, Window
from models.engine.start import start_engine
from models.weights import Weights
from tests.speech_clips import clips

CLIPS = [clip for clip in clips() if clip.is_speech and not clip.is_long]


def decode_all(engine: Engine) -> list[DecodingResult]:
    futures = []
    for clip in CLIPS:
        mel = LogMel(load(clip.path), engine.vocabulary.dims.n_mels).window(0)
        futures.append(engine.submit(Window(request=str(clip), mel=mel, language=clip.language)))
    return [future.result(300) for future in futures]


def differing(found: list[list[object]], expected: list[list[object]]) -> float:
    """The share of items that are not the same, in order."""
    same = sum(
        block.size
        for pair in zip(found, expected, strict=True)
        for block in SequenceMatcher(None, *pair, autojunk=False).get_matching_blocks()
    )
    return 1 - same / sum(map(len, expected))


def errors(results: list[DecodingResult]) -> float:
    """The share of the reference's words that are not there."""
    heard = [list[object](result.text.lower().split()) for result in results]
    return differing(heard, [list(clip.text.lower().split()) for clip in CLIPS])


@pytest.mark.parametrize("dtype", ["bfloat16", "int8"])
def test_precision_changes_few_tokens_and_no_accuracy(
    dtype: str, engine: Callable[[str], Engine], weights: Callable[[str], Weights]
) -> None:
    loaded = weights("base")
    packed = start_engine(loaded.dims, loaded.tensors, EngineConfig(device="cpu", dtype=dtype))
    exact, found = decode_all(engine("base")), decode_all(packed)
    alone = packed.submit(
        Window(
            request="alone",
            mel=LogMel(load(CLIPS[0].path), 80).window(0),
            language=CLIPS[0].language,
        )
    ).result(300)
    packed.close()

    tokens = [list[object](result.tokens) for result in found]
    assert differing(tokens, [list(result.tokens) for result in exact]) < 0.08
    assert errors(found) < errors(exact) + 0.01
    if dtype == "int8":  # sums of integers come out the same in any order
        assert alone.tokens == found[0].tokens
