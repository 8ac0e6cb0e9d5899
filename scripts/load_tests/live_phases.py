"""Phases of a live load test: final texts of speakers, files beside them, and thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from scripts.load_tests.live_speakers import Told
from scripts.load_tests.thresholds import Threshold
from scripts.shared.accuracy import word_error_rate
from scripts.shared.replies import Answer
from scripts.shared.report import percentile

# Final texts beside other work, and files beside speakers, of those alone.
_MAX_BESIDE, _MAX_FILE = 1.5, 2.0
# Where twice as many speak as can be served: final texts, of those at capacity; their last third,
# of the second; and what of their rate alone is left to files.
_MAX_OVERLOAD, _MAX_GROWTH, _MIN_SHARE = 4.0, 1.5, 0.25
# Points of WER by which texts beside other work may be worse.
_MAX_WORSE = 3.0


@dataclass
class LivePhase:
    """What speakers were told, and the answers to files, from `begin` to `end`."""

    name: str
    begin: float
    told: Told = field(default_factory=Told)
    files: list[Answer] = field(default_factory=list)
    end: float = 0.0

    def final(self, percent: float) -> float | None:
        """This percentile of the seconds from the end of speech to its text."""
        return percentile([said.seconds for said in self.told.said], percent)

    def thirds(self) -> list[float | None]:
        """The median of final texts, by thirds of the time."""
        third = (self.end - self.begin) / 3
        edges = [self.begin + third * number for number in range(4)]
        return [
            percentile([s.seconds for s in self.told.said if low <= s.ended < high], 50)
            for low, high in pairwise(edges)
        ]

    @property
    def wer(self) -> float | None:
        """Of all texts."""
        texts = [(each.clip, each.text) for each in self.told.said]
        texts += [(each.clip, each.text) for each in self.files if each.is_good]
        return word_error_rate([clip for clip, _ in texts], [text for _, text in texts])

    def file(self, percent: float) -> float | None:
        """This percentile of the seconds that files took."""
        return percentile([answer.seconds for answer in self.files if answer.is_good], percent)

    @property
    def file_rate(self) -> float:
        """Audio seconds of files per second."""
        good = sum(a.clip.seconds for a in self.files if a.is_good and a.ended < self.end)
        return good / (self.end - self.begin)

    @property
    def failures(self) -> list[str]:
        """What has gone wrong for speakers and for files; a refusal with a time is no failure."""
        failed = [a.status for a in self.files if not a.is_good and a.wait is None]
        return [*self.told.failures, *failed]


def figures(phase: LivePhase) -> dict[str, float | None]:
    """Figures of a phase, by name."""
    return {
        "texts of speakers": len(phase.told.said),
        "final p50 in s": phase.final(50),
        "final p95 in s": phase.final(95),
        "WER": phase.wer,
        "sent late, s": phase.told.sent_late,
        "files": sum(answer.is_good for answer in phase.files),
        "file p50 in s": phase.file(50),
        "file p95 in s": phase.file(95),
        "audio s of files per s": phase.file_rate,
        "failures": len(phase.failures),
    }


def as_soon(alone: LivePhase, beside: LivePhase) -> list[Threshold]:
    """That a speaker beside other work has final texts as soon, and as right."""
    promise = f"final p95 {beside.name}"
    late = _later(promise, beside.final(95), alone.final(95), _MAX_BESIDE)
    return [late, as_right(alone, beside)]


def file_as_soon(alone: LivePhase, beside: LivePhase) -> Threshold:
    """That a short file beside speakers does not take much longer."""
    return _later(f"{alone.name} {beside.name}, p50", beside.file(50), alone.file(50), _MAX_FILE)


def overloaded(capacity: LivePhase, many: LivePhase) -> list[Threshold]:
    """That too many speakers all get their texts later, evenly."""
    _, second, last = many.thirds()
    return [
        _later(f"final p95 of {many.name}", many.final(95), capacity.final(95), _MAX_OVERLOAD),
        _later("their p50 in the last third", last, second, _MAX_GROWTH, "in the second"),
    ]


def file_share(alone: LivePhase, beside: LivePhase) -> Threshold:
    """That files beside too many speakers have their share of the time."""
    share = beside.file_rate / alone.file_rate if alone.file_rate else 0.0
    return Threshold(
        f"files {beside.name} have {_MIN_SHARE:.0%} at least of their rate alone",
        f"{share:.0%}, {beside.file_rate:.1f} of {alone.file_rate:.1f} audio s per s",
        share >= _MIN_SHARE,
    )


def as_right(alone: LivePhase, beside: LivePhase) -> Threshold:
    """That texts are as right as without other work."""
    promise = f"WER {beside.name}: at most {_MAX_WORSE:g} points above {alone.name}"
    if beside.wer is None or alone.wer is None:
        return Threshold(promise, "there is none", is_met=False)
    found = f"{beside.wer:.1f} after {alone.wer:.1f}"
    return Threshold(promise, found, beside.wer <= alone.wer + _MAX_WORSE)


def all_completed(phases: Sequence[LivePhase]) -> Threshold:
    """That nothing went wrong for anybody."""
    failures = [f"{failure} ({phase.name})" for phase in phases for failure in phase.failures]
    count = sum(len(phase.told.said) + len(phase.files) for phase in phases)
    return Threshold(
        "every commit completed, every file answered, no session ended",
        "; ".join([f"{count}, and {len(failures)} failures", *sorted(set(failures))]),
        is_met=bool(count) and not failures,
    )


def _later(
    what: str, later: float | None, sooner: float | None, limit: float, when: str = "alone"
) -> Threshold:
    promise = f"{what}: at most {limit:g} times that {when}"
    if later is None or sooner is None:
        return Threshold(promise, "there is none", is_met=False)
    found = f"{later / sooner:.2f} times, {later:.2f} s after {sooner:.2f} s"
    return Threshold(promise, found, later <= limit * sooner)
