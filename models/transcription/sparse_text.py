"""Sparse text: timestamps put right where a segment's time has far more speech than its tokens.

Whisper sometimes ends a sentence at a timestamp many sentences later, and leaves those out. Where
its tokens are heard, by dynamic time warping, tells where it really ends; behind that is uncovered
speech.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from models.engine.decoding.sequence import DecodingResult
from models.engine.decoding.vocabulary import Vocabulary
from models.text.segments import TokenSlice
from models.text.speech_edges import SpeechBetween
from models.units import SECONDS_PER_TIMESTAMP

# Seconds that a token takes at most, even of a slow speaker; and of speech beyond that which no
# hesitation has.
_MAX_TOKEN, _BEYOND = 0.8, 3.0
# Seconds that a token takes at least: what is said in less has not been found in the sound.
_MIN_TOKEN = 0.02

# A token and its log-probability.
_Scored = tuple[int, float]


@dataclass(frozen=True)
class SparseText:
    """Finds and moves the sparse slices of a window that begins `offset` seconds into a recording.

    `speech` says how much of it is between two moments, in seconds.
    """

    vocabulary: Vocabulary
    speech: SpeechBetween
    offset: float

    def is_sparse(self, cut: TokenSlice) -> bool:
        """True if a slice with text has seconds of speech that its tokens cannot take."""
        count = sum(map(self._is_text, cut.tokens))
        return count > 0 and self.speech(cut.start, cut.end) > _MAX_TOKEN * count + _BEYOND

    def at_sound(
        self, result: DecodingResult, cuts: Sequence[TokenSlice], starts: Sequence[float]
    ) -> DecodingResult:
        """The window's result with the sparse ones of its slices moved to where they are heard.

        `starts` are as in `DecodingResult`. A slice is divided where its words are far apart. What
        is in no slice, behind the last one, stays as it is.
        """
        scored = list(zip(result.tokens, result.logprobs, strict=True))
        moved: list[_Scored] = []
        for cut in cuts:
            end = cut.first + len(cut.tokens)
            spoken = [pair for pair in scored[cut.first : end] if self._is_text(pair[0])]
            before = sum(map(self._is_text, result.tokens[: cut.first]))
            heard = [self.offset + at for at in starts[before : before + len(spoken) + 1]]
            slices = scored[cut.first : end]
            if self.is_sparse(cut) and _is_found(spoken, heard):
                divided = list(self._divided(cut, spoken, heard))
                # One that took no time would have no text.
                slices = divided if self._all_take_time(divided) else slices
            moved += slices
        moved += scored[sum(len(cut.tokens) for cut in cuts) :]
        tokens, logprobs = zip(*moved, strict=True)
        return replace(result, tokens=tokens, logprobs=logprobs)

    def _divided(
        self, cut: TokenSlice, spoken: Sequence[_Scored], heard: Sequence[float]
    ) -> Iterator[_Scored]:
        """The slice's text in groups that are heard together, each between two timestamps."""
        ends = [min(after, begin + _MAX_TOKEN) for begin, after in pairwise(heard)]
        yield self._stamp(cut, heard[0] if self._is_gap(cut.start, heard[0]) else cut.start)
        for place, pair in enumerate(spoken):
            if place and self._is_gap(ends[place - 1], heard[place]):
                yield self._stamp(cut, ends[place - 1])
                yield self._stamp(cut, heard[place])
            yield pair
        yield self._stamp(cut, ends[-1] if self._is_gap(ends[-1], cut.end) else cut.end)

    def _is_gap(self, start: float, end: float) -> bool:
        return start < end and self.speech(start, end) > _BEYOND

    def _stamp(self, cut: TokenSlice, second: float) -> _Scored:
        place = min(max(second, cut.start), cut.end) - self.offset
        return self.vocabulary.timestamp_begin + round(place / SECONDS_PER_TIMESTAMP), 0.0

    def _all_take_time(self, divided: Sequence[_Scored]) -> bool:
        stamps = [token for token, _ in divided if not self._is_text(token)]
        return all(start < end for start, end in zip(stamps[::2], stamps[1::2], strict=True))

    def _is_text(self, token: int) -> bool:
        return token < self.vocabulary.eot


def _is_found(spoken: Sequence[_Scored], heard: Sequence[float]) -> bool:
    """True if tokens are heard in the sound at all."""
    return len(heard) == len(spoken) + 1 and heard[-1] - heard[0] >= _MIN_TOKEN * len(spoken)
