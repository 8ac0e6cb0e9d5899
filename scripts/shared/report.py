"""Reports: a table for people, JSON for programs."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

DEFAULT_FOLDER = Path(__file__).parents[2] / ".cache" / "bench"


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows as aligned text, the first column to the left and numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for first, *others in rows:
        cells = [first.ljust(widths[0]), *map(str.rjust, others, widths[1:])]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def columns(named: Mapping[str, Mapping[str, float | None]]) -> str:
    """A column for each of the names, a row for each figure; counts without decimals."""
    first = next(iter(named.values()))
    rows = [[figure, *(_figure(column[figure]) for column in named.values())] for figure in first]
    return table([["", *named], *rows])


def _figure(value: float | None) -> str:
    return number(value, 0 if isinstance(value, int) else 2)


def number(value: float | None, digits: int = 1) -> str:
    """A number as a cell; a dash for none."""
    return "-" if value is None else f"{value:.{digits}f}"


def write_json(path: Path, report: dict[str, object], command: Sequence[str]) -> None:
    """Write the report with the time and the command line it belongs to."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    whole = {"command": shlex.join(command), "time": now, **report}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(whole, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def percentile(values: Sequence[float], percent: float) -> float | None:
    """The value that this share of the values does not exceed (nearest rank); None for none."""
    if not values:
        return None
    rank = -(-len(values) * percent // 100)
    return sorted(values)[max(0, int(rank) - 1)]
