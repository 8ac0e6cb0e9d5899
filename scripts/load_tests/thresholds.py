"""What a proof must reach, and whether it has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Bar:
    """What was promised, what was found, and whether that is enough."""

    promise: str
    found: str
    is_met: bool


def verdict(bars: Sequence[Bar]) -> str:
    """A line a bar."""
    return "\n".join(
        f"{'met' if bar.is_met else 'MISSED':6}  {bar.promise}: {bar.found}" for bar in bars
    )


def for_report(bars: Sequence[Bar]) -> dict[str, object]:
    """The bars, and the promises of those that were missed."""
    return {
        "bars": [asdict(bar) for bar in bars],
        "missed": [bar.promise for bar in bars if not bar.is_met],
    }
