"""Phases of a soak, by thirds of its time: requests, speed, and what the server held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from scripts.load_tests.clients import LEFT, Outcome
from scripts.load_tests.processes import Use
from scripts.shared.report import percentile

_MEBIBYTE = 1024 * 1024
_NAMES = ("before", "first third", "second third", "last third", "last answers", "after")


@dataclass(frozen=True)
class SoakPhase:
    """A part of a soak's time: the outcomes that came in it, what the server held in it."""

    name: str
    seconds: float
    outcomes: list[Outcome]
    uses: list[Use]

    @property
    def memory(self) -> float | None:
        """The median, in MiB; None where nobody has looked."""
        return median(use.memory for use in self.uses) / _MEBIBYTE if self.uses else None

    @property
    def rtfx(self) -> float:
        """Audio seconds of the answers per second."""
        return sum(o.answer.clip.seconds for o in self.outcomes if o.answer.is_good) / self.seconds


def soak_phases(
    outcomes: Sequence[Outcome], uses: Sequence[Use], begin: float, end: float, done: float
) -> list[SoakPhase]:
    """Before, the thirds from `begin` to `end`, the last answers until `done`, and after.

    No request is begun after `end`; before `begin` and after `done` the server is idle.
    """
    third = (end - begin) / 3
    edges = [float("-inf"), begin, begin + third, begin + 2 * third, end, done, float("inf")]
    return [
        SoakPhase(
            name,
            below - minimum,
            [outcome for outcome in outcomes if minimum <= outcome.answer.ended < below],
            [use for use in uses if minimum <= use.at < below],
        )
        for name, minimum, below in zip(_NAMES, edges, edges[1:], strict=False)
    ]


def figures(part: SoakPhase) -> dict[str, float | None]:
    """Figures of a phase, by name."""
    answers = [outcome.answer for outcome in part.outcomes]
    waits = [answer.seconds for answer in answers if answer.is_good]
    return {
        "requests": len(answers),
        "answered": len(waits),
        "left by the client": sum(answer.status == LEFT for answer in answers),
        "with broken audio": sum(outcome.call.is_broken for outcome in part.outcomes),
        "refused, to come again": sum(answer.wait is not None for answer in answers),
        "RTFx": part.rtfx,
        "p50 in s": percentile(waits, 50),
        "p95 in s": percentile(waits, 95),
        "memory in MiB, median": part.memory,
        "memory in MiB, most": max((use.memory / _MEBIBYTE for use in part.uses), default=None),
        "descriptors, most": max((use.descriptors for use in part.uses), default=None),
        "threads, most": max((use.threads for use in part.uses), default=None),
        "processes, most": max((use.processes for use in part.uses), default=None),
    }
