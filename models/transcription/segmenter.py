"""Segmenter: a window's tokens to segments with words, without loops and silence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from collections.abc import Sequence as Seq
from dataclasses import dataclass, replace
from itertools import accumulate

from models.checkpoints.catalogue import attention_lead
from models.engine.decoding.sequence import DecodingResult
from models.engine.decoding.vocabulary import Vocabulary
from models.options import TranscribeOptions
from models.text.loops import Loop, loop_at_end
from models.text.segments import TokenSlice, slice_at_timestamps, text_of
from models.text.speech_edges import SpeechBetween, speech_edges
from models.text.transcript import Segment, TokenScore
from models.text.word_boundaries import Span, WindowBounds, moved
from models.text.word_durations import with_words
from models.text.words import CLOSING, UNSPACED, split_words
from models.transcription.quality_checks import is_spoken, segment_flags
from models.transcription.repetition import can_be_said
from models.units import FRAMES_PER_SECOND

# Seconds by which Whisper's timestamps may miss the speech.
_SLACK = 0.5

# The pauses of a window, in seconds from its start.
FindPauses = Callable[[], Seq[Span]]


@dataclass(frozen=True)
class SegmentedWindow:
    """A window's segments, with ids of 0, and the frame where the next window starts.

    `text_spans` are where it has text, by timestamps, in seconds of the recording.
    """

    segments: tuple[Segment, ...]
    next_seek: int
    text_spans: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class _Piece:
    """The kept tokens of a slice; `before` is the number of the window's text tokens ahead."""

    cut: TokenSlice
    tokens: tuple[int, ...]
    logprobs: tuple[float, ...]
    before: int
    is_loop: bool


