"""One turn: what is decoded next, where it is cut, and what is never decoded again."""

from __future__ import annotations

import numpy as np
import pytest

from models.live.cadence import Cadence
from models.live.live_turn import BACKLOG_LENGTH, CUT_LENGTH, Decoding, LiveTurn
from models.live.spoken_spans import SpokenSpans
from models.live.turn_audio import RecentAudio, TurnAudio
from models.live.whole_turn import PART_LENGTH, WholeTurn
from tests.models.live.scripted_turns import MEDIUM, SECOND, hear, numbered, speak, text, turn_of
from tests.models.live.speaking import options


def test_an_update_waits_for_new_sound_and_for_its_time() -> None:
    turn = turn_of(0.9)
    assert turn.next_decoding(0) is None
    speak(turn, 0.1)
    assert turn.next_decoding(0) == Decoding(SECOND)
    turn.begin(Decoding(SECOND), now=10.0)
    turn.hear(Decoding(SECOND), text("a", "b"), now=11.0)
    speak(turn, 1)

    assert turn.next_decoding(11.0) == pytest.approx(1.0)
    assert turn.next_decoding(12.0) == Decoding(2 * SECOND)


def test_cadence_leaves_the_engine_half_of_its_time() -> None:
    cadence = Cadence()
    cadence.begin(10.0)
    cadence.end(10.1)
    assert cadence.next_at == 10.5
    cadence.begin(20.0)
    cadence.end(23.0)
    assert cadence.next_at == 26.0


def test_a_pause_is_decoded_at_once_as_final_and_once() -> None:
    turn = turn_of(0.5)
    speak(turn, 0.1, is_speech=False)
    turn.is_paused = True
    assert turn.next_decoding(0) == Decoding(round(0.6 * SECOND), is_final=True)
    hear(turn, text("a"))
    speak(turn, 5, is_speech=False)

    assert turn.next_decoding(100) is None
    assert turn.is_final
    turn.is_committed = True
    assert turn.next_decoding(100) is None


def test_speech_behind_the_pause_asks_for_another_final() -> None:
    turn = turn_of(0.5)
    turn.is_paused = True
    hear(turn, text("a"))
    turn.is_paused = False
    speak(turn, 0.3)
    turn.is_committed = True

    assert not turn.is_final
    assert turn.next_decoding(0) == Decoding(round(0.8 * SECOND), is_final=True)


@pytest.mark.parametrize("is_late", [False, True])
def test_a_word_in_place_of_a_long_silence_is_decoded(*, is_late: bool) -> None:
    turn = turn_of(2)
    speak(turn, 2, is_speech=False)
    turn.is_paused = True
    decoding = turn.next_decoding(0)
    assert decoding == Decoding(round(2.3 * SECOND), is_final=True)
    turn.begin(decoding, 0)
    if not is_late:
        turn.hear(decoding, text("a", "b", "c", "d"), 1)
    turn.audio.drop_behind(turn.speech.tail_end)
    turn.is_paused = False
    speak(turn, 0.3)
    if is_late:
        turn.hear(decoding, text("a", "b", "c", "d"), 1)
    turn.is_committed = True

    assert not turn.is_final
    assert turn.next_decoding(2) == Decoding(round(2.6 * SECOND), is_final=True)


def test_a_long_silence_asks_for_nothing() -> None:
    turn = turn_of(2)
    turn.is_paused = True
    hear(turn, text("a", "b", "c", "d"))
    speak(turn, 30, is_speech=False)

    assert turn.next_decoding(100) is None


def test_an_update_is_superseded_by_the_final_of_a_pause() -> None:
    turn = turn_of(2)
    update, final = Decoding(2 * SECOND), Decoding(2 * SECOND, is_final=True)
    assert not turn.is_superseded(update, 0)
    turn.is_paused = True
    assert turn.is_superseded(update, 0)
    # What new speech has overtaken is waited for.
    speak(turn, 1)
    assert not turn.is_superseded(final, 0)
    # No final is begun so soon behind another.
    turn.begin(final, 0)
    assert not turn.is_superseded(update, 0.1)


