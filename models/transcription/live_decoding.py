"""Decoding of live windows: updates of a turn that is still spoken, and final texts."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial

from models.engine.decoding.sequence import DecodingResult, Prefix, Window
from models.engine.decoding.vocabulary import Vocabulary
from models.engine.engine import Engine
from models.request_stats import RequestStats
from models.text.loops import loop_at_end
from models.text.transcript import TokenScore
from models.transcription.features import features
from models.transcription.language_vote import most_probable
from models.transcription.live_window import LiveText, LiveWindow
from models.transcription.reader_threads import ReaderThreads
from models.transcription.repetition import RepetitionGuard
from models.transcription.transcription_context import TranscriptionContext
from models.units import SECONDS_PER_TIMESTAMP


async def decode_live(
    engine: Engine, threads: ReaderThreads, live: LiveWindow, stats: RequestStats
) -> LiveText:
    """The text of a live window; cancelled, it leaves the engine before the next step.

    Raises:
        OptionError: this checkpoint cannot do what is asked.
        EngineStoppedError: the engine has been closed.
        DecodingError: it has failed.
    """
    options = replace(live.options, word_timestamps=True)
    context = TranscriptionContext(engine, options, stats)
    loop = asyncio.get_running_loop()
    make = partial(_window, context, live)
    window, guard = await loop.run_in_executor(threads.first, make)
    result = await asyncio.wrap_future(engine.submit(window))
    return _text(result, guard, engine.vocabulary, window.prefix)


def _window(context: TranscriptionContext, live: LiveWindow) -> tuple[Window, RepetitionGuard]:
    mel = features(context.engine, live.samples)
    history = live.history or context.first_history()
    choose = partial(most_probable, among=live.options.languages)
    window = context.window(mel, 0, history, context.language or choose)
    window = replace(window, prefix=_timed(live.prefix, context.vocabulary))
    guard = context.repetition(live.speech_seconds, window.frames)
    window = context.with_guard(window, live.speech_seconds)
    if live.is_final:
        return window, guard
    once = replace(window, lane="live", temperatures=live.options.temperature[:1])
    return replace(once, accept=lambda _: True), guard


def _timed(prefix: Prefix, vocabulary: Vocabulary) -> Prefix:
    """A prefix with the timestamp that every text begins with."""
    begin = vocabulary.timestamp_begin
    if not prefix.tokens or prefix.tokens[0] >= begin:
        return prefix
    return Prefix((begin, *prefix.tokens), (0.0, *prefix.logprobs))


def _text(
    result: DecodingResult, guard: RepetitionGuard, vocabulary: Vocabulary, prefix: Prefix
) -> LiveText:
    """The result as far as it is speech: behind the prefix no loop, and nothing that noise says."""
    is_loop = guard.doubt(result) == 1.0
    kept = len(result.tokens)
    if guard.says_nothing(result):
        kept = len(prefix.tokens)
    elif is_loop:
        kept = max(len(prefix.tokens), _before_loop(result.tokens, vocabulary.eot))
    tokens, logprobs = result.tokens[:kept], result.logprobs[:kept]
    scores = tuple(
        TokenScore(vocabulary.data(token), logprob) if token < vocabulary.eot else None
        for token, logprob in zip(tokens, logprobs, strict=True)
    )
    spoken = sum(score is not None for score in scores)
    starts = result.starts[: spoken + 1] if spoken else ()
    end = _end(tokens, starts, vocabulary.timestamp_begin)
    return LiveText(result.language, tokens, logprobs, scores, starts, end, is_loop)


def _end(tokens: tuple[int, ...], starts: tuple[float, ...], begin: int) -> float:
    if tokens and tokens[-1] >= begin:
        return (tokens[-1] - begin) * SECONDS_PER_TIMESTAMP
    return starts[-1] if starts else 0.0


def _before_loop(tokens: tuple[int, ...], eot: int) -> int:
    """The place behind what a loop at the end says the first time; the end where there is none."""
    places = [place for place, token in enumerate(tokens) if token < eot]
    loop = loop_at_end([tokens[place] for place in places])
    if loop is None:
        return len(tokens)
    return places[loop.before + loop.period - 1] + 1
