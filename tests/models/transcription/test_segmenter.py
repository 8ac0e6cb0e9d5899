"""A window's tokens to segments: what is cut, left out, flagged and timed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.checkpoints.catalogue import find_checkpoint
from models.engine.decoding.sequence import DecodingResult
from models.engine.decoding.vocabulary import Vocabulary
from models.options import Flag, TranscribeOptions
from models.transcription.segmenter import SegmentedWindow, Segmenter

BEGIN = 50_364


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    base = find_checkpoint("base")
    assert base is not None
    return Vocabulary(base.dims)


def decoded(vocabulary: Vocabulary, *parts: str | float) -> DecodingResult:
    """What came out: texts, and timestamps in seconds."""
    tokens: list[int] = []
    for part in parts:
        if isinstance(part, str):
            tokens += vocabulary.encode(part)
        else:
            tokens.append(vocabulary.timestamp_begin + round(part / 0.02))
    return DecodingResult(
        language="en",
        tokens=tuple(tokens),
        logprobs=tuple(-0.01 * number for number in range(len(tokens))),
        text="",
        avg_logprob=-0.5,
        no_speech_prob=0.0,
        temperature=0.0,
        compression_ratio=1.0,
    )


def doubted(vocabulary: Vocabulary, *parts: str | float) -> DecodingResult:
    """The same, where the decoder thinks rather that nobody speaks."""
    return replace(decoded(vocabulary, *parts), no_speech_prob=0.7)


def cut(
    vocabulary: Vocabulary,
    result: DecodingResult,
    options: TranscribeOptions | None = None,
    spoken_at: tuple[float, float] = (0.0, 1e9),
) -> SegmentedWindow:
    segmenter = Segmenter(vocabulary, options or TranscribeOptions())
    return segmenter.cut(
        result,
        1000,
        3000,
        lambda start, end: max(0.0, min(end, spoken_at[1]) - max(start, spoken_at[0])),
    )


def test_cut_segments_are_in_the_recordings_time(vocabulary: Vocabulary) -> None:
    result = decoded(vocabulary, 0.0, " Hello", 1.0, 1.5, " you.", 2.5)
    window = cut(vocabulary, result)
    assert [(s.start, s.end, s.text) for s in window.segments] == [
        (10.0, 11.0, " Hello"),
        (11.5, 12.5, " you."),
    ]
    assert window.text_spans == ((10.0, 11.0), (11.5, 12.5))
    assert window.next_seek == 4000
    first, second = window.segments
    assert (first.seek, first.language, first.flags) == (1000, "en", ())
    assert [score.logprob for score in second.scores] == [-0.04, -0.05]


LOOP: tuple[str | float, ...] = (0.0, " Well.", 1.0)


def test_cut_loop_that_there_is_no_speech_for_is_said_once(vocabulary: Vocabulary) -> None:
    result = decoded(vocabulary, *LOOP, 1.0, " and that is it," * 30, 20.0)
    well, looped = cut(vocabulary, result, spoken_at=(0.0, 14.0)).segments
    assert (well.text, well.flags) == (" Well.", ())
    assert (looped.text, looped.flags) == (" and that is it,", ("repetition",))
    assert (looped.start, looped.end) == (11.0, 30.0)
    assert "".join(score.data.decode() for score in looped.scores) == looped.text


def test_cut_repetition_that_there_is_speech_for_is_kept(vocabulary: Vocabulary) -> None:
    result = decoded(vocabulary, *LOOP, 1.0, " and that is it," * 12, 20.0)
    well, again = cut(vocabulary, replace(result, compression_ratio=3.0)).segments
    assert again.text == " and that is it," * 12
    assert again.flags == well.flags == ("repetition",)


def test_cut_loop_of_a_text_without_an_end_is_said_once(vocabulary: Vocabulary) -> None:
    result = decoded(vocabulary, *LOOP, 1.0, " and that is it," * 12, 20.0)
    *_, looped = cut(vocabulary, replace(result, is_whole=False)).segments
    assert (looped.text, looped.flags) == (" and that is it,", ("repetition",))


def test_cut_loop_is_kept_where_that_is_asked_for(vocabulary: Vocabulary) -> None:
    everything = TranscribeOptions(loop_threshold=None)
    result = decoded(vocabulary, *LOOP, 1.0, " and that is it," * 30, 20.0)
    for whole in (True, False):
        result = replace(result, is_whole=whole)
        *_, looped = cut(vocabulary, result, everything, (0.0, 14.0)).segments
        assert looped.text == " and that is it," * 30


def test_cut_loop_of_segments_is_one_segment(vocabulary: Vocabulary) -> None:
    again = [part for n in range(1, 9) for part in (float(n), " Thank you so much.", n + 1.0)]
    window = cut(vocabulary, decoded(vocabulary, *LOOP, *again), spoken_at=(0.0, 12.0))
    assert [(s.text, s.flags) for s in window.segments] == [
        (" Well.", ()),
        (" Thank you so much.", ("repetition",)),
    ]
    # The rest may hold something else: whoever cares for speech without text hears of it.
    assert window.text_spans[-1] == (11.0, 12.0)


def test_cut_segments_that_are_said_again_and_again_are_kept(vocabulary: Vocabulary) -> None:
    again = [part for n in range(1, 9) for part in (float(n), " Thank you so much.", n + 1.0)]
    window = cut(vocabulary, decoded(vocabulary, *LOOP, *again))
    assert [s.text for s in window.segments] == [" Well.", *[" Thank you so much."] * 8]


SILENT = (0.0, " Here.", 1.0, 8.0, " Thanks for watching!", 9.0)


def test_cut_segment_that_nobody_speaks_is_left_out(vocabulary: Vocabulary) -> None:
    window = cut(vocabulary, doubted(vocabulary, *SILENT), spoken_at=(10.2, 10.9))
    assert [s.text for s in window.segments] == [" Here."]


def test_cut_segment_that_the_decoder_alone_hears_is_kept(vocabulary: Vocabulary) -> None:
    window = cut(vocabulary, decoded(vocabulary, *SILENT), spoken_at=(10.2, 10.9))
    assert [(s.text, s.flags) for s in window.segments] == [
        (" Here.", ()),
        (" Thanks for watching!", ()),
    ]


def test_cut_segment_that_nobody_speaks_is_flagged_where_it_is_wanted(
    vocabulary: Vocabulary,
) -> None:
    everything = TranscribeOptions(drop=frozenset())
    window = cut(vocabulary, doubted(vocabulary, *SILENT), everything, (10.2, 10.9))
    assert [s.flags for s in window.segments] == [(), ("no_speech",)]


def test_cut_timestamps_may_miss_the_speech_by_a_little(vocabulary: Vocabulary) -> None:
    window = cut(vocabulary, decoded(vocabulary, 0.0, " Hi.", 1.0), spoken_at=(11.3, 11.9))
    assert [s.text for s in window.segments] == [" Hi."]


@pytest.mark.parametrize(
    ("changes", "flag"),
    [({"avg_logprob": -1.2}, "low_logprob"), ({"compression_ratio": 2.5}, "repetition")],
)
def test_cut_doubtful_text_says_why_and_can_be_left_out(
    vocabulary: Vocabulary, changes: dict[str, float], flag: Flag
) -> None:
    result = replace(decoded(vocabulary, 0.0, " Hi.", 1.0), **changes)  # type: ignore[arg-type]
    assert [s.flags for s in cut(vocabulary, result).segments] == [(flag,)]
    assert cut(vocabulary, result, TranscribeOptions(drop=frozenset({flag}))).segments == ()


def test_cut_words_have_the_recordings_time(vocabulary: Vocabulary) -> None:
    result = replace(
        decoded(vocabulary, 0.0, " Hello", 1.0, 1.5, " you.", 2.5), starts=(0.4, 0.9, 1.2, 1.4)
    )
    first, second = cut(vocabulary, result).segments
    assert [(w.text, w.start, w.end) for w in first.words] == [(" Hello", 10.4, 10.9)]
    assert [(w.text, w.start, w.end) for w in second.words] == [(" you.", 10.9, 11.2)]


def quiet() -> list[tuple[float, float]]:
    """The pauses around sound from 0.6 to 1.0 s and from 1.5 to 1.9 s."""
    return [(0.0, 0.6), (1.0, 1.5), (1.9, 2.5)]


def two_words(vocabulary: Vocabulary) -> DecodingResult:
    result = decoded(vocabulary, 0.0, " Hello", 1.0, 1.5, " you.", 2.5)
    return replace(result, starts=(0.4, 0.9, 1.8, 1.84))


def test_cut_words_are_moved_to_where_they_are_heard(vocabulary: Vocabulary) -> None:
    segmenter = Segmenter(vocabulary, TranscribeOptions())
    window = segmenter.cut(two_words(vocabulary), 1000, 250, lambda a, b: b - a, quiet)
    first, second = window.segments
    assert [(w.start, w.end) for w in (*first.words, *second.words)] == [(10.6, 11.0), (11.5, 11.9)]
    assert [(s.start, s.end) for s in window.segments] == [(10.6, 11.0), (11.5, 11.9)]
    assert window.text_spans == ((10.0, 11.0), (11.5, 12.5))  # by timestamps, as before


def test_cut_words_of_openai_whisper_are_not_moved(vocabulary: Vocabulary) -> None:
    segmenter = Segmenter(vocabulary, TranscribeOptions(word_times="openai"))
    result = two_words(vocabulary)
    window = segmenter.cut(result, 1000, 250, lambda a, b: b - a, quiet)
    assert window.segments == cut(vocabulary, result).segments


@st.composite
def sampled(draw: st.DrawFn) -> list[int]:
    """What the timestamp rules allow: times that do not go back, around text that may loop."""
    stamp = draw(st.integers(0, 50))
    tokens = [BEGIN + stamp]
    for _ in range(draw(st.integers(0, 5))):
        text = draw(st.lists(st.integers(0, 40_000), min_size=1, max_size=4))
        tokens += text * draw(st.integers(1, 8))
        stamp = min(1500, stamp + draw(st.integers(1, 300)))
        tokens += [BEGIN + stamp] * draw(st.sampled_from([1, 2, 2]))
    return tokens


@given(sampled(), st.integers(0, 10**6), st.integers(1, 3000))
def test_cut_any_tokens_are_ordered_segments_of_the_text(
    vocabulary: Vocabulary, tokens: list[int], seek: int, frames: int
) -> None:
    result = replace(decoded(vocabulary), tokens=tuple(tokens), logprobs=(0.0,) * len(tokens))
    segmenter = Segmenter(vocabulary, TranscribeOptions())
    window = segmenter.cut(result, seek, frames, lambda start, end: end - start)

    times = [time for s in window.segments for time in (s.start, s.end)]
    assert times == sorted(times)
    assert all(seek / 100 <= time <= seek / 100 + 30 + 1e-6 for time in times)
    assert all(s.text == vocabulary.decode(s.tokens) for s in window.segments)
    kept = iter(tokens)
    assert all(token in kept for s in window.segments for token in s.tokens)  # in their order


def test_cut_puts_the_only_text_at_the_only_speech(vocabulary: Vocabulary) -> None:
    """Its timestamps are at none, as behind a long silence."""
    early = decoded(vocabulary, 0.0, " Hello you.", 7.0)
    window = cut(vocabulary, early, spoken_at=(35.0, 37.0))

    (segment,) = window.segments
    assert (segment.start, segment.end) == pytest.approx((35.0, 37.0), abs=0.02)
    assert window.text_spans == ((segment.start, segment.end),)
    assert window.next_seek == 4000
    # Where the speech is at its time, or there is hardly any, timestamps are believed.
    assert cut(vocabulary, early, spoken_at=(16.0, 37.0)).segments[0].start == 10.0
    assert cut(vocabulary, early, spoken_at=(35.0, 35.4)).text_spans == ((10.0, 17.0),)
