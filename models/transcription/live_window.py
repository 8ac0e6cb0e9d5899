"""Live window: what a live turn asks of a model, and what it is told (light: no torch)."""

from __future__ import annotations

from dataclasses import dataclass

from models.audio.samples import Samples
from models.engine.decoding.sequence import Prefix
from models.options import TranscribeOptions
from models.text.transcript import TokenScore


@dataclass(frozen=True, eq=False)
class LiveWindow:
    """At most 30 s of a turn, whose text begins with `prefix` and follows the tokens `history`.

    `speech_seconds` are those in which somebody speaks. The `language` is detected if it is None.
    One that `is_final` is decoded with every guard and at every temperature, as a short recording;
    others once, as updates.
    """

    samples: Samples
    options: TranscribeOptions
    language: str | None
    history: tuple[int, ...]
    prefix: Prefix
    speech_seconds: float
    is_final: bool


@dataclass(frozen=True)
class LiveText:
    """The text of a live window, its prefix included.

    `scores` are the tokens', of timestamps None; `starts` as in `DecodingResult`, but behind a loop
    that was cut off. The text ends at `end`, in seconds, by its last timestamp if that is its last
    token. It `is_loop` if it repeats itself beyond what can have been said.
    """

    language: str
    tokens: tuple[int, ...]
    logprobs: tuple[float, ...]
    scores: tuple[TokenScore | None, ...]
    starts: tuple[float, ...]
    end: float
    is_loop: bool
