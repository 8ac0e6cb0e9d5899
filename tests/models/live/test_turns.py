"""Turn detection: where turns begin, pause and end."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from models.live.live_options import Eagerness, SemanticVad, ServerVad
from models.live.turns import Paused, Resumed, Signal, TurnBegan, TurnDetector, TurnEnded
from models.options import VoiceOptions
from models.units import SAMPLE_RATE, VAD_FRAME


class Listener:
    """A detector that hears frames of these probabilities."""

    def __init__(self, detection: ServerVad | SemanticVad | None) -> None:
        self.detector = TurnDetector(detection)
        # Where the stream is, and where its last turn ended.
        self.end = self.ended = 0

    def hear(self, seconds: float, probability: float) -> list[Signal]:
        signals: list[Signal] = []
        for _ in range(round(seconds * SAMPLE_RATE / VAD_FRAME)):
            self.end += VAD_FRAME
            newest = self.detector.feed(probability, self.end)
            self.ended = self.end if TurnEnded() in newest else self.ended
            signals += newest
        return signals


def listener(**voice: int | float) -> Listener:
    return Listener(ServerVad(VoiceOptions(**voice)))  # type: ignore[arg-type]


def of(kind: type[Signal], signals: Iterable[Signal]) -> list[Signal]:
    return [signal for signal in signals if isinstance(signal, kind)]


@pytest.mark.parametrize("padding", [0, 300, 2000])
def test_prefix_padding_moves_the_beginning(padding: int) -> None:
    heard = listener(prefix_padding_ms=padding)
    heard.hear(3.2, 0.0)
    speech = heard.end
    (began,) = heard.hear(0.5, 0.9)

    assert began == TurnBegan(speech - padding * 16)


def test_a_turn_begins_neither_before_the_stream_nor_before_the_last_turns_end() -> None:
    heard = listener(prefix_padding_ms=2000)
    heard.hear(0.32, 0.0)
    assert heard.hear(0.5, 0.9) == [TurnBegan(0)]
    assert len(of(TurnEnded, heard.hear(0.5, 0.0))) == 1
    assert heard.hear(0.5, 0.9) == [TurnBegan(heard.ended)]


@pytest.mark.parametrize(("silence", "turns"), [(200, 2), (2000, 1)])
def test_a_pause_of_a_second_splits_or_joins(silence: int, turns: int) -> None:
    heard = listener(silence_duration_ms=silence)
    signals = heard.hear(2, 0.9) + heard.hear(1, 0.0) + heard.hear(2, 0.9) + heard.hear(3, 0.0)

    assert len(of(TurnBegan, signals)) == len(of(TurnEnded, signals)) == turns


@pytest.mark.parametrize("silence", [0, 200, 500, 2000, 5000])
def test_a_turn_ends_within_a_frame_of_the_silence_asked_for(silence: int) -> None:
    heard = listener(silence_duration_ms=silence)
    heard.hear(1, 0.9)
    spoken = heard.end

    assert len(of(TurnEnded, heard.hear(6, 0.0))) == 1
    assert silence * 16 <= heard.ended - spoken <= max(silence * 16, VAD_FRAME) + VAD_FRAME


@pytest.mark.parametrize(("eagerness", "longest"), [("high", 2), ("medium", 4), ("auto", 4)])
def test_semantic_turns_end_after_so_much_silence_at_most(
    eagerness: Eagerness, longest: int
) -> None:
    heard = Listener(SemanticVad(eagerness))
    heard.hear(1, 0.9)
    assert not of(TurnEnded, heard.hear(longest - 0.1, 0.0))
    assert of(TurnEnded, heard.hear(0.2, 0.0))


@pytest.mark.parametrize(("eagerness", "longest"), [("high", 2), ("medium", 4), ("low", 8)])
def test_semantic_turns_end_earlier_behind_a_sentence(eagerness: Eagerness, longest: int) -> None:
    heard = Listener(SemanticVad(eagerness))
    heard.hear(1, 0.9)
    heard.hear(0.2, 0.0)
    heard.detector.finish_sentence(is_finished=True)
    assert not of(TurnEnded, heard.hear(longest / 4 - 0.3, 0.0))
    assert of(TurnEnded, heard.hear(0.2, 0.0))


def test_a_sentence_counts_for_its_own_pause() -> None:
    heard = Listener(SemanticVad("high"))
    heard.hear(1, 0.9)
    heard.hear(0.2, 0.0)
    heard.detector.finish_sentence(is_finished=True)
    heard.hear(0.5, 0.9)

    assert not of(TurnEnded, heard.hear(1.8, 0.0))


def test_speech_pauses_and_goes_on() -> None:
    heard = listener(silence_duration_ms=1000)
    heard.hear(1, 0.9)
    assert heard.hear(0.5, 0.0) == [Paused()]
    silent = heard.end
    assert heard.hear(0.5, 0.9) == [Resumed(silent)]


def test_a_click_is_no_turn() -> None:
    assert listener().hear(0.096, 0.9) + listener().hear(1, 0.49) == []


def test_speech_goes_on_a_little_below_the_threshold() -> None:
    heard = listener(threshold=0.5)
    heard.hear(1, 0.9)
    assert heard.hear(2, 0.4) == []
    assert heard.hear(0.5, 0.3) != []


def test_without_detection_a_turn_has_no_end() -> None:
    heard = Listener(None)
    heard.hear(1, 0.0)
    signals = heard.hear(1, 0.9) + heard.hear(60, 0.0)

    assert (len(of(TurnBegan, signals)), len(of(TurnEnded, signals))) == (1, 0)


@pytest.mark.parametrize(("silence", "start"), [(1.92, 0.0), (5.12, 4.82)])
def test_without_detection_a_short_silence_before_speech_is_kept(
    silence: float, start: float
) -> None:
    heard = Listener(None)
    heard.hear(silence, 0.0)

    assert heard.hear(1, 0.9) == [TurnBegan(round(start * SAMPLE_RATE))]


def test_behind_a_commit_in_a_word_the_next_turn_begins_at_once() -> None:
    heard = listener()
    heard.hear(1, 0.9)
    heard.detector.restart(heard.end)

    assert heard.hear(1, 0.9) == [TurnBegan(heard.end - round(SAMPLE_RATE / VAD_FRAME) * VAD_FRAME)]


def test_what_is_heard_at_once_reaches_to_the_next_signal() -> None:
    heard = listener(silence_duration_ms=300, min_speech_duration_ms=100)
    frames = [0.0] * 3 + [0.9] * 10 + [0.0] * 12
    kinds, late = [], []
    while frames:
        batch = heard.detector.batch // VAD_FRAME
        for place in range(min(batch, len(frames))):
            signals = heard.hear(VAD_FRAME / SAMPLE_RATE, frames.pop(0))
            kinds += [type(signal) for signal in signals]
            late += [batch - 1 - place] * len(signals)

    assert kinds == [TurnBegan, Paused, TurnEnded]
    # What begins may do so in the midst of what is heard in silence; nothing else is heard late.
    assert late[1:] == [0, 0]


def test_more_is_heard_at_once_where_nobody_speaks() -> None:
    heard = listener()
    in_silence = heard.detector.batch
    heard.hear(1.0, 0.9)
    assert VAD_FRAME < heard.detector.batch < in_silence
