"""Turns of a live session whose text is on its way: their tasks, and what these tell."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from models.errors import EngineStoppedError
from models.language.languages import Script
from models.live.event_queue import EventQueue
from models.live.events import Delta, Failed, LiveEvent
from models.live.live_turn import LiveTurn
from models.live.recognizer import Recognizers
from models.live.turn_places import TurnPlaces
from models.live.turn_recognizers import TurnRecognizers
from models.live.turn_stats import TurnStats
from models.live.turn_tasks import Clock, Turn, TurnTask
from models.text.script import ScriptNormalizer
from models.units import SAMPLE_RATE


@dataclass(frozen=True)
class RunningTurn:
    """A turn's task, the models with the session's script, and its places in the session."""

    task: TurnTask
    recognizers: TurnRecognizers
    places: TurnPlaces


class RunningTurns:
    """Turns by number, each with its task until its text is told.

    `appended` says how many seconds of sound the session has been sent; `hear_pause` takes a turn's
    number, and its text before the pause that it is in. `stats` are what they take of the engine.
    """

    def __init__(
        self,
        recognizers: Recognizers,
        events: EventQueue,
        clock: Clock,
        appended: Callable[[], float],
        hear_pause: Callable[[int, str], None],
    ) -> None:
        self._recognizers, self._events, self._clock = recognizers, events, clock
        self._appended, self._hear_pause = appended, hear_pause
        self._running: dict[int, RunningTurn] = {}
        self.stats = TurnStats()
        self._asked: tuple[Script, ...] = ()
        self._script = ScriptNormalizer()

    def __len__(self) -> int:
        return len(self._running)

    def __iter__(self) -> Iterator[TurnTask]:
        return (each.task for each in self._running.values())

    def get(self, number: int | None) -> Turn | None:
        """A turn that has not failed; None: there is none."""
        running = self._running.get(number) if number is not None else None
        return running.task.turn if running and not running.task.has_failed else None

    def begin(self, turn: Turn, heard: int) -> None:
        """Carry a turn through the engine from now on, which has the `heard` samples' last ones."""
        self._events.begin(turn.number)
        turn.audio.on_drop = self._events.progress.set
        stats = self.stats.begin(turn.number, turn.options.model or "")
        recognizers = TurnRecognizers(self._recognizers, stats, self._script_of(turn))
        task = TurnTask(turn, recognizers, self, self._clock)
        task.task.add_done_callback(lambda _: self._leave(turn.number))
        places = TurnPlaces(heard - turn.audio.end)
        self._running[turn.number] = RunningTurn(task, recognizers, places)

    def skipped(self, turn: Turn, place: int, heard: int) -> None:
        """Silence was left out of a turn at a place; behind it are the `heard` samples' last."""
        self._running[turn.number].places.move(place, heard - turn.audio.end)

    def changed(self, number: int | None) -> None:
        """Look again what is to be done of a turn, if it is here."""
        if number is not None and number in self._running:
            self._running[number].task.changed()

    def commit(self, number: int) -> None:
        """A turn is whole, if it is here."""
        if running := self._running.get(number):
            running.task.turn.is_committed = True
            running.task.changed()

    def drop(self, number: int) -> None:
        """Forget a turn: it will have no text."""
        if running := self._running.pop(number, None):
            running.task.task.cancel()
        self._events.drop(number)

    async def over(self) -> None:
        """Return when the text of every turn that is here now has been told."""
        tasks = [task.task for task in self]
        await asyncio.gather(*tasks, return_exceptions=True)

    def cancel(self) -> None:
        """Take all out of the engine."""
        for task in self:
            task.task.cancel()

    async def aclose(self, unfinished: int | None) -> None:
        """Cancel all; those that have no text yet have failed, but for one that is still open."""
        self.cancel()
        await self.over()
        self._running.clear()
        for number in self._events.turns:
            if number != unfinished:
                error = EngineStoppedError("The session ended before this turn was transcribed.")
                self.tell(Failed(number, error))

    def hear_pause(self, turn: int, text: str) -> None:
        """A turn's text before the pause that it is in."""
        self._hear_pause(turn, text)

    def tell(self, event: LiveEvent) -> None:
        """An event of a turn's text."""
        if isinstance(event, Delta):
            self._settle_script(event)
            event = replace(event, lag=self._lag(event.turn))
        self._events.put(event)

    def _lag(self, number: int) -> float | None:
        """Seconds of sound behind the word that was settled last; None: it has no end."""
        turn = self.get(number)
        if not isinstance(turn, LiveTurn):
            return None
        place = self._running[number].places.in_session(turn.settled.word_end)
        return self._appended() - place / SAMPLE_RATE

    def _script_of(self, turn: Turn) -> ScriptNormalizer:
        """The script of the session's texts: the one asked for, or else that of the first told."""
        asked = turn.options.transcription.scripts
        if asked != self._asked:
            self._asked, self._script = asked, ScriptNormalizer(asked)
        return self._script

    def _settle_script(self, told: Delta) -> None:
        """Let text that is told choose the session's script; a whole turn's has its own."""
        turn = self.get(told.turn)
        if isinstance(turn, LiveTurn):
            self._running[told.turn].recognizers.settle(turn.heard_language, told.text)

    def _leave(self, number: int) -> None:
        """A turn's task is over."""
        self._running.pop(number, None)
        self.stats.end(number)
        self._events.progress.set()
