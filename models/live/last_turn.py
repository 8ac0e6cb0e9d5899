"""The turn that a session committed last, which the next one may go on with."""

from __future__ import annotations

from models.live.live_turn import LiveTurn
from models.live.whole_turn import WholeTurn
from models.units import SAMPLE_RATE

# Samples between two turns of which the second goes on with the first.
_LONGEST_PAUSE = 3 * SAMPLE_RATE


class LastTurn:
    """The turn that was committed last, as long as the next one may go on with it."""

    def __init__(self) -> None:
        self._turn: LiveTurn | None = None
        self._end = 0

    def commit(self, turn: LiveTurn | WholeTurn | None, end: int) -> None:
        """A turn that ends there in the session; None: one without text."""
        self._turn, self._end = turn if isinstance(turn, LiveTurn) else None, end

    def hear(self, end: int) -> None:
        """Forget it once the session has come that far behind it: a silent one keeps no sound."""
        if end - self._end > 2 * _LONGEST_PAUSE:
            self._turn = None

    def precede(self, turn: LiveTurn | WholeTurn, start: int) -> None:
        """Let a turn that begins there go on with the last one, if it is likely to."""
        last, self._turn = self._turn, None
        if last is None or not isinstance(turn, LiveTurn) or start - self._end > _LONGEST_PAUSE:
            return
        before, now = last.options, turn.options
        if (before.model, before.transcription) == (now.model, now.transcription):
            turn.follow(last)

    def forget(self) -> None:
        """Let no turn go on with it."""
        self._turn = None
