"""Turns whose text leaves out what is spoken, and backlogs: where they are cut."""

from __future__ import annotations

from models.live.live_turn import Decoding, LiveTurn
from tests.models.live.scripted_turns import MEDIUM, SECOND, hear, numbered, speak, text, turn_of
from tests.models.live.speaking import options


def committed(seconds: float) -> LiveTurn:
    turn = turn_of(seconds)
    turn.is_committed = True
    return turn


def left_to_decode(turn: LiveTurn) -> tuple[float, float]:
    """Where the next window begins and ends, in seconds of the turn."""
    decoding = turn.next_decoding(0)
    assert isinstance(decoding, Decoding)
    return turn.audio.first / SECOND, decoding.end / SECOND


def told(turn: LiveTurn) -> str:
    turn.settled.settle_all()
    turn.settled.take()
    return turn.settled.text


def test_speech_that_a_final_text_leaves_out_is_decoded_by_itself_and_then_the_rest() -> None:
    turn = committed(12)
    hear(turn, text("a", "b", "y", "z", begins=(0, 0.5, 9, 10.5, 12)))
    assert not turn.is_final
    # A word has 0.8 s at most.
    assert left_to_decode(turn) == (1.3, 9)
    assert turn.settled.history == ()

    hear(turn, text(*numbered(14)))
    # The last second before another word's beginning may be within it.
    assert left_to_decode(turn) == (7.8, 12)
    hear(turn, text("x", "y", "z", begins=(0.2, 1.2, 2.7, 4.2)))
    assert turn.is_final
    assert told(turn) == " ".join(["a b", *numbered(13), "x y z"])


def test_speech_before_the_first_word_is_decoded_by_itself() -> None:
    turn = committed(9)
    hear(turn, text("y", "z", begins=(5, 6, 9)))
    assert left_to_decode(turn) == (0, 5)


def test_speech_behind_the_last_word_is_decoded_by_itself() -> None:
    turn = committed(9)
    hear(turn, text("a", "b", begins=(0, 0.5, 1), ends=9.0))
    assert left_to_decode(turn) == (1, 9)


def test_what_is_left_out_is_asked_for_once() -> None:
    turn = committed(12)
    hear(turn, text("a", "z", begins=(0, 11, 12)))
    assert left_to_decode(turn) == (0.8, 11)
    # It was music, in which Whisper finds a word.
    hear(turn, text("m", begins=(9, 10), ends=10.2))
    hear(turn, text("z", begins=(1, 2)))
    assert turn.is_final


def test_update_that_leaves_something_out_is_none_that_cuts() -> None:
    turn = turn_of(9)
    hear(turn, text("a", "z", begins=(0, 8, 9)))
    assert turn.next_decoding(0) is None
    assert turn.audio.first == 0


def test_pauses_and_hesitations_are_not_left_out() -> None:
    turn = turn_of(2)
    speak(turn, 5, is_speech=False)
    speak(turn, 3)
    turn.is_committed = True
    # Between the words 1.2 s are spoken before the pause, and 1.5 s behind it.
    hear(turn, text("a", "b", begins=(0, 8.5, 9.3), ends=10.0))
    assert turn.is_final


def test_backlog_is_cut_in_a_pause_and_begins_anew_there() -> None:
    turn = LiveTurn(0, options(), MEDIUM)
    speak(turn, 14)
    speak(turn, 0.5, is_speech=False)
    speak(turn, 16)
    assert left_to_decode(turn) == (0, 14.25)
    hear(turn, text(*numbered(28)))
    assert left_to_decode(turn) == (14.25, 30.5)
    assert turn.settled.history == ()
    assert told(turn) == " ".join(numbered(28))