@dataclass(frozen=True)
class Segmenter:
    """Cuts the windows of one recording."""

    vocabulary: Vocabulary
    options: TranscribeOptions

    def cut(
        self,
        result: DecodingResult,
        seek: int,
        frames: int,
        speech: SpeechBetween,
        pauses: FindPauses | None = None,
    ) -> SegmentedWindow:
        """The text of the window at frame `seek` that holds `frames` frames of the recording.

        Words are moved to their sound, between the window's `pauses`.
        """
        begin = self.vocabulary.timestamp_begin
        cuts, next_seek = slice_at_timestamps(
            result.tokens, seek=seek, frames=frames, timestamp_begin=begin
        )
        if placed := self._placed(cuts, seek, frames, speech):
            cuts, next_seek = [placed], seek + frames
        pieces = list(self._pieces(cuts, result, speech))
        segments = [self._segment(piece, result, seek, speech) for piece in pieces]
        text_spans = tuple((segment.start, segment.end) for segment in segments if segment.text)
        if result.starts:
            segments = _timed(segments, pieces, result, seek / FRAMES_PER_SECOND)
            if pauses and self.options.word_times == "heard":
                segments = self._moved(segments, seek, frames, pauses())
        return SegmentedWindow(tuple(filter(self._is_wanted, segments)), next_seek, text_spans)

    def _placed(
        self, cuts: Seq[TokenSlice], seek: int, frames: int, speech: SpeechBetween
    ) -> TokenSlice | None:
        """The only text of a window moved to the window's speech, where its timestamps are at none.

        Behind a long silence Whisper may put a sentence at the window's beginning.
        """
        window = seek / FRAMES_PER_SECOND, (seek + frames) / FRAMES_PER_SECOND
        if len(cuts) != 1 or speech(*window) < _SLACK:
            return None
        if speech(cuts[0].start - _SLACK, cuts[0].end + _SLACK) > 0:
            return None
        start, end = speech_edges(*window, speech)
        return replace(cuts[0], start=start, end=end)

    def _pieces(
        self, cuts: Seq[TokenSlice], result: DecodingResult, speech: SpeechBetween
    ) -> Iterator[_Piece]:
        """Each slice without what repeats in a loop at the window's end."""
        tokens, eot = result.tokens, self.vocabulary.eot
        spoken = [token for token in tokens if token < eot]
        before = [0, *accumulate(token < eot for token in tokens)]
        limit, loop = len(spoken), loop_at_end(spoken)
        if loop and not self._is_real(loop, result, cuts, before, speech):
            limit = self._closed(spoken, loop.before + loop.period)
        for cut in cuts:
            places = range(cut.first, cut.first + len(cut.tokens))
            first, end = before[places.start], before[places.stop]
            if first >= limit and end > first:
                continue
            kept = [place for place in places if tokens[place] >= eot or before[place] < limit]
            yield _Piece(
                cut,
                tuple(tokens[place] for place in kept),
                tuple(result.logprobs[place] for place in kept),
                first,
                is_loop=limit < len(spoken) and first < limit <= end,
            )

    def _is_real(
        self,
        loop: Loop,
        result: DecodingResult,
        cuts: Seq[TokenSlice],
        before: Seq[int],
        speech: SpeechBetween,
    ) -> bool:
        """True if a loop comes to an end, and there is speech for it in the slices that have it."""
        if self.options.loop_threshold is None:
            return True
        having = [cut for cut in cuts if before[cut.first + len(cut.tokens)] > loop.before]
        if not (having and result.is_whole):
            return False
        seconds = speech(having[0].start - _SLACK, having[-1].end + _SLACK)
        spoken = [token for token in result.tokens if token < self.vocabulary.eot]
        text = self.vocabulary.decode(spoken[loop.before :])
        return can_be_said(self.options, loop, len(text), seconds)

    def _closed(self, spoken: Seq[int], limit: int) -> int:
        """The number of text tokens to keep: `limit`, and the punctuation behind it."""
        while limit < len(spoken) and self.vocabulary.decode(spoken[limit : limit + 1]) in CLOSING:
            limit += 1
        return limit

    def _segment(
        self, piece: _Piece, result: DecodingResult, seek: int, speech: SpeechBetween
    ) -> Segment:
        start, end = piece.cut.start, piece.cut.end
        text = text_of(piece.cut, piece.tokens, self.vocabulary.decode)
        scores = tuple(self._scores(piece)) if text else ()
        seconds = speech(start - _SLACK, end + _SLACK)
        is_speech = is_spoken(result, [score.logprob for score in scores], seconds)
        flags = segment_flags(self.options, result, is_loop=piece.is_loop, is_speech=is_speech)
        return Segment(
            id=0,
            seek=seek,
            start=start,
            end=end,
            text=text,
            tokens=piece.tokens if text else (),
            temperature=result.temperature,
            avg_logprob=result.avg_logprob,
            compression_ratio=result.compression_ratio,
            no_speech_prob=result.no_speech_prob,
            scores=scores,
            language=result.language,
            flags=tuple(flags) if text else (),
        )

    def _scores(self, piece: _Piece) -> Iterator[TokenScore]:
        for token, logprob in zip(piece.tokens, piece.logprobs, strict=True):
            if token < self.vocabulary.eot:
                yield TokenScore(self.vocabulary.data(token), logprob)

    def _moved(
        self, segments: Seq[Segment], seek: int, frames: int, pauses: Seq[Span]
    ) -> list[Segment]:
        start, end = seek / FRAMES_PER_SECOND, (seek + frames) / FRAMES_PER_SECOND
        silent = [(start + first, start + after) for first, after in pauses]
        lead = attention_lead(self.vocabulary.dims)
        return moved(segments, WindowBounds(start, end, silent), lead, self.options.lead_in)

    def _is_wanted(self, segment: Segment) -> bool:
        return not self.options.drop.intersection(segment.flags)


def _timed(
    segments: Seq[Segment], pieces: Seq[_Piece], result: DecodingResult, offset: float
) -> list[Segment]:
    starts = [offset + start for start in result.starts]
    is_spaced = result.language not in UNSPACED
    words = [
        split_words(segment.scores, starts[piece.before :], is_spaced=is_spaced)
        for segment, piece in zip(segments, pieces, strict=True)
    ]
    return with_words(segments, words, offset)