def test_what_is_superseded_is_what_the_commit_does_not_need() -> None:
    turn = turn_of(2)
    update, final = Decoding(2 * SECOND), Decoding(2 * SECOND, is_final=True)
    turn.is_committed = True
    assert turn.is_superseded(update, 0)
    assert not turn.is_superseded(final, 0)
    assert turn.is_superseded(Decoding(SECOND, is_final=True), 0)
    assert not turn.is_superseded(Decoding(SECOND, in_backlog=True), 0)


def test_settled_text_is_the_prefix_of_what_is_decoded_next() -> None:
    turn = turn_of(1)
    hear(turn, text("a", "b"))
    speak(turn, 1)
    hear(turn, text("a", "b", "c", "d"), now=1)
    speak(turn, 1)
    decoding = turn.next_decoding(10)
    assert isinstance(decoding, Decoding)
    window = turn.window(decoding)

    assert window.prefix.tokens == text("a", "b").tokens
    assert (window.history, window.is_final) == ((), False)
    assert (len(window.samples), window.speech_seconds) == (3 * SECOND, 3.0)


def test_a_long_turn_is_cut_behind_settled_words_and_costs_the_same_ever_after() -> None:
    turn = LiveTurn(0, options(), MEDIUM)
    longest, told = 0, 0
    for second in range(1, 121):
        speak(turn, 1)
        kept = turn.audio.end - turn.audio.first
        longest = max(longest, kept)
        first = round(turn.audio.first / SECOND * 2)
        hear(turn, text(*(f"w{n}" for n in range(first, 2 * second))), now=1000.0 * second)
        told = len(turn.settled.logprobs)

    assert longest <= CUT_LENGTH + SECOND
    assert told >= 2 * 117
    assert len(turn.settled.history) <= 100
    turn.settled.take()
    words = turn.settled.text.split()
    assert words == numbered(len(words))


def test_it_is_cut_in_the_longest_pause_that_is_settled() -> None:
    turn = LiveTurn(0, options(), MEDIUM)
    speak(turn, 4)
    speak(turn, 0.5, is_speech=False)
    speak(turn, 3)
    speak(turn, 0.1, is_speech=False)
    speak(turn, 2.4)
    hear(turn, text(*numbered(20)), now=1)
    speak(turn, 1)
    hear(turn, text(*numbered(22)), now=100)

    assert turn.audio.first == round(4.25 * SECOND)


def test_sound_that_comes_faster_than_it_is_decoded_is_decoded_in_windows() -> None:
    turn = turn_of(60)
    ends = []
    while turn.audio.length > BACKLOG_LENGTH:
        decoding = turn.next_decoding(0)
        assert isinstance(decoding, Decoding)
        assert decoding.in_backlog
        assert turn.window(decoding).is_final
        ends.append(decoding.end)
        first = turn.audio.first / SECOND
        words = [f"w{n}" for n in range(round(2 * first), round(2 * decoding.end / SECOND))]
        turn.hear(decoding, text(*words), 0.0)

    turn.settled.take()
    assert turn.settled.text.split() == numbered(len(turn.settled.text.split()))
    # Each begins a second before the end of the one before.
    assert ends == [20 * SECOND, 39 * SECOND, 58 * SECOND]


def test_sound_in_which_nothing_is_heard_is_dropped_in_the_end() -> None:
    turn = turn_of(17)
    hear(turn, text())
    assert turn.audio.first == 16 * SECOND
    assert turn.audio.end == 17 * SECOND


def test_text_that_ends_before_its_speech_is_cut_there() -> None:
    turn = turn_of(6)
    turn.is_paused = True
    hear(turn, text("a", "b", "c", ends=2.0))

    assert not turn.is_final
    assert turn.audio.first == 2 * SECOND
    assert turn.settled.take()[0] == "a b c"
    assert turn.settled.history == text("a", "b", "c").tokens[1:]
    hear(turn, text(*numbered(8)), now=10)
    assert turn.is_final


