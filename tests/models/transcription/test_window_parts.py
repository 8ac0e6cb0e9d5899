"""A window that loops, decoded again in parts: which parts there are, and whose text is taken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, cast

import pytest
import torch

from models.checkpoints.catalogue import find_checkpoint
from models.engine.decoding.sequence import DecodingResult, Window
from models.engine.decoding.vocabulary import Vocabulary
from models.engine.engine import Engine
from models.options import TranscribeOptions
from models.request_stats import RequestStats
from models.text.speech_edges import SpeechBetween
from models.transcription.transcription_context import TranscriptionContext
from models.transcription.window_parts import DecodedPart, PartDecoder

BASE = find_checkpoint("base")
assert BASE is not None
VOCABULARY = Vocabulary(BASE.dims)
# A window of 16 s that begins 10 s into the recording; somebody speaks all the time.
SEEK, FRAMES = 1000, 1600
OPTIONS = TranscribeOptions(language="en")
Answer = Callable[[Window], DecodingResult]


def always(start: float, end: float) -> float:
    return end - start


def text(words: str, times: int, frames: int, **changes: Any) -> DecodingResult:
    """Words so many times, from the window's start to its end."""
    begin = VOCABULARY.timestamp_begin
    tokens = (begin, *VOCABULARY.encode(words * times), begin + frames // 2)
    result = DecodingResult(
        language="en",
        tokens=tokens,
        logprobs=(-0.1,) * len(tokens),
        text=(words * times).strip(),
        avg_logprob=-0.1,
        no_speech_prob=0.0,
        temperature=0.0,
        compression_ratio=1.0 if times < 6 else 5.0,
    )
    return replace(result, **changes)


def endless(frames: int) -> DecodingResult:
    return text(" one,", 100, frames, is_whole=False)


def gibberish(frames: int) -> DecodingResult:
    return text(" blorf", 1, frames, avg_logprob=-4.0)


class Fake:
    """An engine that answers as it is told, and the windows that it was given."""

    vocabulary = VOCABULARY
    takes_samples = False

    def __init__(self, answer: Answer) -> None:
        self.windows: list[Window] = []
        self._answer = answer

    def submit(self, window: Window) -> Future[DecodingResult]:
        self.windows.append(window)
        future: Future[DecodingResult] = Future()
        future.set_result(self._answer(window))
        return future


def parts_of(
    answer: Answer,
    whole: DecodingResult,
    options: TranscribeOptions = OPTIONS,
    speech: SpeechBetween = always,
) -> tuple[PartDecoder, list[DecodedPart], list[Window]]:
    engine = Fake(answer)
    context = TranscriptionContext(cast(Engine, engine), options, RequestStats())
    mel = torch.arange(3000.0).repeat(80, 1)
    window = Window("r", mel, FRAMES, previous=(1, 2), temperatures=options.temperature)
    parts = PartDecoder(context, speech, slack=0.5)
    found = asyncio.run(parts.split(DecodedPart(window, SEEK, FRAMES, whole)))
    return parts, found, engine.windows


def test_a_window_without_a_loop_is_left_as_it_is() -> None:
    good = text(" It was the best of times, it was the worst of times.", 2, FRAMES)
    _, found, windows = parts_of(lambda _: good, good)
    assert [part.result for part in found] == [good]
    assert windows == []


def test_halves_are_decoded_without_what_came_before_and_at_the_first_temperature() -> None:
    _, found, windows = parts_of(lambda w: text(" one,", 4, w.frames), endless(FRAMES))

    assert [(part.seek, part.frames) for part in found] == [(1000, 800), (1800, 800)]
    assert {(w.previous, w.temperatures, w.language) for w in windows} == {((), (0.0,), "en")}
    first, second = (w.audio[0] for w in windows)
    assert first[:800].tolist() == list(range(800))
    assert second[:800].tolist() == list(range(800, 1600))
    assert {*first[800:].tolist(), *second[800:].tolist()} == {0.0}


def test_samples_are_divided_as_well() -> None:
    engine = Fake(lambda w: text(" one,", 4, w.frames))
    parts = PartDecoder(
        TranscriptionContext(cast(Engine, engine), OPTIONS, RequestStats()), always, slack=0.5
    )
    window = Window("r", torch.arange(256_000.0), FRAMES)
    asyncio.run(parts.split(DecodedPart(window, SEEK, FRAMES, endless(FRAMES))))
    assert [w.audio.tolist() for w in engine.windows] == [
        list(range(128_000)),
        list(range(128_000, 256_000)),
    ]


def test_parts_meet_in_the_pause_next_to_the_middle() -> None:
    def speech(start: float, end: float) -> float:
        """Pauses at 12, at 17 and at 23 s."""
        pauses = [(12.0, 12.4), (17.0, 17.4), (23.0, 23.4)]
        return end - start - sum(max(0.0, min(end, b) - max(start, a)) for a, b in pauses)

    answer: Answer = lambda w: text(" one,", 4, w.frames)  # noqa: E731
    _, (first, second), _ = parts_of(answer, endless(FRAMES), speech=speech)
    assert 1700 <= second.seek <= 1740
    assert first.end == second.seek


def test_a_half_that_loops_is_divided_again_but_not_for_ever() -> None:
    _, found, windows = parts_of(
        lambda w: endless(w.frames) if w.frames > 400 else text(" one,", 4, w.frames),
        endless(FRAMES),
    )
    assert [part.frames for part in found] == [400] * 4
    assert len(windows) == 6


def test_what_loops_all_over_keeps_its_words_once() -> None:
    whole = endless(FRAMES)
    parts, found, windows = parts_of(lambda w: endless(w.frames), whole)
    assert [part.result for part in found] == [whole]
    assert len(windows) == 6
    assert [s.text for s in parts.cut(found).segments] == [" one,"]


def test_gibberish_is_no_better_than_a_loop() -> None:
    whole = endless(FRAMES)
    _, found, _ = parts_of(lambda w: gibberish(w.frames), whole)
    assert [part.result for part in found] == [whole]


@pytest.mark.parametrize("times", [9, 12, 16])
def test_repetition_that_halves_do_not_show_better_is_kept(times: int) -> None:
    whole = text(" one,", times, FRAMES)
    parts, found, _ = parts_of(lambda w: endless(w.frames), whole)
    assert [part.result for part in found] == [whole]
    assert [(s.text, s.flags) for s in parts.cut(found).segments] == [
        (" one," * times, ("repetition",))
    ]


def test_a_sparse_text_is_fed_again_to_be_found_in_the_sound() -> None:
    whole = text(" Hello.", 1, FRAMES, temperature=0.6)
    heard = replace(whole, starts=(1.0, 1.4, 1.6))
    _, found, windows = parts_of(lambda _: heard, whole)

    [window] = windows
    assert (window.prefix.tokens, window.prefix.logprobs) == (whole.tokens, whole.logprobs)
    assert (window.language, window.temperatures, window.word_timestamps) == ("en", (0.0,), True)
    [part] = found
    begin = VOCABULARY.timestamp_begin
    assert part.result.tokens == (begin, *VOCABULARY.encode(" Hello."), begin + 80)
    assert not part.result.starts


def test_a_sparse_text_whose_times_are_known_is_not_fed_again() -> None:
    whole = text(" Hello.", 1, FRAMES, starts=(1.0, 1.4, 1.6))
    _, [part], windows = parts_of(lambda _: whole, whole)
    assert windows == []
    assert part.result.tokens[-1] == VOCABULARY.timestamp_begin + 80


def test_a_sparse_text_that_broke_off_is_left_as_it_is() -> None:
    # It may be longer than what can be fed.
    whole = text(" Hello.", 1, FRAMES, is_whole=False)
    _, found, windows = parts_of(lambda _: whole, whole)
    assert ([part.result for part in found], windows) == ([whole], [])


def test_the_window_behind_a_sparse_text_begins_where_it_would_have() -> None:
    begin = VOCABULARY.timestamp_begin
    hello = VOCABULARY.encode(" Hello.")
    tokens = (begin, *hello, begin + 700, begin + 700)
    whole = text("", 1, FRAMES, tokens=tokens, logprobs=(-0.1,) * len(tokens))
    heard = replace(whole, starts=(1.0, 1.4, 1.6))
    parts, found, _ = parts_of(lambda _: heard, whole)
    cut = parts.cut(found)

    # Else a song without words would be decoded a word at a time.
    assert (cut.text_spans, cut.next_seek) == (((10.0, 11.6),), SEEK + 1400)


def test_nothing_is_decoded_again_where_loops_are_kept_or_nobody_speaks() -> None:
    off = replace(OPTIONS, loop_threshold=None)
    assert parts_of(lambda w: endless(w.frames), endless(FRAMES), off)[2] == []
    assert parts_of(lambda w: endless(w.frames), endless(FRAMES), speech=lambda *_: 0.0)[2] == []


def test_cut_is_the_parts_texts_flagged_in_their_own_time() -> None:
    parts, found, _ = parts_of(lambda w: text(" one,", 4, w.frames + 100), endless(FRAMES))
    cut = parts.cut(found)
    assert [(s.start, s.end) for s in cut.segments] == [(10.0, 18.0), (18.0, 26.0)]
    assert {(s.text, s.flags) for s in cut.segments} == {(" one," * 4, ("repetition",))}
    assert cut.next_seek == SEEK + FRAMES
    assert cut.text_spans == ((10.0, 19.0), (18.0, 27.0))


def test_cut_leaves_out_the_parts_where_that_is_asked_for() -> None:
    options = replace(OPTIONS, drop=frozenset({"repetition"}))
    parts, found, _ = parts_of(lambda w: text(" one,", 4, w.frames), endless(FRAMES), options)
    assert parts.cut(found).segments == ()


def test_cut_a_part_that_says_nothing_has_no_text() -> None:
    def answer(window: Window) -> DecodingResult:
        is_first = float(window.audio[0, 0]) == 0.0
        found = text(" one,", 4, window.frames)
        return found if is_first else replace(found, avg_logprob=-1.5, no_speech_prob=0.9)

    parts, found, _ = parts_of(answer, endless(FRAMES))
    cut = parts.cut(found)
    assert [(s.start, s.end) for s in cut.segments] == [(10.0, 18.0)]
    assert cut.next_seek == SEEK + FRAMES
