"""Tables and figures in Markdown."""

from __future__ import annotations

from collections.abc import Sequence


def table(head: Sequence[str], rows: Sequence[Sequence[str]], texts: int = 1) -> str:
    """A table; its first `texts` columns are to the left, those of figures to the right."""
    rule = ["---"] * texts + ["---:"] * (len(head) - texts)
    return "\n".join("| " + " | ".join(map(_cell, row)) + " |" for row in (head, rule, *rows))


def section(title: str, *parts: str) -> str:
    """Paragraphs and tables under a heading."""
    return "\n\n".join((f"## {title}", *parts))


def percent(value: float | None) -> str:
    """Two decimals; a dash for none."""
    return "-" if value is None else f"{value:.2f}"


def difference(value: float | None, other: float | None) -> str:
    """Difference of two values, with its sign; a dash where one of them is none."""
    return "-" if value is None or other is None else f"{value - other:+.2f}"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
