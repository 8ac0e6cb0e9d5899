"""Segments with far more speech than text, put where their tokens are heard."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from models.checkpoints.catalogue import find_checkpoint
from models.engine.decoding.sequence import DecodingResult
from models.engine.decoding.vocabulary import Vocabulary
from models.text.segments import slice_at_timestamps
from models.transcription.sparse_text import SparseText

BASE = find_checkpoint("base")
assert BASE is not None
VOCABULARY = Vocabulary(BASE.dims)
BEGIN = VOCABULARY.timestamp_begin
# A window of 28 s that begins 10 s into the recording.
SEEK, FRAMES = 1000, 2800
FIRST, SECOND = " It was the best of times.", " It was the worst."


def always(start: float, end: float) -> float:
    return end - start


def stamp(seconds: float) -> int:
    """The timestamp of a moment of the window."""
    return BEGIN + round(seconds / 0.02)


def result_of(*parts: float | str) -> DecodingResult:
    """What a window says: its timestamps and texts."""
    tokens: list[int] = []
    for part in parts:
        tokens += VOCABULARY.encode(part) if isinstance(part, str) else [stamp(part)]
    logprobs = tuple(-number / 100 for number in range(len(tokens)))
    return DecodingResult("en", tuple(tokens), logprobs, "", -0.1, 0.0, 0.0, 1.0)


def moved(result: DecodingResult, starts: Sequence[float]) -> list[float | str]:
    """Timestamps in seconds and texts, once sparse slices are where they are heard."""
    sparse = SparseText(VOCABULARY, always, offset=SEEK / 100)
    cuts, _ = slice_at_timestamps(result.tokens, seek=SEEK, frames=FRAMES, timestamp_begin=BEGIN)
    found = sparse.at_sound(result, cuts, starts)
    assert len(found.logprobs) == len(found.tokens)
    parts: list[float | str] = []
    for token in found.tokens:
        if token >= BEGIN:
            parts.append(round((token - BEGIN) * 0.02, 2))
        elif parts and isinstance(parts[-1], str):
            parts[-1] += VOCABULARY.decode([token])
        else:
            parts.append(VOCABULARY.decode([token]))
    return parts


def spoken(text: str, begin: float, apart: float = 0.2) -> list[float]:
    """Where a text's tokens begin, the same time apart."""
    return [begin + apart * number for number in range(len(VOCABULARY.encode(text)))]


def test_a_text_that_ends_far_behind_its_words_ends_with_them() -> None:
    result = result_of(0.0, FIRST, 28.0)
    starts = [*spoken(FIRST, 0.4), 20.0]
    # The last token is heard from 1.6 on, and no token takes more than 0.8 s.
    assert moved(result, starts) == [0.0, FIRST, 2.4]


def test_a_text_that_begins_far_before_its_words_begins_with_them() -> None:
    result = result_of(0.0, FIRST, 28.0)
    assert moved(result, [*spoken(FIRST, 24.0), 25.4]) == [24.0, FIRST, 28.0]


def test_a_text_with_much_speech_between_its_words_is_divided() -> None:
    result = result_of(0.0, FIRST + SECOND, 28.0)
    starts = [*spoken(FIRST, 0.4), *spoken(SECOND, 26.0), 27.0]
    assert moved(result, starts) == [0.0, FIRST, 2.4, 26.0, SECOND, 28.0]


def test_only_sparse_slices_are_moved_and_what_is_in_none_stays() -> None:
    result = result_of(0.0, FIRST, 2.0, 2.0, SECOND, 22.0, 22.0, FIRST)
    starts = [*spoken(FIRST, 9.0), *spoken(SECOND, 3.0), *spoken(FIRST, 23.0), 25.0]
    assert moved(result, starts) == [0.0, FIRST, 2.0, 2.0, SECOND, 4.6, 22.0, FIRST]


def test_a_text_without_a_timestamp_behind_it_gets_one() -> None:
    result = result_of(0.0, FIRST)
    assert moved(result, [*spoken(FIRST, 0.4), 28.0]) == [0.0, FIRST, 2.4]


def test_a_text_that_is_heard_outside_of_its_time_stays() -> None:
    # Clamped to the slice it would take no time, and have no text.
    result = result_of(0.0, SECOND, 6.0, 6.0, FIRST, 28.0)
    early = [*spoken(SECOND, 0.0), *spoken(FIRST, 3.0), 4.4]
    assert moved(result, early) == [0.0, SECOND, 6.0, 6.0, FIRST, 28.0]


def test_a_text_whose_last_token_would_be_alone_and_take_no_time_stays() -> None:
    result = result_of(0.0, FIRST, 28.0)
    starts = [*spoken(FIRST, 0.4)[:-1], 20.0, 20.0]
    assert moved(result, starts) == [0.0, FIRST, 28.0]


@pytest.mark.parametrize("starts", [[], [3.0], [5.0] * 8])
def test_a_text_that_is_not_found_in_the_sound_stays(starts: list[float]) -> None:
    assert len(VOCABULARY.encode(FIRST)) == 7
    assert moved(result_of(0.0, FIRST, 28.0), starts) == [0.0, FIRST, 28.0]


@pytest.mark.parametrize(
    ("end", "speech", "sparse"),
    [(8.6, 8.6, False), (8.6, 0.0, False), (8.7, 8.7, True), (28.0, 8.6, False)],
)
def test_sparse_is_speech_of_three_seconds_more_than_its_tokens_can_take(
    end: float, speech: float, sparse: bool
) -> None:
    result = result_of(0.0, FIRST, end)
    [cut], _ = slice_at_timestamps(result.tokens, seek=0, frames=3000, timestamp_begin=BEGIN)
    assert SparseText(VOCABULARY, lambda *_: speech, 0.0).is_sparse(cut) is sparse


def test_a_slice_without_text_is_never_sparse() -> None:
    [cut], _ = slice_at_timestamps([BEGIN], seek=0, frames=3000, timestamp_begin=BEGIN)
    assert not SparseText(VOCABULARY, always, 0.0).is_sparse(cut)
