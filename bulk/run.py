"""One run over a manifest: what is to do, by which engine, and what came of it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bulk.downloads import Downloads
from bulk.driver import PAUSES, Driver, Output
from bulk.engine import Engine, EngineFacts
from bulk.fetching import Fetcher
from bulk.inflight import Inflight
from bulk.interruption import run_until_interrupted
from bulk.locks import replacing, working
from bulk.manifest import Manifest, Survey
from bulk.metrics import BulkMetrics, served
from bulk.options import options_of
from bulk.part_writer import ROWS, SECONDS, PartWriter
from bulk.parts import done_ids
from bulk.progress import Lines
from bulk.result import Origin, Result
from bulk.rewriting import passing_ids, take_out_passing
from bulk.row import Row
from bulk.run_file import RunFile, check_run, read_run, settle_run
from bulk.shard import Shard, longest_first
from bulk.tally import Tally
from client.backend.request import Request

GIBIBYTE = 1 << 30
_REMIND_SECONDS = 1.0


@dataclass(frozen=True)
class Work:
    """What is asked for.

    `arguments` are kept for `bulk retry`. `is_retry`: rows that failed for reasons that may pass
    are done again as well, while no other run is in the folder.
    `disk_bytes` is what downloads may take, in a folder of their own under `scratch`.
    """

    manifest: Manifest
    folder: Path
    request: Request
    shard: Shard = field(default_factory=Shard)
    arguments: Mapping[str, Any] = field(default_factory=dict)
    is_retry: bool = False
    is_forced: bool = False
    scratch: Path | None = None
    disk_bytes: int = 2 * GIBIBYTE
    metrics: tuple[str, int] | None = None
    part_rows: int = ROWS
    part_seconds: float = SECONDS
    pauses: tuple[float, ...] = PAUSES


@dataclass(frozen=True)
class Seen:
    """What an engine is given of its run: where suspects are noted, and who is told of what."""

    inflight: Inflight
    tell: Callable[[str], None]
    restarted: Callable[[], None]


MakeEngine = Callable[[Seen], Engine]
MakeDisplay = Callable[[Tally], Lines]


class Run:
    """A run; `tally` is what it has done so far."""

    def __init__(self, work: Work, engine: MakeEngine, display: MakeDisplay) -> None:
        self._work, self._make_engine, self._make_display = work, engine, display
        self.tally = Tally(Survey(0, 0, None))

    def through(self) -> None:
        """Do what has no result yet. What has one is published, however this ends.

        Raises:
            UsageError: something is wrong with the arguments, the manifest or the folder.
            BusyError: another run is in the folder.
            NoServiceError, OutputError: it cannot go on.
            KeyboardInterrupt: it was interrupted, by SIGINT, SIGTERM or SIGHUP.
        """
        work = self._work
        alone = replacing(work.folder) if work.is_retry else None
        with alone or working(work.folder, work.shard.worker):
            if not work.is_forced:
                check_run(work.folder, self._manifest, options_of(work.request))
            done, again = self._done()
            survey = work.manifest.survey(lambda row: self._is_chosen(row, done))
            self.tally = Tally(survey)
            if survey.chosen:
                run_until_interrupted(self._begin(done, again))
            elif work.is_forced and (there := read_run(work.folder)) is not None:
                self._settle(there.model_tag)

    @property
    def _manifest(self) -> str:
        return str(self._work.manifest.path.absolute())

    def _done(self) -> tuple[set[str], set[str]]:
        """The ids that are done, and those of the manifest whose results are to be taken out."""
        if not self._work.is_retry:
            return done_ids(self._work.folder), set()
        done, passing = passing_ids(self._work.folder)
        return done, {row.id for row in self._work.manifest.rows() if row.id in passing}

    def _is_chosen(self, row: Row, done: set[str]) -> bool:
        return row.id not in done and self._work.shard.has(row.id)

    def _rows(self, done: set[str], inflight: Inflight) -> Iterator[Row]:
        """What is to do; a manifest that grows meanwhile has no row twice all the same.

        A row at which the run was killed goes behind the others: it may be killed there again.
        """
        rows = (row for row in self._work.manifest.rows() if self._is_chosen(row, done))
        for row in longest_first(rows, lambda row: inflight.kills(row.id)):
            if row.id not in done:
                done.add(row.id)
                yield row

    async def _begin(self, done: set[str], again: set[str]) -> None:
        inflight = Inflight(self._work.folder, self._work.shard.worker)
        display = self._make_display(self.tally)
        try:
            inflight.forget_done(done)
            engine = self._make_engine(Seen(inflight, display.tell, self._count_restart))
            try:
                facts = await engine.start(self._work.request)
                self._settle(facts.model_tag)
                # Not before there is an engine: else they would be lost where there is none.
                take_out_passing(self._work.folder, again)
                self.tally.begin()
                await self._drive(engine, facts, inflight, display, done)
            finally:
                await engine.close()
        finally:
            display.close()
            inflight.close()

    def _settle(self, model_tag: str) -> None:
        work = self._work
        run = RunFile(self._manifest, model_tag, options_of(work.request), work.arguments)
        settle_run(work.folder, run, is_forced=work.is_forced)
        self._origin = Origin(model_tag, run.options_hash, socket.gethostname())

    async def _drive(
        self,
        engine: Engine,
        facts: EngineFacts,
        inflight: Inflight,
        display: Lines,
        done: set[str],
    ) -> None:
        work = self._work
        with ExitStack() as stack:
            ended: list[Callable[[Result], None]] = [self.tally.add, display.ended]
            if work.metrics is not None:
                metrics = BulkMetrics(self.tally, facts.model_tag)
                stack.enter_context(served(metrics, *work.metrics))
                ended.append(metrics.add)
            parts = PartWriter(work.folder, work.shard.worker, work.part_rows, work.part_seconds)
            downloads = Downloads(work.folder, work.shard.worker, work.scratch)
            fetcher = stack.enter_context(Fetcher(work.manifest.folder, work.disk_bytes, downloads))
            output = Output(work.folder, parts, inflight, self._origin, _each(ended))
            driver = Driver(engine, fetcher, output, work.request, facts.in_flight, work.pauses)
            reminding = asyncio.create_task(_remind(display, driver))
            stack.callback(reminding.cancel)
            await driver.run(self._rows(done, inflight))

    def _count_restart(self) -> None:
        self.tally.restarts += 1


async def _remind(display: Lines, driver: Driver) -> None:
    """Have the display go on where no row ends."""
    while True:
        await asyncio.sleep(_REMIND_SECONDS)
        display.remind(driver.oldest)


def _each(hearers: list[Callable[[Result], None]]) -> Callable[[Result], None]:
    def tell(result: Result) -> None:
        for hear in hearers:
            hear(result)

    return tell
