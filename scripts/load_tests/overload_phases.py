"""Phases of an overload test (idle, at capacity, overloaded): their figures and thresholds."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from scripts.load_tests.thresholds import Threshold
from scripts.shared.replies import Answer
from scripts.shared.report import percentile

# What fits into one window is a short clip.
SHORT_SECONDS = 30.0
_MIN_GOODPUT = 0.9
_MAX_WAITING = 3.0


@dataclass(frozen=True)
class Phase:
    """The answers to one load, and the time that its rate is taken from.

    Requests come as fast before `begin` and until `end`, so that what was on its way at the one
    makes up for what is at the other.
    """

    name: str
    answers: list[Answer]
    begin: float
    end: float

    @property
    def audio_rate(self) -> float:
        """Audio seconds of transcripts that came, per second."""
        came = [a for a in self.answers if a.is_good and self.begin <= a.ended < self.end]
        return sum(answer.clip.seconds for answer in came) / (self.end - self.begin)

    def waited(self, percent: float) -> float | None:
        """This percentile of the seconds until short clips had their transcripts."""
        short = [a for a in self.answers if a.is_good and a.clip.seconds <= SHORT_SECONDS]
        return percentile([answer.seconds for answer in short], percent)

    @property
    def failures(self) -> Counter[str]:
        """Answers without a transcript, refusals with `Retry-After` not among them."""
        return Counter(a.status for a in self.answers if not a.is_good and a.wait is None)


def figures(phase: Phase) -> dict[str, float | None]:
    """Figures of a phase, by name."""
    answered = sum(answer.is_good for answer in phase.answers)
    return {
        "requests": len(phase.answers),
        "answered": answered,
        "refused, to come again": len(phase.answers) - answered - phase.failures.total(),
        "failed": phase.failures.total(),
        "audio seconds per second": phase.audio_rate,
        "short clips, p50 in s": phase.waited(50),
        "short clips, p95 in s": phase.waited(95),
    }


def judge(idle: Phase, capacity: Phase, overload: Phase) -> list[Threshold]:
    """The thresholds of an overload; one is missed where there is nothing to judge."""
    return [_goodput(capacity, overload), _refusals(overload), _waiting(idle, overload)]


def _goodput(capacity: Phase, overload: Phase) -> Threshold:
    share = overload.audio_rate / capacity.audio_rate if capacity.audio_rate else 0.0
    found = f"{share:.0%}, {overload.audio_rate:.1f} of {capacity.audio_rate:.1f} audio s per s"
    return Threshold(
        f"goodput at least {_MIN_GOODPUT:.0%} of capacity", found, share >= _MIN_GOODPUT
    )


def _refusals(overload: Phase) -> Threshold:
    failures = overload.failures
    refused = sum(answer.wait is not None for answer in overload.answers)
    others = [f"{status} x {count}" for status, count in failures.items()]
    found = ", ".join([f"{refused} of {refused + failures.total()}", *others])
    promise = "whoever is not answered gets 429 or 503 with Retry-After from 1 to 60"
    return Threshold(promise, found, not failures)


def _waiting(idle: Phase, overload: Phase) -> Threshold:
    promise = f"short clips' p95 at most {_MAX_WAITING:g} times as long as idle"
    before, after = idle.waited(95), overload.waited(95)
    if before is None or after is None:
        return Threshold(promise, "no short clip was answered", is_met=False)
    found = f"{after / before:.1f} times, {after:.2f} s after {before:.2f} s"
    return Threshold(promise, found, after <= _MAX_WAITING * before)
