"""Segment edges snapped to the speech that the voice activity detector finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from models.text.transcript import Segment

# Seconds of speech between two times in seconds.
SpeechBetween = Callable[[float, float], float]

# Half a frame of the voice detector: how near an edge is looked for, in seconds.
_NEAR = 0.016
# More characters than anybody says in a second: then the detector has missed speech.
_CHARACTERS_PER_SECOND = 25.0


def at_speech(segment: Segment, speech: SpeechBetween, slack: float) -> Segment:
    """The segment, begun and ended with its speech where it is off by more than `slack` seconds.

    Whisper's first timestamp is often the start of its window, however late the speech begins. A
    segment keeps its times if it has words, which have theirs, if the detector finds no speech in
    it, or too little for its text.
    """
    if segment.words or not speech(segment.start, segment.end):
        return segment
    start, end = speech_edges(segment.start, segment.end, speech)
    if len(segment.text) > _CHARACTERS_PER_SECOND * (end - start):
        return segment
    return replace(
        segment,
        start=start if start - segment.start > slack else segment.start,
        end=end if segment.end - end > slack else segment.end,
    )


def speech_edges(start: float, end: float, speech: SpeechBetween) -> tuple[float, float]:
    """When speech begins and ends between two times that have some, by bisection."""
    silent, voiced = start, end
    while voiced - silent > _NEAR:
        middle = (silent + voiced) / 2
        silent, voiced = (silent, middle) if speech(start, middle) else (middle, voiced)
    onset = round(silent, 2)
    voiced, silent = start, end
    while silent - voiced > _NEAR:
        middle = (silent + voiced) / 2
        voiced, silent = (middle, silent) if speech(middle, end) else (voiced, middle)
    return onset, round(silent, 2)
