"""Turns of a live session: heard frames -> where turns begin, pause and end, and their sound."""

from __future__ import annotations

from collections.abc import Callable

from models.live.ears import HeardFrame
from models.live.event_queue import EventQueue
from models.live.events import Committed, SpeechStarted, SpeechStopped
from models.live.last_turn import LastTurn
from models.live.live_options import LiveOptions
from models.live.live_turn import LiveTurn
from models.live.recognizer import Recognizers
from models.live.running_turns import RunningTurns
from models.live.turn_audio import RecentAudio
from models.live.turn_results import completed
from models.live.turn_tasks import Clock, Turn, turn_for
from models.live.turns import (
    LONG_SILENCE,
    Paused,
    Resumed,
    Signal,
    TurnBegan,
    TurnDetector,
    TurnEnded,
)
from models.live.whole_turn import PART_LENGTH
from models.text.sentences import ends_sentence
from models.units import SAMPLE_RATE, VAD_FRAME

# Samples of one turn that may wait to be decoded until the session is behind.
_MAX_UNDECODED = 60 * SAMPLE_RATE


class SessionTurns:
    """One session's turns, numbered 0, 1, 2 ... in the order of their beginning; `count` of them.

    `running` are those whose text is on its way. `mark` is how many seconds had been heard at the
    last commit or clear.
    """

    def __init__(
        self,
        recognizers: Recognizers,
        options: LiveOptions,
        events: EventQueue,
        clock: Clock,
        appended: Callable[[], float],
    ) -> None:
        self._options, self._events = options, events
        self.running = RunningTurns(recognizers, events, clock, appended, self._hear_pause)
        self._detector = TurnDetector(options.turn_detection)
        self._recent, self._last = RecentAudio(), LastTurn()
        # The turn that is open, and the sample of the session that it begins with.
        self.open: int | None = None
        self._start = 0
        self._is_told = self._is_skipping = False
        self.mark = 0.0
        self.count = 0

    @property
    def batch(self) -> int:
        """Samples to hear at once: up to where a turn may begin, pause or end."""
        return self._detector.batch

    @property
    def is_behind(self) -> bool:
        """True if the open turn has more sound than may wait to be decoded."""
        turn = self.running.get(self.open)
        limit = _MAX_UNDECODED if isinstance(turn, LiveTurn) else PART_LENGTH + _MAX_UNDECODED
        return turn is not None and turn.audio.length > limit

    def configure(self, options: LiveOptions) -> None:
        """Take these options for what comes; where turns are detected now, an open one is told."""
        self._detector.configure(options.turn_detection)
        self._options = options
        self._tell_start()

    def take(self, frames: list[HeardFrame]) -> None:
        """The next frames."""
        for frame in frames:
            self._take_frame(frame)
        self.running.changed(self.open)

    def commit(self, end: float) -> None:
        """End the turn here, `end` seconds into the session; if none is open, one of silence."""
        is_empty = self.open is None and self._options.model is not None
        number = self._next_number() if self.open is None else self.open
        self._last.commit(self.running.get(self.open), self._recent.end)
        self.open = None
        if self._is_told:
            self._events.put(SpeechStopped(number, _ms(self._recent.end)))
        if is_empty:
            self._events.begin(number)
        self._events.put(Committed(number, has_text=number in self._events.turns))
        if is_empty:
            # Nothing is decoded.
            language = self._options.transcription.language or ""
            self._events.put(completed(number, "", language, end - self.mark, ()))
        self.running.commit(number)
        self._restart(end)

    def clear(self, end: float) -> None:
        """Drop the open turn, and whatever was heard until here."""
        self._last.forget()
        if self.open is not None:
            self.running.drop(self.open)
            self.open = None
        self._restart(end)

    def _take_frame(self, frame: HeardFrame) -> None:
        self._recent.append(frame.samples, LONG_SILENCE + self._detector.padding + SAMPLE_RATE)
        end = self._recent.end
        self._last.hear(end)
        signals = []
        if frame.probability is not None:
            signals = self._detector.feed(frame.probability, end)
        turn = self.running.get(self.open)
        if turn and not self._is_skipping:
            turn.append(frame.samples, is_speech=self._detector.speech_end == end)
            self._skip_silence(turn, end)
        for signal in signals:
            self._obey(signal)

    def _skip_silence(self, turn: Turn, end: int) -> None:
        """Of a long silence within a turn only its beginning is kept, and later its end."""
        if not self._options.turn_detection and end - self._detector.speech_end > LONG_SILENCE:
            turn.audio.drop_behind(turn.speech.tail_end)
            self._is_skipping = True

    def _obey(self, signal: Signal) -> None:
        match signal:
            case TurnBegan(start):
                self._begin(start)
            case Paused():
                self._pause(is_paused=True)
            case Resumed(at):
                self._resume(at)
            case TurnEnded():
                # Not all that has been heard: a turn may end in the midst of it.
                self.commit(self._recent.end / SAMPLE_RATE)

    def _begin(self, start: int) -> None:
        number = self.open = self._next_number()
        self._start = start
        self._tell_start()
        if self._options.model is None:
            return
        turn = turn_for(number, self._options)
        self._last.precede(turn, start)
        samples = self._recent.since(start)
        before = max(0, len(samples) - self._detector.span_length)
        turn.append(samples[:before], is_speech=False)
        turn.append(samples[before:], is_speech=True)
        self.running.begin(turn, self._recent.end)

    def _tell_start(self) -> None:
        """Tell that somebody speaks, once, where turns are detected."""
        if self.open is not None and self._options.turn_detection and not self._is_told:
            self._is_told = True
            self._events.put(SpeechStarted(self.open, _ms(self._start)))

    def _pause(self, *, is_paused: bool) -> None:
        if turn := self.running.get(self.open):
            turn.is_paused = is_paused

    def _resume(self, at: int) -> None:
        turn = self.running.get(self.open)
        if turn and self._is_skipping:
            padded, place = self._recent.since(at - self._detector.padding), turn.audio.end
            turn.append(padded[:-VAD_FRAME], is_speech=False)
            turn.append(padded[-VAD_FRAME:], is_speech=True)
            self.running.skipped(turn, place, self._recent.end)
        self._is_skipping = False
        self._pause(is_paused=False)

    def _hear_pause(self, turn: int, text: str) -> None:
        """The text before a pause: what ends as a sentence does may end a turn."""
        if turn == self.open:
            self._detector.finish_sentence(is_finished=ends_sentence(text))

    def _restart(self, end: float) -> None:
        self._detector.restart(self._recent.end)
        self._is_told = self._is_skipping = False
        self.mark = end

    def _next_number(self) -> int:
        self.count += 1
        return self.count - 1


def _ms(samples: int) -> int:
    return samples * 1000 // SAMPLE_RATE
