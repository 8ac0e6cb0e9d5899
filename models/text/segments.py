"""Slices of tokens between timestamps, as openai-whisper makes them (whisper/transcribe.py)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from models.units import FRAMES_PER_SECOND, FRAMES_PER_TIMESTAMP, SECONDS_PER_TIMESTAMP


@dataclass(frozen=True)
class TokenSlice:
    """A segment's tokens and its times in seconds from the start of the recording.

    `first` is where in the window's tokens they begin.
    """

    start: float
    end: float
    tokens: tuple[int, ...]
    first: int = 0


def slice_at_timestamps(
    tokens: Sequence[int], *, seek: int, frames: int, timestamp_begin: int
) -> tuple[list[TokenSlice], int]:
    """Cut the tokens of the window at frame `seek` that holds `frames` frames of the recording.

    Segments end where two timestamps meet. Text after the last pair is left to the next window,
    unless a single timestamp closes it.

    Returns:
        The slices, and the frame where the next window starts.
    """
    is_timestamp = [token >= timestamp_begin for token in tokens]
    ends = [i for i in range(1, len(tokens)) if is_timestamp[i - 1] and is_timestamp[i]]
    closed = is_timestamp[-2:] == [False, True]
    offset = seek / FRAMES_PER_SECOND

    def seconds(token: int) -> float:
        return offset + (token - timestamp_begin) * SECONDS_PER_TIMESTAMP

    if not ends:
        stamps = [token for token in tokens if token > timestamp_begin]
        end = seconds(stamps[-1]) if stamps else offset + frames / FRAMES_PER_SECOND
        return [TokenSlice(offset, end, tuple(tokens))], seek + frames
    if closed:
        ends.append(len(tokens))
    cuts = [
        TokenSlice(seconds(tokens[a]), seconds(tokens[b - 1]), tuple(tokens[a:b]), a)
        for a, b in zip([0, *ends], ends, strict=False)
    ]
    if closed:
        return cuts, seek + frames
    return cuts, seek + (cuts[-1].tokens[-1] - timestamp_begin) * FRAMES_PER_TIMESTAMP


def text_of(cut: TokenSlice, tokens: Sequence[int], decode: Callable[[Sequence[int]], str]) -> str:
    """The text of a slice's tokens; empty where it takes no time, or where that is only space."""
    text = decode(tokens)
    return text if cut.start != cut.end and text.strip() else ""
