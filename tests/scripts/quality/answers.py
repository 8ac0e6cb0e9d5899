"""Results made by hand, for the tests of what is made of them."""

from __future__ import annotations

from pathlib import Path

from scripts.quality.answer import Answer, Result, answer
from scripts.shared.manifest import Clip


def result(
    clip: Clip,
    ours: str,
    reference: str | None = None,
    unguarded: str | None = None,
    detected: tuple[str | None, str | None] = (None, None),
) -> Result:
    """The result with these texts, and the languages that we and openai-whisper detected."""

    def made(text: str | None, language: str | None = None) -> Answer | None:
        return None if text is None else answer(clip, text, language, ())

    own, theirs = detected
    return Result(clip, answer(clip, ours, own, ()), made(unguarded), made(reference, theirs))


def clip(
    text: str = "sun moon sea sky",
    language: str = "en",
    kind: str = "read",
    seconds: float = 6.0,
    name: str = "a.flac",
) -> Clip:
    """A clip of which no file is needed."""
    return Clip(Path(name), text, language, seconds, kind)
