"""Writer of docs/compatibility.md, from what the tests over the wire promise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import get_args

from tests.wire.promises import Area, Promise, promised

PAGE = Path(__file__).parent.parent / "docs" / "compatibility.md"

_INTRODUCTION = """\
# Compatibility

What a client of OpenAI's audio API may rely on here, and where this server differs from the hosted
one or goes beyond it. Every row is held by a test over the wire, against a server that
`bentoml serve` has started: `scripts/test-wire`. Some of live transcription, and of what goes
beyond the hosted server, are held without a model, in `tests/api`, or in a browser, in
`tests/browser`. This page is written from those tests by
`.venv/bin/python -m scripts.compatibility`.

*Same as hosted* is what OpenAI documents for `whisper-1` and its other models, what its SDKs need,
or what recorded answers show. What is silent in OpenAI's documents is marked as the same where its
SDKs take it so. In the sections of other APIs, at the end, *as there* is what the servers of that
API do, as their sources or their clients show. Each is off without its name in `WHISPER_DIALECTS`,
and Wyoming without its `WHISPER_WYOMING_PORT`.
"""


def page(promises: Iterable[Promise]) -> str:
    """The page, a table for each area."""
    rows = list(dict.fromkeys(promises))
    return "\n".join([_INTRODUCTION, *map("\n".join, _tables(rows))])


def _tables(rows: list[Promise]) -> Iterator[list[str]]:
    for area in get_args(Area):
        lines = [_row(promise) for promise in rows if promise.area == area]
        yield [f"## {area}", "", "| what | here |", "| --- | --- |", *lines, ""]


def _row(promise: Promise) -> str:
    match promise.verdict, promise.why:
        case "differs", why:
            here = f"*differs*, because: {why}"
        case verdict, "":
            here = f"*{verdict}*"
        case verdict, why:
            here = f"*{verdict}*: {why}"
    return f"| {promise.what} | {here} |"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(promised()), encoding="utf-8")


if __name__ == "__main__":
    main()
