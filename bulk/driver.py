"""The driver: takes rows to an engine, many at once, and their results to parts."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bulk.engine import Engine, RowFile, Transcribed
from bulk.errors import CRASHED, INTERNAL, OPTION, RowError
from bulk.fetching import Fetcher
from bulk.inflight import Inflight
from bulk.options import request_for
from bulk.part_writer import PartWriter
from bulk.result import Origin, Result, line_of
from bulk.row import Row
from bulk.subtitle_files import write_files
from client.backend.errors import ClientError, RefusedOptionError
from client.backend.request import Format, Request

PAUSES = (1.0, 5.0)
_KILLED = "the run was killed again and again while it was at work alone"


class Stopwatch:
    """Seconds since its start; 0 if it has none."""

    def __init__(self) -> None:
        self._began: float | None = None

    def start(self) -> None:
        """Begin at 0."""
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Those since the last start."""
        return 0.0 if self._began is None else time.monotonic() - self._began


@dataclass(frozen=True)
class Output:
    """Where results go, and who hears of each."""

    folder: Path
    parts: PartWriter
    inflight: Inflight
    origin: Origin
    ended: Callable[[Result], None]


class Driver:
    """Takes each row to its result, whatever becomes of the others.

    `in_flight` rows are with the engine at once; as many more are fetched meanwhile. `pauses` are
    the seconds before the second and the third try.
    """

    def __init__(
        self,
        engine: Engine,
        fetcher: Fetcher,
        output: Output,
        request: Request,
        in_flight: int,
        pauses: tuple[float, ...] = PAUSES,
    ) -> None:
        self._engine, self._fetcher, self._output = engine, fetcher, output
        self._request, self._pauses = request, pauses
        self._places = asyncio.Semaphore(in_flight)
        self._ahead = asyncio.Semaphore(2 * in_flight)
        self._working: dict[str, tuple[Row, Stopwatch]] = {}

    @property
    def oldest(self) -> tuple[Row, float] | None:
        """The row that the engine has had for longest, and for how many seconds."""
        for row, watch in self._working.values():
            return row, watch.seconds
        return None

    async def run(self, rows: Iterable[Row]) -> None:
        """Work on all of them. What has a result is published, also where this is cancelled.

        Raises:
            ClientError: nothing more can be done: no engine, a full disk, a manifest that breaks
                off, or an option that is refused.
        """
        parts = self._output.parts
        try:
            async with asyncio.TaskGroup() as publishing:
                publishing.create_task(parts.publish_in_time(self._output.inflight.shorten))
                async with asyncio.TaskGroup() as group:
                    for row in rows:
                        await self._ahead.acquire()
                        group.create_task(self._to_its_end(row))
                parts.close()
        except BaseExceptionGroup as errors:
            raise _first(errors) from None
        finally:
            parts.close()
            await parts.publish()

    async def _to_its_end(self, row: Row) -> None:
        try:
            result, files = await self._result(row)
            await self._write(result, files)
        finally:
            self._ahead.release()

    async def _write(self, result: Result, files: Mapping[Format, str]) -> None:
        """Files first: a row with a result has them."""
        output, row_id = self._output, result.row.id
        if files:
            await asyncio.to_thread(write_files, output.folder, row_id, files)
        output.parts.write(line_of(result, output.origin))
        output.inflight.end(row_id)
        output.ended(result)

    async def _result(self, row: Row) -> tuple[Result, Mapping[Format, str]]:
        if self._output.inflight.is_hopeless(row.id):
            return Result(row, error=RowError(CRASHED, _KILLED), attempts=0), {}
        attempt, watch = 1, Stopwatch()
        while True:
            try:
                done = await self._tried(row, watch)
            except RowError as error:
                if not error.is_transient or attempt > len(self._pauses):
                    return Result(row, {}, error, attempt, watch.seconds), {}
            else:
                return Result(row, done.members, None, attempt, watch.seconds), done.files
            # Half as long again at most: rows that failed together do not come together.
            await asyncio.sleep(self._pauses[attempt - 1] * random.uniform(1.0, 1.5))  # noqa: S311
            attempt += 1

    async def _tried(self, row: Row, watch: Stopwatch) -> Transcribed:
        """One try, timed from when the engine has it.

        Raises:
            RowError: it failed.
            ClientError: so would every other row.
        """
        inflight = self._output.inflight
        async with self._fetcher.file(row) as path, self._places:
            row_file = RowFile(row.id, path, row.uri, request_for(row, self._request))
            watch.start()
            self._working[row.id] = row, watch
            inflight.start(row.id)
            try:
                return await self._engine.transcribe(row_file)
            except RowError:
                inflight.rest(row.id)
                raise
            except RefusedOptionError as error:
                if not row.fields:
                    raise
                raise RowError(OPTION, str(error)) from error
            except ClientError:
                raise
            except Exception as error:
                inflight.rest(row.id)
                raise RowError(INTERNAL, f"{type(error).__name__}: {error}") from error
            finally:
                del self._working[row.id]


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first error, which ended the others."""
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
