"""Turns that are spoken and heard as a script says, without an engine."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.live.agreement import AgreementPolicy
from models.live.live_turn import Decoding, LiveTurn
from models.live.whole_turn import WholeTurn
from models.text.transcript import TokenScore
from models.transcription.live_window import LiveText
from tests.models.live.speaking import STAMP, options

SECOND = 16_000
MEDIUM = AgreementPolicy(SECOND, SECOND)


def speak(turn: LiveTurn | WholeTurn, seconds: float, *, is_speech: bool = True) -> None:
    for _ in range(round(seconds * 10)):
        turn.append(np.ones(SECOND // 10, np.int16), is_speech=is_speech)


def turn_of(seconds: float) -> LiveTurn:
    turn = LiveTurn(0, options(), MEDIUM)
    speak(turn, seconds)
    return turn


def text(
    *words: str,
    ends: float | None = None,
    is_loop: bool = False,
    begins: Sequence[float] | None = None,
) -> LiveText:
    """Words of half a second each, or that begin at these seconds; the last of those is an end."""
    scores = (None, *(TokenScore(f" {word}".encode(), -0.1) for word in words))
    tokens = (STAMP, *(sum(word.encode()) for word in words))
    starts = tuple(begins or [0.5 * n for n in range(len(words) + 1)]) if words else ()
    end = (starts or (0.0,))[-1] if ends is None else ends
    return LiveText("en", tokens, (-0.1,) * len(tokens), scores, starts, end, is_loop)


def hear(turn: LiveTurn, heard: LiveText, now: float = 0.0) -> None:
    """Decode what is next, as this."""
    decoding = turn.next_decoding(now)
    assert isinstance(decoding, Decoding)
    turn.begin(decoding, now)
    turn.hear(decoding, heard, now)


def numbered(count: int) -> list[str]:
    return [f"w{number}" for number in range(count)]