def test_noise_that_passes_for_speech_is_final_without_text() -> None:
    turn = turn_of(3)
    turn.is_committed = True
    hear(turn, text())

    assert turn.is_final
    assert turn.settled.take(is_last=True)[0] == ""


def test_a_loop_settles_nothing_and_is_not_told_again() -> None:
    turn = turn_of(1)
    hear(turn, text("a", "b"))
    speak(turn, 1)
    hear(turn, text("a", "b", "c"), now=10)
    speak(turn, 1)
    hear(turn, text("a", "b", "c", "c", "c", is_loop=True), now=20)
    turn.settled.take()

    assert (turn.settled.text, turn.settled.history) == ("a b", ())


@pytest.mark.parametrize(("seconds", "language"), [(1, None), (2, "en")])
def test_the_language_is_kept_from_two_seconds_of_speech_on(
    seconds: int, language: str | None
) -> None:
    turn = LiveTurn(0, options(transcription=options().transcription.__class__()), MEDIUM)
    speak(turn, seconds)
    hear(turn, text("a"))

    assert turn.language == language
    assert turn.heard_language == "en"


def test_a_turn_without_text_has_no_language() -> None:
    turn = LiveTurn(0, options(transcription=options().transcription.__class__()), MEDIUM)
    speak(turn, 1)
    hear(turn, text())

    assert turn.heard_language == ""


def test_a_whole_turn_is_one_file_up_to_its_longest() -> None:
    turn = WholeTurn(0, options())
    speak(turn, 299)
    assert turn.next_part() is None
    turn.is_committed = True
    assert turn.next_part() == 299 * SECOND
    turn.drop_before(299 * SECOND)
    assert turn.is_final


def test_a_part_that_ends_in_silence_leaves_room_for_the_speech_behind_it() -> None:
    turn = WholeTurn(0, options())
    speak(turn, 299)
    speak(turn, 1.1, is_speech=False)
    part = turn.next_part()
    assert part == round(299.3 * SECOND)
    turn.audio.drop_behind(turn.speech.tail_end)
    speak(turn, 1)
    turn.drop_before(part)

    assert (turn.audio.first, turn.audio.length) == (part, SECOND)


def test_a_longer_one_is_cut_in_a_pause() -> None:
    turn = WholeTurn(0, options())
    speak(turn, 200)
    speak(turn, 1, is_speech=False)
    speak(turn, 99.5)
    part = turn.next_part()
    assert part == round(200.5 * SECOND)
    turn.drop_before(part)
    assert turn.next_part() is None
    speak(turn, 300)
    assert turn.next_part() == part + PART_LENGTH


def test_turn_audio_keeps_what_it_is_not_told_to_drop() -> None:
    audio = TurnAudio()
    for start in range(0, 100, 10):
        audio.append(np.arange(start, start + 10, dtype=np.int16))
    audio.drop_before(25)
    audio.drop_behind(87)

    assert (audio.first, audio.end, audio.length) == (25, 87, 62)
    assert (audio.samples(50) * 32_768).tolist() == list(range(25, 50))
    assert (audio.samples(87, 80) * 32_768).tolist() == list(range(80, 87))


def test_recent_audio_keeps_as_much_as_it_is_told() -> None:
    recent = RecentAudio()
    for start in range(1000):
        recent.append(np.full(1, start, np.int16), keep=100)

    assert recent.end == 1000
    assert recent.since(950).tolist() == list(range(950, 1000))
    assert 100 <= len(recent.since(0)) <= 201


def test_spans_that_touch_are_one_and_dips_are_no_pauses() -> None:
    spans = SpokenSpans()
    for start, end in [(0, 100), (100, 8_000), (8_512, 16_000), (20_000, 30_000)]:
        spans.add(start, end)

    assert spans.pauses(0, 40_000) == [(16_000, 20_000)]
    assert spans.pause_in(0, 40_000) == 18_000
    assert spans.pause_in(0, 17_000) is None
    assert spans.between(7_000, 9_000) == 1_488
    assert spans.end == 30_000
