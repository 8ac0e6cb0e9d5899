"""Transcription context: a recording's options, language and prompts, and its engine windows."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace

from models.audio.mel import Mel
from models.engine.decoding.sequence import LaneName, Window
from models.engine.engine import Engine
from models.errors import OptionError
from models.options import MAX_CHARACTERS, TranscribeOptions
from models.request_stats import RequestStats
from models.transcription.language_vote import ChooseLanguage
from models.transcription.repetition import RepetitionGuard
from models.transcription.segmenter import Segmenter
from models.units import FRAMES_PER_SECOND


class TranscriptionContext:
    """What all windows of one recording share.

    `language` is the one asked for or, once it is known, the one detected. One that `is_long` lets
    the short ones of others go before, and a background job all others; of one that `is_live`
    somebody reads the text as it comes.

    Raises:
        OptionError: the hot words leave too little room for text.
    """

    def __init__(
        self,
        engine: Engine,
        options: TranscribeOptions,
        stats: RequestStats,
        *,
        is_live: bool = False,
    ) -> None:
        self.engine, self.options, self.stats = engine, options, stats
        self.vocabulary = engine.vocabulary
        self.language = options.language
        if not self.vocabulary.dims.is_multilingual:
            self.language = "en"
        self.segmenter = Segmenter(self.vocabulary, options)
        self.request = uuid.uuid4().hex
        self.is_long, self.is_live = False, is_live
        self._prompt = self._prompt_tokens()
        self._carried = self._carried_tokens()
        stats.prompt_tokens = len(self._previous(self.first_history()))

    def first_history(self) -> tuple[int, ...]:
        """The text before the first window: the prompt, unless every window is given it."""
        return () if self.options.carry_initial_prompt else self._prompt

    def window(
        self,
        mel: Mel,
        seek: int,
        history: tuple[int, ...],
        language: str | ChooseLanguage,
        *,
        in_short_lane: bool = False,
    ) -> Window:
        """The window at frame `seek` of the features, to be decoded after the tokens `history`.

        In a language, or in the one chosen by probability. One `in_short_lane` goes with those of
        short recordings.
        """
        window = Window(
            request=self.request,
            audio=mel.window(seek),
            frames=mel.content(seek),
            task=self.options.task,
            previous=self._previous(history),
            temperatures=self.options.temperature,
            lane=self._lane(in_short_lane=in_short_lane),
            word_timestamps=self.options.word_timestamps,
            stats=self.stats,
        )
        if isinstance(language, str):
            return replace(window, language=language)
        return replace(window, choose_language=language)

    def repetition(self, seconds: float, frames: int) -> RepetitionGuard:
        """The guard over texts for so many seconds of speech in a window of so many frames."""
        length = frames / FRAMES_PER_SECOND
        return RepetitionGuard(self.options, self.vocabulary.eot, seconds, length)

    def with_guard(self, window: Window, seconds: float) -> Window:
        """The window with a guard over its texts, for so many seconds of speech."""
        guard = self.repetition(seconds, window.frames)
        return replace(
            window, accept=guard.accepts, prefer=guard.prefer, is_hopeless=guard.is_hopeless
        )

    def _lane(self, *, in_short_lane: bool) -> LaneName:
        if self.options.is_job:
            return "job"
        return "background" if self.is_long and not in_short_lane else "short"

    def _previous(self, history: tuple[int, ...]) -> tuple[int, ...]:
        return _last(self.vocabulary.prompt_limit, self._carried, history)

    def _prompt_tokens(self) -> tuple[int, ...]:
        text = self.options.initial_prompt
        return self.vocabulary.encode((" " + text.strip())[-MAX_CHARACTERS:]) if text else ()

    def _carried_tokens(self) -> tuple[int, ...]:
        """The prompt tokens of every window: keywords, and the initial prompt if it is carried."""
        prompt = self._prompt if self.options.carry_initial_prompt else ()
        return _last(self.vocabulary.prompt_limit, self._keyword_tokens(), prompt)

    def _keyword_tokens(self) -> tuple[int, ...]:
        limit = self.vocabulary.prompt_limit // 2
        if self.options.trim_keywords:
            return self._keywords_that_fit(limit)
        words = ", ".join(self.options.keywords)
        if len(words) > MAX_CHARACTERS:
            raise _too_long(f"{len(words)} characters, and {limit} tokens fit")
        tokens = self._listed(self.options.keywords)
        if len(tokens) > limit:
            raise _too_long(f"{len(tokens)} tokens, and {limit} fit")
        return tokens

    def _keywords_that_fit(self, limit: int) -> tuple[int, ...]:
        """The tokens of the first keywords that fit together."""
        fitting: tuple[int, ...] = ()
        for count in range(1, len(self.options.keywords) + 1):
            words = self.options.keywords[:count]
            if sum(map(len, words)) > MAX_CHARACTERS:
                return fitting
            tokens = self._listed(words)
            if len(tokens) > limit:
                return fitting
            fitting = tokens
        return fitting

    def _listed(self, words: Sequence[str]) -> tuple[int, ...]:
        return self.vocabulary.encode(f" {', '.join(words)}.") if any(words) else ()


def _too_long(measured: str) -> OptionError:
    return OptionError("keywords", f"keywords are too long: {measured}.")


def _last(limit: int, kept: tuple[int, ...], tokens: tuple[int, ...]) -> tuple[int, ...]:
    """All that is kept, and as many of the last tokens as fit behind it."""
    return kept + tokens[max(0, len(tokens) - limit + len(kept)) :]
