"""Sample stream: a recording read in threads, which end with the request that is cancelled."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, suppress
from itertools import chain
from typing import TypeVar

from models.audio.samples import Samples
from models.request_stats import RequestStats
from models.transcription.reader_threads import ReaderThreads
from models.units import SAMPLE_RATE

T = TypeVar("T")
Pieces = Callable[[], Generator[Samples, None, None]]


class StoppedError(Exception):
    """The request has been cancelled: the reader unwinds."""


class SampleStream:
    """The samples of one recording, which can be read more than once, one pass after another.

    `length` is the recording's, in samples, once a pass has come to its end. What is read, and how
    long that takes, is noted in the request's `stats`.
    """

    def __init__(self, pieces: Pieces, readers: ReaderThreads, stats: RequestStats) -> None:
        self._readers, self._stats = readers, stats
        self._open = pieces
        self._begun: Iterator[Samples] | None = None
        self._passes: list[Generator[Samples, None, None]] = []
        self._stopped = threading.Event()
        self.length = 0

    def pieces(self) -> Iterator[Samples]:
        """The samples from the beginning."""
        begun, self._begun = self._begun, None
        if begun is not None:
            return begun
        self._passes.append(self._read())
        return self._passes[-1]

    def beginning(self, samples: int) -> list[Samples]:
        """The first pieces, together longer than `samples` if the recording is; kept for later."""
        pieces = self.pieces()
        head: list[Samples] = []
        while sum(map(len, head)) <= samples and (piece := next(pieces, None)) is not None:
            head.append(piece)
        self._begun = chain(head, pieces)
        return head

    def fits(self, samples: int) -> bool:
        """True if the recording is no longer than `samples`; its beginning is kept for later."""
        return sum(map(len, self.beginning(samples))) <= samples

    async def run(self, function: Callable[[], T], *, ahead: bool = False) -> T:
        """The function's result, in a thread; it may read this recording.

        `ahead` is for what nobody waits for yet. Cancelled, it comes back only when the thread
        does: then the file is not in use any more.
        """
        threads = self._readers.ahead if ahead else self._readers.first
        work = asyncio.get_running_loop().run_in_executor(threads, function)
        self._stats.enter(None, "load")
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            self._stopped.set()
            while not work.done():
                with suppress(asyncio.CancelledError):
                    await asyncio.wait([work])
            if not work.cancelled():
                work.exception()  # seen: it is not reported as lost
            raise
        finally:
            self._stats.enter("load", None)

    def close(self) -> None:
        """End the passes that are under way; no function may be running."""
        for pieces in self._passes:
            pieces.close()

    def _read(self) -> Generator[Samples, None, None]:
        length = 0
        with closing(self._open()) as pieces:
            for piece in pieces:
                if self._stopped.is_set():
                    raise StoppedError
                if self._stats.on_samples:
                    self._stats.on_samples(length, piece)
                length += len(piece)
                # A second pass reads the same.
                self._stats.audio_seconds = max(self._stats.audio_seconds, length / SAMPLE_RATE)
                yield piece
        self.length = length
        self._stats.is_read = True
