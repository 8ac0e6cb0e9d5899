"""The repetition guard: plausible repetition, early stopping, and the ranking of attempts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from models.engine.decoding.sequence import DecodingResult
from models.options import TranscribeOptions
from models.text.loops import Loop
from models.transcription.repetition import RepetitionGuard, can_be_said

OPTIONS = TranscribeOptions()
OFF = replace(OPTIONS, loop_threshold=None)
EOT = 50_257
TIMESTAMP = 50_364


def guard(
    seconds: float = 10.0, options: TranscribeOptions = OPTIONS, length: float = 30.0
) -> RepetitionGuard:
    return RepetitionGuard(options, EOT, seconds, length)


def result(
    text: str = "", tokens: tuple[int, ...] = (), *, whole: bool = True, **changes: float
) -> DecodingResult:
    found = DecodingResult(
        language="en",
        tokens=tokens,
        logprobs=(0.0,) * len(tokens),
        text=text,
        avg_logprob=-0.3,
        no_speech_prob=0.0,
        temperature=0.0,
        compression_ratio=1.0,
        is_whole=whole,
    )
    return replace(found, **changes)  # type: ignore[arg-type]


def said(words: str, times: int, seconds: float, options: TranscribeOptions = OPTIONS) -> bool:
    loop = Loop(0, 2, 2 * times)
    return can_be_said(options, loop, len(words) * times, seconds)


@pytest.mark.parametrize(
    ("words", "times", "seconds"),
    [
        (" 1,", 16, 13.0),
        (" Hello.", 8, 6.0),
        (" no,", 20, 5.0),
        (" Hare Krishna", 12, 14.0),
        (" and that is what I said to you then.", 6, 10.0),
        (" ha", 12, 2.5),
        (" Hello.", 1, 0.0),
    ],
)
def test_what_people_say_again_and_again_can_be_said(
    words: str, times: int, seconds: float
) -> None:
    assert said(words, times, seconds)


@pytest.mark.parametrize(
    ("words", "times", "seconds"),
    [
        (" no,", 200, 2.0),
        (" 1,", 110, 12.0),
        (" Thank you.", 8, 0.0),
        (" and that is what I said to you then.", 12, 10.0),
        (" ha", 12, 1.0),
    ],
)
def test_what_there_is_no_speech_for_cannot_be_said(words: str, times: int, seconds: float) -> None:
    assert not said(words, times, seconds)
    assert said(words, times, seconds, OFF)


def test_loop_threshold_is_how_often_a_second() -> None:
    assert said(" a", 30, 10.0, replace(OPTIONS, loop_threshold=3.0))
    assert not said(" a", 33, 10.0, replace(OPTIONS, loop_threshold=3.0))


HELLOS = (15_947, 11) * 9
ENDLESS = (16, 11) * 40


def test_doubt_is_none_half_or_all() -> None:
    assert guard().doubt(result("Hello.", (15_947, 13))) == 0.0
    hellos = result(" Hello," * 9, HELLOS, compression_ratio=3.3)
    assert guard(7.0).doubt(hellos) == 0.5
    assert guard(7.0).doubt(replace(hellos, compression_ratio=2.0)) == 0.5
    assert guard(0.5).doubt(hellos) == 1.0
    assert guard(0.5).doubt(replace(hellos, compression_ratio=2.0)) == 1.0
    assert guard(7.0).doubt(replace(hellos, is_whole=False)) == 1.0
    assert guard().doubt(result("Blorf", (5, 6), avg_logprob=-4.7)) == 1.0


def test_doubt_sees_repetition_that_ends_in_a_full_stop() -> None:
    ones = (16, 11) * 9 + (16, 13)
    assert guard(7.0).doubt(result(" 1," * 9 + " 1.", ones)) == 0.5
    assert guard(7.0).doubt(result(" 1," * 3 + " 1.", (16, 11) * 3 + (16, 13))) == 0.0


def test_doubt_sees_the_loop_between_timestamps() -> None:
    tokens = tuple(t for n in range(9) for t in (TIMESTAMP + n, 15_947, 11, TIMESTAMP + n + 1))
    assert guard(0.5).doubt(result(" Hello," * 9, tokens)) == 1.0


def test_accepts_likely_repetition_that_can_be_said() -> None:
    hellos = result(" Hello," * 9, HELLOS, compression_ratio=3.3)
    assert guard(7.0).accepts(hellos)
    assert guard(7.0).accepts(result("Hello.", (15_947, 13)))
    assert not guard(0.5).accepts(hellos)
    assert not guard(7.0).accepts(replace(hellos, is_whole=False))
    assert not guard(7.0).accepts(replace(hellos, avg_logprob=-1.2))
    assert not guard(7.0, OFF).accepts(hellos)


def test_says_nothing_for_gibberish_elsewhere_but_not_of_likely_repetition() -> None:
    tried: dict[str, Any] = {"min_logprob": -4.0, "no_speech_prob": 0.3}
    hellos = result(" Hello," * 9, HELLOS, compression_ratio=3.3, **tried)
    assert not guard(7.0).says_nothing(hellos)
    assert guard(0.5).says_nothing(hellos)
    assert guard(0.9).says_nothing(replace(hellos, avg_logprob=-1.2))
    assert guard(0.9).says_nothing(result("Thank you.", (5, 6), **tried))
    assert guard(7.0).says_nothing(replace(hellos, avg_logprob=-1.2, no_speech_prob=0.7))


@pytest.mark.parametrize(
    ("seconds", "length", "nothing"),
    [(1.0, 30.0, False), (0.9, 30.0, True), (0.5, 0.8, False), (0.4, 0.5, True), (0.6, 2.0, True)],
)
def test_gibberish_at_another_temperature_is_no_silence_in_a_window_with_much_speech(
    seconds: float, length: float, nothing: bool
) -> None:
    tried = result("Shaman.", (5, 6), avg_logprob=-1.1, min_logprob=-4.5, no_speech_prob=0.4)
    assert guard(seconds, length=length).says_nothing(tried) is nothing
    # Nor where Whisper itself hears nobody, as in openai-whisper.
    assert guard(seconds, length=length).says_nothing(replace(tried, no_speech_prob=0.7))


def test_a_loop_is_nothing_where_nobody_is_heard() -> None:
    loop = result(" nd" * 20, (7,) * 20, compression_ratio=9.0)
    assert guard(0.0).says_nothing(loop)
    assert not guard(0.1).says_nothing(loop)
    assert not guard(0.0).says_nothing(result("Hello.", (15_947, 13)))
    assert not guard(0.0, OFF).says_nothing(loop)


def ranked(*results: DecodingResult, seconds: float = 10.0) -> list[DecodingResult]:
    return sorted(results, key=guard(seconds).prefer)


def test_prefer_ranks_what_was_given_up_below_what_is_whole() -> None:
    whole = result("Ask not what", (5, 6, 7), avg_logprob=-2.0, temperature=0.4)
    first = result("Ask not what", (5, 6, 7), whole=False, avg_logprob=-1.9)
    given_up = result("Ask not", (5, 6), whole=False, avg_logprob=-1.1, temperature=0.8)
    assert ranked(given_up, first, whole) == [given_up, whole, first]


def test_prefer_ranks_gibberish_below_any_loop() -> None:
    loop = result(" 1," * 40, ENDLESS, whole=False, avg_logprob=-0.1, compression_ratio=9.0)
    gibberish = result("Blorf wizen", (5, 6, 7), avg_logprob=-4.7)
    assert ranked(loop, gibberish) == [gibberish, loop]


def test_prefer_ranks_a_likely_text_without_a_loop_above_one_that_is_cut() -> None:
    loop = result(" 1," * 40, ENDLESS, whole=False, avg_logprob=-0.1, compression_ratio=9.0)
    likely, unlikely = result("One.", (5,), avg_logprob=-1.2), result("Own", (6,), avg_logprob=-2.0)
    assert ranked(likely, loop, unlikely) == [unlikely, loop, likely]


def test_prefer_ranks_what_can_be_said_by_its_probability() -> None:
    hellos = result(" Hello," * 9, HELLOS, avg_logprob=-0.3, compression_ratio=3.3)
    other = result("Yellow.", (5,), avg_logprob=-1.1)
    assert ranked(hellos, other, seconds=7.0) == [other, hellos]
    assert ranked(hellos, other, seconds=0.0) == [hellos, other]


@pytest.mark.parametrize("seconds", [0.0, 2.0, 14.0, 30.0])
def test_is_hopeless_once_a_loop_is_longer_than_the_speech(seconds: float) -> None:
    limit = 24 + 4 * int(seconds)
    loop = (16, 11) * (limit // 2)
    assert not guard(seconds).is_hopeless((7, *loop), 0.0)
    assert guard(seconds).is_hopeless((7, *loop, 16, 11), 0.0)
    assert not guard(seconds, OFF).is_hopeless((7, *loop, 16, 11), 0.0)
    assert not guard(seconds).is_hopeless(tuple(range(len(loop) + 2)), 0.0)


def test_is_hopeless_when_no_end_could_make_it_probable_enough() -> None:
    assert guard().is_hopeless(tuple(range(100)), -226.0)
    assert not guard().is_hopeless(tuple(range(100)), -224.0)
    never = replace(OPTIONS, logprob_threshold=3.0)
    assert not guard(options=never).is_hopeless(tuple(range(100)), 0.0)
    off = replace(OPTIONS, logprob_threshold=None)
    assert not guard(options=off).is_hopeless(tuple(range(100)), -226.0)
