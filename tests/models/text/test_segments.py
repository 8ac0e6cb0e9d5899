"""Segments, held against what openai-whisper's own loop makes of the same tokens."""

from __future__ import annotations

from itertools import count
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from whisper.decoding import DecodingResult
from whisper.model import Whisper
from whisper.transcribe import transcribe

from models.text.segments import TokenSlice, slice_at_timestamps

BEGIN = 50_364
HELLO = 15_947


def cut(tokens: list[int], seek: int = 0, frames: int = 3000) -> tuple[list[TokenSlice], int]:
    return slice_at_timestamps(tokens, seek=seek, frames=frames, timestamp_begin=BEGIN)


def test_cut_pair_ends_a_segment_and_the_rest_waits() -> None:
    cuts, after = cut([BEGIN, HELLO, BEGIN + 50, BEGIN + 50, HELLO])

    assert cuts == [TokenSlice(0.0, 1.0, (BEGIN, HELLO, BEGIN + 50))]
    assert after == 100


def test_cut_single_closing_timestamp_ends_the_window() -> None:
    tokens = [BEGIN, HELLO, BEGIN + 50, BEGIN + 60, HELLO, BEGIN + 100]

    cuts, after = cut(tokens, seek=500)

    assert [(c.start, c.end) for c in cuts] == [(5.0, 6.0), (6.2, 7.0)]
    assert after == 3500


def test_cut_no_pair_is_one_segment_to_the_last_timestamp() -> None:
    assert cut([BEGIN, HELLO, BEGIN + 75], frames=400) == (
        [TokenSlice(0.0, 1.5, (BEGIN, HELLO, BEGIN + 75))],
        400,
    )


def test_cut_no_timestamp_lasts_as_long_as_the_window() -> None:
    assert cut([BEGIN, HELLO], seek=100, frames=250) == (
        [TokenSlice(1.0, 3.5, (BEGIN, HELLO))],
        350,
    )


def test_cut_nothing_sampled_is_an_empty_segment() -> None:
    assert cut([], frames=250) == ([TokenSlice(0.0, 2.5, ())], 250)


@st.composite
def sampled(draw: st.DrawFn) -> list[int]:
    """What a decoder under the timestamp rules may sample: pairs of timestamps around text."""
    tokens, stamp = [BEGIN + draw(st.integers(0, 50))], 0
    stamp = tokens[0]
    for _ in range(draw(st.integers(0, 4))):
        tokens += draw(st.lists(st.integers(0, 40_000), min_size=1, max_size=3))
        stamp += draw(st.integers(1, 300))
        tokens += [stamp, stamp]
    end = draw(st.sampled_from(["pair", "single", "text", "none"]))
    if end == "single":
        tokens += [HELLO, stamp + 1]
    elif end == "text":
        tokens += [HELLO]
    elif end == "none":
        tokens.pop()
    return [min(token, BEGIN + 1500) for token in tokens]


@settings(max_examples=60)
@given(streams=st.lists(sampled(), min_size=1, max_size=3), seconds=st.integers(1, 70))
def test_cut_any_tokens_as_whisper_transcribe(streams: list[list[int]], seconds: int) -> None:
    frames = seconds * 100
    expected = segments_of_whisper(streams, seconds)

    ours, seek, turn = [], 0, 0
    while seek < frames:
        cuts, seek_after = cut(nth(streams, turn), seek=seek, frames=min(3000, frames - seek))
        ours += [(seek, c.start, c.end) for c in cuts]
        seek, turn = seek_after, turn + 1

    assert len(ours) == len(expected)
    assert np.allclose(np.array(ours), np.array(expected), atol=1e-9)


def nth(streams: list[list[int]], turn: int) -> list[int]:
    """The stream of a turn; those that make little or no progress are not gone on with for ever."""
    return streams[turn % len(streams)] if turn < 40 else [HELLO]


def segments_of_whisper(streams: list[list[int]], seconds: int) -> list[tuple[float, ...]]:
    """Seek, start and end of each segment when decoding gives these streams in turn."""
    turns = count()

    def decode(mel: torch.Tensor, options: Any) -> DecodingResult:
        return DecodingResult(
            audio_features=mel,
            language="en",
            tokens=nth(streams, next(turns)),
            avg_logprob=-0.1,
            no_speech_prob=0.0,
            temperature=0.0,
            compression_ratio=1.0,
        )

    model = SimpleNamespace(
        dims=SimpleNamespace(n_mels=80, n_audio_ctx=1500, n_text_ctx=448),
        device=torch.device("cpu"),
        is_multilingual=True,
        num_languages=99,
        decode=decode,
    )
    audio = np.zeros(seconds * 16_000, dtype=np.float32)
    result = transcribe(cast("Whisper", model), audio, language="en", fp16=False)
    return [(s["seek"], s["start"], s["end"]) for s in result["segments"]]
