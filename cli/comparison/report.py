"""The comparison as lines for people, and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace

from cli.comparison.address import Server
from cli.comparison.answer import one_line
from cli.comparison.calls import Call, transcribing
from cli.comparison.compare import Compared
from cli.comparison.difference import Difference

_LONGEST = 60


def plan_lines(servers: tuple[Server, Server], calls: tuple[Call, ...], size: int) -> list[str]:
    """What is about to be sent, and how often a hosted service will bill it."""
    here, against = servers
    billed = f"the {transcribing(calls)} that send the recording ({_size(size)})"
    width = max(len(str(here)), len(str(against)))
    return [
        f"here     {here!s:{width}}  model {here.model}",
        f"against  {against!s:{width}}  model {against.model}",
        f"{_count(len(calls), 'call')} to each. A hosted service bills {billed}.",
    ]


def lines_of(compared: Compared, earlier: Sequence[Compared] = ()) -> list[str]:
    """A call and its differences; words that differ as in an earlier call are told there."""
    name = f"{compared.call.name:16}"
    if not compared.found:
        here, against = compared.statuses
        return [f"{name} same" if here < 400 and against < 400 else f"{name} same ({here})"]
    lines = [_line(each, _told_in(each, earlier)) for each in compared.found]
    return [f"{name} {_count(len(compared.found), 'difference')}", *lines]


def summary(results: Sequence[Compared]) -> str:
    """The last line."""
    total = sum(len(each.found) for each in results)
    calls = sum(bool(each.found) for each in results)
    if not total:
        return f"no differences in {_count(len(results), 'call')}"
    return f"{_count(total, 'difference')} in {calls} of {_count(len(results), 'call')}"


def as_json(servers: tuple[Server, Server], results: Sequence[Compared], error: str | None) -> str:
    """All of it as one JSON object; `error` is why it ended early."""
    here, against = servers
    document = {
        "here": {"url": str(here), "model": here.model},
        "against": {"url": str(against), "model": against.model},
        "differences": sum(len(each.found) for each in results),
        "calls": [
            {
                "call": each.call.name,
                "status": {"here": each.statuses[0], "against": each.statuses[1]},
                "differences": [asdict(difference) for difference in each.found],
            }
            for each in results
        ],
        "error": error,
    }
    return json.dumps(document, indent=2)


def _told_in(difference: Difference, earlier: Sequence[Compared]) -> str | None:
    """The call that had the same words differ; None for every other difference."""
    if difference.kind != "text":
        return None
    same = (
        compared.call.name
        for compared in earlier
        for each in compared.found
        if replace(each, where=difference.where) == difference
    )
    return next(same, None)


def _line(difference: Difference, call: str | None = None) -> str:
    where = f"{one_line(difference.where, _LONGEST)}: " if difference.where else ""
    told = f"as in {call}" if call else _told(difference)
    return f"  {difference.kind:10} {where}{told}"


def _told(difference: Difference) -> str:
    told = []
    if difference.here is not None or difference.against is not None:
        told.append(f"here {_shown(difference.here)}, against {_shown(difference.against)}")
    told += [_numbers(difference)] if difference.detail else []
    return "; ".join(told)


def _numbers(difference: Difference) -> str:
    detail = difference.detail
    if difference.kind == "times":
        return (
            f"largest {detail['largest']:g} s, mean {detail['mean']:g} s, "
            f"over {detail['compared']:g}"
        )
    return (
        f"{detail['differing']:g} of {detail['words']:g} words, "
        f"{detail['beyond_punctuation']:g} but for capitals and punctuation"
    )


def _shown(value: object) -> str:
    """A value of a server as a terminal may show it."""
    if value is None:
        return "nothing"
    if isinstance(value, list):
        return " | ".join(_shown(each) for each in value) or "nothing"
    if isinstance(value, str):
        # Quoted, so that spaces and line ends are seen.
        return one_line(json.dumps(value, ensure_ascii=False), _LONGEST)
    return one_line(json.dumps(value), _LONGEST)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 100_000 else f"{count / 1e3:.1f} kB"
