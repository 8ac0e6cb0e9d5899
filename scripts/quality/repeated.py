"""Repeated-word clips by synthesized voices, and counts of the word in a text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from models.units import SAMPLE_RATE
from scripts.quality.answer import Result
from scripts.quality.conditions import write
from scripts.quality.markdown import section, table
from scripts.quality.spoken import Voice, at_our_rate
from scripts.shared.manifest import Clip

WORDS = ("hello", "no", "one", "seven", "please")
PAUSE_SECONDS = 0.3
_WORD = re.compile(r"\d|[^\W\d_]+")
_COUNTED = (
    "Words in the texts for one word that is said so many times, with pauses of 0.3 s. *Right* are "
    "the clips with as many as were said; *fewer* those where ours has fewer of them than "
    "openai-whisper's text."
)


def repeated_clips(voices: Sequence[Voice], counts: Sequence[int], folder: Path) -> Iterator[Clip]:
    """Each word in each voice, so many times; files in the folder."""
    pause = np.zeros(round(PAUSE_SECONDS * SAMPLE_RATE), np.float32)
    for voice in voices:
        for word in WORDS:
            if (said := voice.say(f"{word.capitalize()}.")) is None:
                continue
            once = np.concatenate([at_our_rate(said), pause])
            for count in counts:
                path = folder / f"{voice.name} {word} {count}.wav"
                write(path, np.tile(once, count))
                text = " ".join([word] * count)
                yield Clip(path, text, voice.language, count * len(once) / SAMPLE_RATE, voice.name)


def words_in(text: str) -> int:
    """Number of words in a text; each digit is one."""
    return len(_WORD.findall(text))


def repetition(results: Sequence[Result]) -> str:
    """The section with a row for each voice and word."""
    rows: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        rows.setdefault((result.clip.kind, _said(result).split()[0]), []).append(result)
    counts = ["said", "ours", "openai-whisper"]
    head = ["voice", "word", *counts, "ours right", "theirs right", "fewer"]
    return section("Repetition", _COUNTED, table(head, [_row(*i) for i in rows.items()], texts=2))


def fewer(results: Sequence[Result]) -> list[Result]:
    """Clips where ours has fewer of the words said than the reference."""
    return [result for result in results if _is_fewer(result)]


def _row(name: tuple[str, str], results: Sequence[Result]) -> list[str]:
    said = [words_in(_said(result)) for result in results]
    own = [words_in(result.ours.text) for result in results]
    theirs = [words_in(result.reference.text) if result.reference else 0 for result in results]
    listed = [" ".join(map(str, counts)) for counts in (said, own, theirs)]
    right = [
        str(sum(a == b for a, b in zip(said, counts, strict=True))) for counts in (own, theirs)
    ]
    return [*name, *listed, *right, str(len(fewer(results)))]


def _is_fewer(result: Result) -> bool:
    if result.reference is None:
        return False
    expected = min(words_in(result.reference.text), words_in(_said(result)))
    return words_in(result.ours.text) < expected


def _said(result: Result) -> str:
    return result.clip.text or ""
