"""Synthesized speech whose words are known to the sample: sentences, and recordings of several."""

from __future__ import annotations

import io
import json
import wave
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Protocol

import numpy as np

from models.audio.load.load_audio import load
from models.audio.samples import Samples
from models.text.transcript import Word
from models.units import SAMPLE_RATE

Span = tuple[float, float]

# A sentence is left out where the voice begins by so many seconds elsewhere than it says.
_SLACK = 0.1
# Decibels below the loudest frame of 5 ms, from which on a frame is sound.
_SILENCE = 30.0
_FRAME = SAMPLE_RATE // 200
# Between joined sentences: seconds, and the amplitude of the noise there.
_PAUSE, _NOISE = 0.8, 3e-4
_DASHES = str.maketrans("-\u2013\u2014", "   ")


@dataclass(frozen=True)
class Utterance:
    """A sentence as a voice says it: 16-bit samples, and each word's start and end in seconds."""

    pcm: bytes
    rate: int
    spans: list[Span]


class Voice(Protocol):
    """Speaks sentences of a language."""

    name: str
    language: str

    def say(self, text: str) -> Utterance | None:
        """The sentence; None where the voice cannot tell when it says its words."""
        ...


@dataclass(frozen=True)
class Spoken:
    """A recording and its words, as `Word`s with a probability of 1."""

    samples: Samples
    language: str
    words: list[Word]


@cache
def sentences(language: str) -> tuple[str, ...]:
    """Our own sentences: without digits, and with as many words as there are between blanks."""
    all_of_them = json.loads((Path(__file__).parent / "sentences.json").read_text("utf-8"))
    return tuple(all_of_them.get(language, ()))


def spoken_by(voice: Voice, texts: Sequence[str]) -> list[Spoken]:
    """The sentences of which the voice says as many words as are written, when it says it does."""
    found = (_spoken(voice, text) for text in texts)
    return [each for each in found if each is not None and _begins_as_said(each)]


def _spoken(voice: Voice, text: str) -> Spoken | None:
    said = voice.say(text)
    words = text.translate(_DASHES).split()
    if said is None or len(said.spans) != len(words):
        return None
    timed = [Word(word, *span, 1.0) for word, span in zip(words, said.spans, strict=True)]
    return Spoken(at_our_rate(said), voice.language, timed)


def at_our_rate(said: Utterance) -> Samples:
    """Samples at 16 kHz."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(said.rate)
        out.writeframes(said.pcm)
    file.seek(0)
    return load(file)


def _begins_as_said(spoken: Spoken) -> bool:
    frames = len(spoken.samples) // _FRAME
    power = np.square(spoken.samples[: frames * _FRAME].reshape(frames, _FRAME)).mean(1)
    if not frames or not power.any():
        return False
    is_sound = power > power.max() * 10 ** (-_SILENCE / 10)
    onset = float(np.argmax(is_sound)) * _FRAME / SAMPLE_RATE
    return abs(onset - spoken.words[0].start) <= _SLACK


def joined(parts: Sequence[Spoken]) -> Spoken:
    """One recording of all, with pauses of faint noise around each."""
    noise = np.random.default_rng(0).normal(0, _NOISE, int(_PAUSE * SAMPLE_RATE))
    pause = noise.astype(np.float32)
    pieces, words, length = [pause], [], len(pause)
    for part in parts:
        at = length / SAMPLE_RATE
        words += [replace(w, start=w.start + at, end=w.end + at) for w in part.words]
        pieces += [part.samples, pause]
        length += len(part.samples) + len(pause)
    return Spoken(np.concatenate(pieces), parts[0].language, words)
