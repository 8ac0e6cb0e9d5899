"""What both strategies do with a window: make it, and put its text in the recording's time."""

from __future__ import annotations

import uuid
from collections.abc import Sequence as Seq
from dataclasses import dataclass, replace
from functools import partial

from models.audio.mel import Mel
from models.engine.engine import Engine
from models.engine.sequence import DecodingResult, Window
from models.guards import is_good
from models.options import TranscribeOptions
from models.text.pace import with_words
from models.text.segments import FRAMES_PER_SECOND, Cut, cut_at_timestamps, drop_empty
from models.text.transcript import Segment, TokenScore, Word
from models.text.words import UNSPACED, split_words


@dataclass(frozen=True)
class CutWindow:
    """A window's segments, and the frame of the recording where its text ended."""

    segments: tuple[Segment, ...]
    after: int


class Recording:
    """One recording on its way through the engine.

    `language` is the one asked for or, once a window has been decoded, the one detected. One that
    `is_long` lets the short ones of others go before; of one that `is_live` somebody reads the
    text as it comes.
    """

    def __init__(
        self, engine: Engine, options: TranscribeOptions, *, is_live: bool = False
    ) -> None:
        self.engine, self.options = engine, options
        self.vocabulary = engine.vocabulary
        self.language = options.language
        self.request = uuid.uuid4().hex
        self.is_long, self.is_live = False, is_live
        self._accept = partial(is_good, options)

    def prompt(self) -> tuple[int, ...]:
        """The tokens of the prompt that the request gave."""
        text = self.options.initial_prompt
        return self.vocabulary.encode(" " + text.strip()) if text else ()

    def window(
        self, mel: Mel, seek: int, previous: tuple[int, ...], *, hurries: bool = False
    ) -> Window:
        """The window at frame `seek` of a log-mel, to be decoded after the tokens `previous`.

        One that `hurries` goes with those of short recordings.
        """
        return Window(
            request=self.request,
            mel=mel.window(seek),
            frames=mel.content(seek),
            task=self.options.task,
            language=self.language,
            previous=previous,
            temperatures=self.options.temperature,
            accept=self._accept,
            is_background=self.is_long and not hurries,
            word_timestamps=self.options.word_timestamps,
        )

    def cut(self, result: DecodingResult, seek: int, frames: int) -> CutWindow:
        """The text of the window at frame `seek` that holds `frames` frames; ids are all 0."""
        cuts, after = cut_at_timestamps(
            result.tokens,
            seek=seek,
            frames=frames,
            timestamp_begin=self.vocabulary.timestamp_begin,
        )
        segments: list[Segment] = []
        for cut in cuts:
            text, tokens = drop_empty(cut, self.vocabulary.decode)
            logprobs = result.logprobs[cut.first : cut.first + len(tokens)]
            segments.append(
                Segment(
                    id=0,
                    seek=seek,
                    start=cut.start,
                    end=cut.end,
                    text=text,
                    tokens=tokens,
                    temperature=result.temperature,
                    avg_logprob=result.avg_logprob,
                    compression_ratio=result.compression_ratio,
                    no_speech_prob=result.no_speech_prob,
                    scores=self._scores(tokens, logprobs),
                )
            )
        if result.starts:
            segments = self._timed(segments, cuts, result, seek)
        return CutWindow(tuple(segments), after)

    def _timed(
        self, segments: Seq[Segment], cuts: Seq[Cut], result: DecodingResult, seek: int
    ) -> list[Segment]:
        offset, is_spaced = seek / FRAMES_PER_SECOND, result.language not in UNSPACED
        starts = [offset + start for start in result.starts]
        words: list[list[Word]] = []
        for segment, cut in zip(segments, cuts, strict=True):
            before = sum(token < self.vocabulary.eot for token in result.tokens[: cut.first])
            words.append(split_words(segment.scores, starts[before:], is_spaced=is_spaced))
        return with_words(segments, words, offset)

    def _scores(self, tokens: Seq[int], logprobs: Seq[float]) -> tuple[TokenScore, ...]:
        pairs = zip(tokens, logprobs, strict=True)
        eot, data = self.vocabulary.eot, self.vocabulary.data
        return tuple(TokenScore(data(token), score) for token, score in pairs if token < eot)


def numbered(segment: Segment, number: int) -> Segment:
    """The segment with its place in the recording."""
    return replace(segment, id=number)
