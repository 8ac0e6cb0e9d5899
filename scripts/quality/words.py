"""Word-time distances: from openai-whisper's, and from known bounds of speech."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from statistics import median
from typing import Any

import numpy as np
from tqdm import tqdm
from whisper.model import Whisper

from models.audio.load.load_audio import load
from models.audio.samples import Samples
from models.audio.vad.silero import BLOCK, Silero, SileroStream, load_silero
from models.audio.vad.speech_spans import Span, SpanFinder
from models.options import TranscribeOptions, VoiceOptions, WordTimes
from models.text.transcript import Word
from models.text.words import bare
from models.units import SAMPLE_RATE
from scripts.bench.ours import Ours
from scripts.shared.manifest import Clip

# Between joined clips: long enough to be heard as a pause, short enough for one window.
_PAUSE = 0.7
# A word belongs to the clip in which its middle lies, or that is no farther away.
_NEAR = 0.3

# Samples and their language to words.
Words = Callable[[Samples, str], list[Word]]


@dataclass(frozen=True)
class Distances:
    """Seconds between the starts, and the ends, of what is compared."""

    starts: list[float]
    ends: list[float]

    def row(self) -> list[str]:
        """Count, and medians and 90th percentiles in milliseconds."""
        cells = [
            f"{1000 * np.quantile(side, share):.0f}" if side else "-"
            for side in (self.starts, self.ends)
            for share in (0.5, 0.9)
        ]
        return [str(len(self.starts)), *cells]


@dataclass(frozen=True)
class ClipWords:
    """The words of each clip, and how far they are from where speech is known to be."""

    words: list[list[Word]]
    from_bounds: Distances


def word_times(listen: Words, clips: Sequence[Clip], name: str) -> ClipWords:
    """Words that one side finds in the clips."""
    found = [listen(load(clip.path), clip.language) for clip in tqdm(clips, name, unit="clip")]
    return ClipWords(found, from_known_bounds(listen, clips, load_silero()))


def between(ours: Sequence[Word], theirs: Sequence[Word]) -> Distances:
    """For the words that both have, in the same order."""
    own, other = ([bare(word.text).lower() for word in side] for side in (ours, theirs))
    blocks = SequenceMatcher(None, own, other, autojunk=False).get_matching_blocks()
    pairs = [(ours[b.a + n], theirs[b.b + n]) for b in blocks for n in range(b.size)]
    starts = [abs(a.start - b.start) for a, b in pairs]
    return Distances(starts, [abs(a.end - b.end) for a, b in pairs])


def joined_distances(distances: Sequence[Distances]) -> Distances:
    """All of them."""
    return Distances(
        [value for each in distances for value in each.starts],
        [value for each in distances for value in each.ends],
    )


def words_of(ours: Ours, samples: Samples, language: str, times: WordTimes = "heard") -> list[Word]:
    """Our words, with the times that are served or openai-whisper's."""
    options = TranscribeOptions(language=language, word_timestamps=True, word_times=times)
    transcript = asyncio.run(ours.transcriber.transcribe_samples(samples, options))
    return [word for segment in transcript.segments for word in segment.words]


def words_of_whisper(model: Whisper, samples: Samples, language: str) -> list[Word]:
    """openai-whisper's words."""
    result: dict[str, Any] = model.transcribe(
        samples,
        language=language,
        word_timestamps=True,
        condition_on_previous_text=False,
        fp16=False,
    )
    return [
        Word(word["word"], float(word["start"]), float(word["end"]), float(word["probability"]))
        for segment in result["segments"]
        for word in segment["words"]
    ]


def from_known_bounds(words: Words, clips: Sequence[Clip], detector: Silero) -> Distances:
    """Of the first and last word of each clip, in recordings joined of a few clips.

    Where speech begins and ends in a clip is what the voice detector says of it alone: in frames of
    32 ms, and for the end rather too late.
    """
    groups = [clips[first : first + 4] for first in range(0, len(clips), 4)]
    return joined_distances([_from_bounds(words, group, detector) for group in groups])


def _from_bounds(words: Words, clips: Sequence[Clip], detector: Silero) -> Distances:
    samples, bounds = _join(clips, detector)
    found = words(samples, clips[0].language)
    starts, ends = [], []
    for start, end in bounds:
        own = [w for w in found if start - _NEAR <= (w.start + w.end) / 2 <= end + _NEAR]
        if own:
            starts.append(abs(own[0].start - start))
            ends.append(abs(own[-1].end - end))
    return Distances(starts, ends)


def _join(clips: Sequence[Clip], detector: Silero) -> tuple[Samples, list[tuple[float, float]]]:
    """The clips' speech with pauses between, and when each begins and ends."""
    pause = np.zeros(int(_PAUSE * SAMPLE_RATE), np.float32)
    pieces, bounds, length = [pause], [], len(pause)
    for clip in clips:
        samples = load(clip.path)
        spans = _spans(samples, detector)
        spoken = samples[spans[0].start : spans[-1].end]
        bounds.append((length / SAMPLE_RATE, (length + len(spoken)) / SAMPLE_RATE))
        pieces += [spoken, pause]
        length += len(spoken) + len(pause)
    return np.concatenate(pieces), bounds


def _spans(samples: Samples, detector: Silero) -> list[Span]:
    stream, finder = SileroStream(detector), SpanFinder(VoiceOptions())
    blocks = [samples[start : start + BLOCK] for start in range(0, len(samples), BLOCK)]
    return finder.feed(np.concatenate(list(map(stream.feed, blocks))), len(samples))


def cost(ours: Ours, clips: Sequence[Clip], rounds: int) -> float:
    """Cost of word times as a share of the time without them; the median of some rounds."""
    return median(_cost(ours, clips) for _ in range(rounds))


def _cost(ours: Ours, clips: Sequence[Clip]) -> float:
    plain, timed = (_seconds(ours, clips, has_words=has_words) for has_words in (False, True))
    return timed / plain - 1


def _seconds(ours: Ours, clips: Sequence[Clip], *, has_words: bool) -> float:
    async def one(clip: Clip) -> None:
        options = TranscribeOptions(
            language=clip.language, temperature=(0.0,), word_timestamps=has_words
        )
        await ours.transcript(clip.path, options)

    started = time.perf_counter()
    asyncio.run(ours.each(clips, one))
    return time.perf_counter() - started
