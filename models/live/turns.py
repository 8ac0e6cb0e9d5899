"""Turn detection: probabilities of speech -> where turns begin, pause and end (a state machine)."""

from __future__ import annotations

from dataclasses import dataclass

from models.live.live_options import SemanticVad, ServerVad
from models.options import VoiceOptions
from models.units import SAMPLE_RATE, VAD_FRAME

# Speech goes on until the probability is clearly under the threshold (silero-vad, utils_vad.py).
_HYSTERESIS = 0.15
# Silence in which speech pauses, in samples: 128 ms.
_PAUSE = 4 * VAD_FRAME
# Samples that are heard at once where no signal can come, as a call of the detector costs more than
# a frame of it: 96 ms, and 192 ms where nobody speaks.
_BATCH, _BATCH_IN_SILENCE = 3 * VAD_FRAME, 6 * VAD_FRAME
# Silence before speech that is kept whole where the client commits.
LONG_SILENCE = 2 * SAMPLE_RATE
# Seconds of silence that end a turn at the latest, and which part of them is enough behind a
# sentence that is finished.
_LONGEST = {"high": 2.0, "medium": 4.0, "auto": 4.0, "low": 8.0}
_BEHIND_SENTENCE = 0.25


@dataclass(frozen=True)
class TurnBegan:
    """Somebody speaks; the turn has its samples from `start` on."""

    start: int


@dataclass(frozen=True)
class Paused:
    """Nobody speaks, for the time being."""


@dataclass(frozen=True)
class Resumed:
    """Somebody speaks again, in the turn that had paused, from `at` on."""

    at: int


@dataclass(frozen=True)
class TurnEnded:
    """The turn is over, the silence behind it included."""


Signal = TurnBegan | Paused | Resumed | TurnEnded


class TurnDetector:
    """The turns of one stream; places are samples since its beginning.

    Without `detection` a turn has no end but the client's.
    """

    def __init__(self, detection: ServerVad | SemanticVad | None) -> None:
        self.configure(detection)
        self.in_turn = self.is_paused = False
        # Samples up to the last frame of speech, and up to the last frame.
        self.speech_end = self._end = 0
        # No turn begins before it.
        self._floor = 0
        self._span: int | None = None
        self._sentence_is_finished = False

    def configure(self, detection: ServerVad | SemanticVad | None) -> None:
        """Detect like this from now on; an open turn stays open."""
        self._detection = detection
        self._voice = detection.voice if detection else VoiceOptions()

    @property
    def padding(self) -> int:
        """Samples before speech that are the turn's."""
        return _samples(self._voice.prefix_padding_ms)

    @property
    def batch(self) -> int:
        """Samples to hear at once: up to where a signal may come next, and not many more."""
        if self._span is None and not self.in_turn:
            return _BATCH_IN_SILENCE
        if self.in_turn:
            limit = self._limit() if self.is_paused else _PAUSE
            missing = _BATCH if limit is None else limit - (self._end - self.speech_end)
        else:
            missing = _samples(self._voice.min_speech_duration_ms) - self.span_length
        return min(_BATCH, max(VAD_FRAME, missing))

    @property
    def span_length(self) -> int:
        """Samples since somebody began to speak, up to the last frame of speech."""
        return 0 if self._span is None else self.speech_end - self._span

    def feed(self, probability: float, end: int) -> list[Signal]:
        """What the next frame, which ends there, changes."""
        self._end = end
        speaking = self._span is not None and not self.is_paused
        threshold = self._voice.threshold - (_HYSTERESIS if speaking else 0.0)
        return self._speech(end) if probability >= max(threshold, 0.01) else self._silence(end)

    def finish_sentence(self, *, is_finished: bool) -> None:
        """Note whether the text before the pause ends as a sentence does."""
        self._sentence_is_finished = is_finished

    def restart(self, at: int) -> None:
        """Forget the open turn: what comes from there on is another's."""
        self.in_turn = self.is_paused = self._sentence_is_finished = False
        self._floor, self._span = at, None

    def _speech(self, end: int) -> list[Signal]:
        begin = end - VAD_FRAME
        self.speech_end = end
        if self._span is None:
            self._span = begin
        if self.in_turn:
            was_paused, self.is_paused = self.is_paused, False
            self._sentence_is_finished = False
            return [Resumed(begin)] if was_paused else []
        if end - self._span < _samples(self._voice.min_speech_duration_ms):
            return []
        self.in_turn = True
        return [TurnBegan(self._start(self._span))]

    def _silence(self, end: int) -> list[Signal]:
        silence = end - self.speech_end
        if not self.in_turn:
            if silence >= _PAUSE:
                self._span = None
            return []
        signals: list[Signal] = []
        if silence >= _PAUSE and not self.is_paused:
            self.is_paused = True
            signals.append(Paused())
        limit = self._limit()
        if limit is not None and silence >= limit:
            signals.append(TurnEnded())
            self.restart(end)
        return signals

    def _start(self, speech: int) -> int:
        if not self._detection and speech - self._floor <= LONG_SILENCE:
            return self._floor
        return max(self._floor, speech - self.padding)

    def _limit(self) -> int | None:
        """Samples of silence that end the turn."""
        match self._detection:
            case ServerVad(voice=voice):
                return _samples(voice.silence_duration_ms)
            case SemanticVad(eagerness=eagerness):
                part = _BEHIND_SENTENCE if self._sentence_is_finished else 1.0
                return round(part * _LONGEST[eagerness] * SAMPLE_RATE)
            case None:
                return None


def _samples(milliseconds: int) -> int:
    return milliseconds * SAMPLE_RATE // 1000
