"""Minutes of a long live test: what the server held, how late its texts were, and thresholds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import pairwise
from statistics import median

import httpx
import psutil
from prometheus_client.parser import text_string_to_metric_families

from scripts.load_tests.live_clients import Heard
from scripts.load_tests.processes import children_of
from scripts.load_tests.thresholds import Threshold
from scripts.shared.report import number

_MEBIBYTE = 1024 * 1024
LOOK_SECONDS = 5.0
_LAG = "whisper_realtime_word_lag_seconds"
# Of the time, until every length of sound has been heard once and has its kernels.
_WARM_UP = 0.1
_MAX_GROWTH, _MAX_LAST_GROWTH = 20.0, 5.0
# The lag of the last third, of that of the third before.
_MAX_LAG = 1.5
_FEWEST_MINUTES = 3


@dataclass(frozen=True)
class Look:
    """What a server's processes hold at a time, CPU seconds used, and lags that it has told.

    `memory` is their own, in bytes: pages of files go and come as the system likes.
    """

    at: float
    memory: int
    cpu: float
    lag_sum: float
    lag_count: float


@dataclass(frozen=True)
class Minute:
    """One minute: memory in MiB (median), the share of a core, the mean lag, and what came."""

    number: int
    memory: float
    cpu: float
    lag: float | None
    deltas: int
    longest_gap: float

    def figures(self) -> dict[str, float | None]:
        """They, by name."""
        return asdict(self)


async def looked(http: httpx.AsyncClient, process: psutil.Process, looks: list[Look]) -> None:
    """Look at a server every few seconds until cancelled; one without metrics tells no lag.

    Raises:
        BenchError: its process has ended.
    """
    while True:
        reply = await http.get("/metrics")
        families = text_string_to_metric_families(reply.text) if reply.is_success else ()
        samples = [(each.name, each.value) for family in families for each in family.samples]
        sums = [sum(v for n, v in samples if n == f"{_LAG}_{end}") for end in ("sum", "count")]
        looks.append(Look(time.perf_counter(), *_held(process), *sums))
        await asyncio.sleep(LOOK_SECONDS)


def _held(server: psutil.Process) -> tuple[int, float]:
    """Bytes of memory that a server's processes hold and share with no file; their CPU seconds.

    Raises:
        BenchError: it has ended.
    """
    memory, cpu = 0, 0.0
    for process in [server, *children_of(server)]:
        with suppress(psutil.NoSuchProcess), process.oneshot():  # a child may end at any time
            held, times = process.memory_info(), process.cpu_times()
            # Of Linux alone.
            memory += held.rss - getattr(held, "shared", 0)
            cpu += times.user + times.system
    return memory, cpu


def minutes(looks: Sequence[Look], heard: Sequence[Heard], begin: float) -> list[Minute]:
    """The whole minutes from `begin` on in which somebody has looked twice."""
    times = sorted(at for each in heard for at, _ in each.deltas)
    found = []
    for count in range(int((looks[-1].at - begin) // 60)):
        start, end = begin + 60 * count, begin + 60 * (count + 1)
        within = [look for look in looks if start <= look.at < end]
        if len(within) < 2:
            continue
        came = [at for at in times if start <= at < end]
        edges = [start, *came, end]
        first, last = within[0], within[-1]
        told = last.lag_count - first.lag_count
        found.append(
            Minute(
                count + 1,
                median(look.memory for look in within) / _MEBIBYTE,
                (last.cpu - first.cpu) / (last.at - first.at),
                (last.lag_sum - first.lag_sum) / told if told else None,
                len(came),
                max(b - a for a, b in pairwise(edges)),
            )
        )
    return found


def rows(parts: Sequence[Minute]) -> list[list[str]]:
    """A table of minutes."""
    head = ["minute", "memory in MiB", "of a core", "lag in s", "deltas", "longest gap in s"]
    return [
        head,
        *[
            [
                str(part.number),
                number(part.memory),
                number(part.cpu, 2),
                number(part.lag, 2),
                str(part.deltas),
                number(part.longest_gap),
            ]
            for part in parts
        ],
    ]


def judge(parts: Sequence[Minute], heard: Sequence[Heard], *, is_speech: bool) -> list[Threshold]:
    """The thresholds; where there is nothing to judge, one is missed."""
    failures = [failure for each in heard for failure in each.failures]
    common = [
        Threshold("no error, and no session ended", str(failures or "none"), not failures),
        _growth(parts),
        _last_growth(parts),
    ]
    return [*common, *(_speech(parts, heard) if is_speech else _silence(parts, heard))]


def _growth(parts: Sequence[Minute]) -> Threshold:
    promise = f"memory grows by {_MAX_GROWTH:g} MiB at most once it is warm"
    warm = parts[int(len(parts) * _WARM_UP) :]
    if len(parts) < _FEWEST_MINUTES:
        return Threshold(promise, "too short", is_met=False)
    grown = max(part.memory for part in warm) - warm[0].memory
    return Threshold(promise, f"{grown:+.1f} MiB", grown <= _MAX_GROWTH)


def _last_growth(parts: Sequence[Minute]) -> Threshold:
    promise = f"the last third is flat, within {_MAX_LAST_GROWTH:g} MiB of the one before"
    if len(parts) < _FEWEST_MINUTES:
        return Threshold(promise, "too short", is_met=False)
    second, last = _thirds([part.memory for part in parts])
    grown = median(last) - median(second)
    return Threshold(promise, f"{grown:+.1f} MiB", grown <= _MAX_LAST_GROWTH)


def _speech(parts: Sequence[Minute], heard: Sequence[Heard]) -> list[Threshold]:
    silent = [str(part.number) for part in parts if not part.deltas]
    lags = [part.lag for part in parts if part.lag is not None]
    promise = f"the last third's lag at most {_MAX_LAG:g} times that of the one before"
    # Between two turns no delta has the space that is there in the text.
    joined = all(_letters(t for _, t in each.deltas) == _letters([each.text]) for each in heard)
    found = [
        Threshold("text in every minute", f"none in {silent}" if silent else "yes", not silent),
        Threshold("transcripts are the deltas, joined", "yes" if joined else "no", joined),
    ]
    if len(lags) < _FEWEST_MINUTES:
        return [*found, Threshold(promise, "too little was told", is_met=False)]
    second, last = map(median, _thirds(lags))
    told = f"{second:.2f} s, then {last:.2f} s"
    return [*found, Threshold(promise, told, last <= _MAX_LAG * second)]


def _silence(parts: Sequence[Minute], heard: Sequence[Heard]) -> list[Threshold]:
    turns = sum(each.began for each in heard)
    share = median(part.cpu for part in parts) / len(heard) if parts else 1.0
    return [
        Threshold("no turn", str(turns), not turns),
        Threshold("silence takes 3 % of a core at most", f"{share:.1%}", share <= 0.03),
    ]


def _thirds(values: Sequence[float]) -> tuple[Sequence[float], Sequence[float]]:
    """The second and the last third."""
    third = len(values) // 3
    return values[third : 2 * third], values[2 * third :]


def _letters(texts: Iterable[str]) -> str:
    """Texts without white space."""
    return "".join("".join(texts).split())
