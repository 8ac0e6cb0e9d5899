"""Repetition guard: tells real repetition from decoding loops, by the seconds of speech."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from models.engine.decoding.sequence import DecodingResult
from models.options import TranscribeOptions
from models.text.loops import Loop, loop_at_end
from models.transcription.quality_checks import (
    is_repetitive,
    is_unlikely,
    needs_no_fallback,
    says_nothing,
)

# More than anybody says in a second: of subtitles 17 are as many as can be read.
_CHARACTERS_PER_SECOND = 25.0
# By which the voice detector and the timestamps of a text may differ, in seconds.
_SLACK = 0.5
# A loop that goes on for longer does not end: twice what is said in a second, and a beginning.
_TOKENS_PER_SECOND, _BEGINNING = 4.0, 24
# By how much more probable a loop has to be than a text without one.
_MARGIN = 1.5
# A window has much speech with a second of it or, if it is short, with a third of its length, but
# with half a second at least: as none of 150 sounds and pieces of music without speech has.
_MUCH, _MUCH_SHARE, _LITTLE = 1.0, 1 / 3, 0.5
# Tokens of the longest text, and its end (half the context of every Whisper).
_LONGEST = 225


def can_be_said(options: TranscribeOptions, loop: Loop, characters: int, seconds: float) -> bool:
    """True if a loop of so many characters can have been said in so many seconds of speech."""
    if options.loop_threshold is None:
        return True
    seconds += _SLACK
    is_speakable = characters <= _CHARACTERS_PER_SECOND * seconds
    return is_speakable and loop.times <= options.loop_threshold * seconds


@dataclass(frozen=True)
class RepetitionGuard:
    """Weighs the texts of a window against the `seconds` of speech in it.

    `eot` is the vocabulary's end-of-text: what is below is text. The window has `length` seconds.
    """

    options: TranscribeOptions
    eot: int
    seconds: float
    length: float

    def accepts(self, result: DecodingResult) -> bool:
        """True if a window needs no temperature fallback: see `Window`.

        A likely text that repeats itself as people can needs none: a hotter one would only leave
        some of it out. What is to be known better its parts tell.
        """
        if needs_no_fallback(self.options, result):
            return True
        is_guarded = self.options.loop_threshold is not None
        return is_guarded and self._is_likely_said(result)

    def says_nothing(self, result: DecodingResult) -> bool:
        """True if a window's text is to be dropped.

        Gibberish at another temperature is no sign of noise in a window with much speech, or where
        the text is a likely one that repeats itself as people can. A loop is, where there is no
        speech at all.
        """
        if self._has_much_speech or self._is_likely_said(result):
            result = replace(result, min_logprob=result.avg_logprob)
        is_loop = not self.seconds and self.doubt(result) == 1.0
        return is_loop or says_nothing(self.options, result)

    def prefer(self, result: DecodingResult) -> tuple[float, ...]:
        """The rank of a result among those that are not good: see `Window`.

        What is hopelessly improbable comes last, and before it what was given up, as it could not
        be accepted: it has no end, is no loop and no first attempt. A loop that cannot have been
        said comes behind a text without one, unless that is far less probable.
        """
        is_gibberish = self._is_gibberish(result)
        is_loop = self.doubt(result) == 1.0 and not is_gibberish
        is_first = result.temperature == self.options.temperature[0]
        is_given_up = not (result.is_whole or is_loop or is_first)
        return (
            float(not is_gibberish),
            float(not is_given_up),
            result.avg_logprob - _MARGIN * is_loop,
        )

    def is_hopeless(self, tokens: Sequence[int], logprob: float) -> bool:
        """True if a text of this log-probability repeats for too long, or is to be refused."""
        minimum = self.options.logprob_threshold
        if minimum is not None and logprob < min(minimum, 0.0) * _LONGEST:
            return True
        loop = self._loop(tokens)
        limit = _BEGINNING + _TOKENS_PER_SECOND * self.seconds
        return self.options.loop_threshold is not None and loop is not None and loop.length > limit

    def doubt(self, result: DecodingResult) -> float:
        """The doubt in a text for its repetition: 0, 0.5 or 1.

        Nothing is wrong; it repeats itself, as people can; or it cannot have been said.
        """
        # Of what comes to an end the last time may end otherwise: in a full stop.
        loop = self._loop(result.tokens) or self._loop(result.tokens, but=1)
        if self._is_gibberish(result):
            return 1.0
        if loop is None and not is_repetitive(self.options, result):
            return 0.0
        said = loop or Loop(0, max(1, len(result.tokens)), len(result.tokens))
        is_possible = can_be_said(self.options, said, len(result.text), self.seconds)
        return 0.5 if result.is_whole and is_possible else 1.0

    @property
    def _has_much_speech(self) -> bool:
        return self.seconds >= min(_MUCH, max(_LITTLE, _MUCH_SHARE * self.length))

    def _is_likely_said(self, result: DecodingResult) -> bool:
        return not is_unlikely(self.options, result) and self.doubt(result) == 0.5

    def _loop(self, tokens: Sequence[int], but: int = 0) -> Loop | None:
        """The loop at the end of the text, `but` for its last so many tokens."""
        spoken = [token for token in tokens if token < self.eot]
        return loop_at_end(spoken[: len(spoken) - but])

    def _is_gibberish(self, result: DecodingResult) -> bool:
        minimum = self.options.drop_logprob_threshold
        return minimum is not None and result.avg_logprob < minimum
