"""Our answers: through `Transcriber`, a few clips at once, as the server gives them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial

from tqdm import tqdm

from models.checkpoints.catalogue import WINDOW_SECONDS
from models.options import TranscribeOptions
from models.text.transcript import Transcript
from scripts.bench.ours import Ours
from scripts.quality.answer import Answer, answer, asks_language, told_language
from scripts.shared.manifest import Clip


def transcribe(ours: Ours, clips: Sequence[Clip]) -> list[Answer]:
    """The answers with the options that a request has by default."""
    return _each(ours, clips, partial(_hear, ours), "ours")


def transcribe_in_known_language(ours: Ours, clips: Sequence[Clip], name: str) -> list[Answer]:
    """The same, where a language is told and never asked for."""
    return _each(ours, clips, partial(_hear_told, ours), name)


def transcribe_unguarded(ours: Ours, clips: Sequence[Clip]) -> list[Answer]:
    """The answers where nothing is dropped or decoded again."""
    return _each(ours, clips, partial(_hear_unguarded, ours), "ours without guards")


def without_guards(options: TranscribeOptions) -> TranscribeOptions:
    """The options without what drops text or decodes it again."""
    return replace(
        options,
        compression_ratio_threshold=None,
        logprob_threshold=None,
        no_speech_threshold=None,
        drop_logprob_threshold=None,
        drop=frozenset(),
    )


def _each(
    ours: Ours, clips: Sequence[Clip], work: Callable[[Clip], Awaitable[Answer]], name: str
) -> list[Answer]:
    with tqdm(total=len(clips), desc=name, unit="clip") as bar:

        async def one(clip: Clip) -> Answer:
            found = await work(clip)
            bar.update()
            return found

        return asyncio.run(ours.each(clips, one))


async def _hear(ours: Ours, clip: Clip) -> Answer:
    options = TranscribeOptions(strategy=ours.setup.strategy)
    told = replace(options, language=told_language(clip))
    if not (asks_language(clip) and ours.engine.vocabulary.dims.is_multilingual):
        return _answer(clip, await ours.transcript(clip.path, told), None)
    transcript = await ours.transcript(clip.path, options)
    detected = transcript.language
    # told the language that it finds by itself, a window gives the same text
    if detected != clip.language or clip.seconds > WINDOW_SECONDS:
        transcript = await ours.transcript(clip.path, told)
    return _answer(clip, transcript, detected)


async def _hear_told(ours: Ours, clip: Clip) -> Answer:
    options = TranscribeOptions(language=told_language(clip), strategy=ours.setup.strategy)
    return _answer(clip, await ours.transcript(clip.path, options), None)


async def _hear_unguarded(ours: Ours, clip: Clip) -> Answer:
    options = TranscribeOptions(language=told_language(clip), strategy=ours.setup.strategy)
    return _answer(clip, await ours.transcript(clip.path, without_guards(options)), None)


def _answer(clip: Clip, transcript: Transcript, detected: str | None) -> Answer:
    return answer(clip, transcript.text, detected, map(vars, transcript.segments))
