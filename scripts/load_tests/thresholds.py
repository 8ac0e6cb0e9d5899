"""Thresholds of a load test, and whether they are met."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Threshold:
    """A promise, the measured value, and whether it is met."""

    promise: str
    found: str
    is_met: bool


def verdict(thresholds: Sequence[Threshold]) -> str:
    """A line a threshold."""
    return "\n".join(
        f"{'met' if each.is_met else 'MISSED':6}  {each.promise}: {each.found}"
        for each in thresholds
    )


def for_report(thresholds: Sequence[Threshold]) -> dict[str, object]:
    """The thresholds, and the promises of those that were missed."""
    return {
        "bars": [asdict(each) for each in thresholds],
        "missed": [each.promise for each in thresholds if not each.is_met],
    }
