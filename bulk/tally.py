"""The count of what rows came to, with speeds and what is left."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bulk.manifest import Survey
from bulk.result import Result, Status


@dataclass
class Tally:
    """What a run has done, of what it was to do."""

    survey: Survey
    clock: Callable[[], float] = time.monotonic
    statuses: Counter[Status] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    audio_seconds: float = 0.0
    restarts: int = 0
    _told_seconds: float = 0.0
    _began: float = field(init=False)

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """The engine is ready: its start is no part of the speed."""
        self._began = self.clock()

    def add(self, result: Result) -> None:
        """Count a row that has a result."""
        self.statuses[result.status] += 1
        self._told_seconds += result.row.duration or 0.0
        if result.error is not None:
            self.codes[result.error.code] += 1
        else:
            self.audio_seconds += result.duration or 0.0

    @property
    def ended(self) -> int:
        """Rows that have a result."""
        return self.statuses.total()

    @property
    def failed(self) -> int:
        """Rows that failed."""
        return self.statuses["failed"]

    @property
    def left(self) -> int:
        """Rows that were to have a result, and have none."""
        return self.survey.chosen - self.ended

    @property
    def seconds(self) -> float:
        """Seconds since the engine was ready."""
        return max(self.clock() - self._began, 1e-9)

    @property
    def rtfx(self) -> float:
        """Seconds of audio that were transcribed in a second."""
        return self.audio_seconds / self.seconds

    @property
    def seconds_left(self) -> float | None:
        """How long the rest takes, by seconds of audio if the manifest has them, else by rows."""
        if self.survey.seconds:
            done, total = self._told_seconds, self.survey.seconds
        else:
            done, total = float(self.ended), float(self.survey.chosen)
        return self.seconds * (total - done) / done if done else None

    def summary(self) -> dict[str, Any]:
        """All of it, in JSON's types."""
        return {
            "rows": self.survey.total,
            "chosen": self.survey.chosen,
            "ok": self.statuses["ok"],
            "empty": self.statuses["empty"],
            "failed": self.failed,
            "failures": dict(sorted(self.codes.items())),
            "left": self.left,
            "engine_restarts": self.restarts,
            "seconds": round(self.seconds, 3),
            "audio_seconds": round(self.audio_seconds, 3),
            "rtfx": round(self.rtfx, 2),
        }
