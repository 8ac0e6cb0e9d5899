"""Phases of a job load test: short recordings, background jobs, and both; their thresholds."""

from __future__ import annotations

from dataclasses import dataclass

from scripts.load_tests.thresholds import Threshold
from scripts.shared.accuracy import word_error_rate
from scripts.shared.replies import Answer
from scripts.shared.report import percentile

# Short recordings beside jobs, of those alone; and jobs beside those, of their rate alone.
_MAX_LATER, _MIN_SHARE = 1.5, 0.125


@dataclass(frozen=True)
class JobPhase:
    """The answers to short recordings, and the seconds of sound that jobs did in a second."""

    name: str
    answers: list[Answer]
    job_rate: float
    seconds: float

    def waited(self, percent: float) -> float | None:
        """This percentile of the seconds that short recordings took."""
        return percentile([a.seconds for a in self.answers if a.is_good], percent)

    @property
    def wer(self) -> float | None:
        """Of the short recordings' texts."""
        good = [answer for answer in self.answers if answer.is_good]
        return word_error_rate([a.clip for a in good], [a.text for a in good])


def figures(phase: JobPhase) -> dict[str, float | None]:
    """Figures of a phase, by name."""
    good = [answer for answer in phase.answers if answer.is_good]
    return {
        "clips": len(good),
        "clips, p50 in s": phase.waited(50),
        "clips, p95 in s": phase.waited(95),
        "WER of clips": phase.wer,
        "failed": len(phase.answers) - len(good),
        "audio s of clips per s": sum(a.clip.seconds for a in good) / phase.seconds,
        "audio s of jobs per s": phase.job_rate,
    }


def judge(alone: JobPhase, only: JobPhase, both: JobPhase) -> list[Threshold]:
    """The thresholds; one is missed where there is nothing to judge."""
    failed = sum(not answer.is_good for answer in [*alone.answers, *both.answers])
    share = both.job_rate / only.job_rate if only.job_rate else 0.0
    return [
        _as_soon(alone, both),
        Threshold(
            f"jobs have {_MIN_SHARE:.1%} at least of their rate alone",
            f"{share:.1%}, {both.job_rate:.1f} of {only.job_rate:.1f} audio s per s",
            share >= _MIN_SHARE,
        ),
        Threshold("every short recording is answered", f"{failed} were not", not failed),
    ]


def _as_soon(alone: JobPhase, both: JobPhase) -> Threshold:
    promise = f"p95 of short recordings {both.name}: at most {_MAX_LATER:g} times that alone"
    before, after = alone.waited(95), both.waited(95)
    if before is None or after is None:
        return Threshold(promise, "there is none", is_met=False)
    found = f"{after / before:.2f} times, {after:.2f} s after {before:.2f} s"
    return Threshold(promise, found, after <= _MAX_LATER * before)
